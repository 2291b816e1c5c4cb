//! Numbers for threads. No number is given twice in a process. A forked child gives its own threads
//! none of the numbers that its parent gave before.

use core::{
    num::NonZeroU64,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Numbers below this one belong to threads of the process that has forked this one.
static FIRST: AtomicU64 = AtomicU64::new(0);

/// Called in the child of a fork: all numbers so far belong to the parent's threads.
pub(crate) fn forked() {
    FIRST.store(NEXT.load(Relaxed), Relaxed);
}

/// Whether the thread with this number belongs to a process that has forked this one.
#[inline]
pub(crate) fn is_foreign(id: NonZeroU64) -> bool {
    id.get() < FIRST.load(Relaxed)
}

/// Reserves `count` numbers, and returns the first. A worker reserves many at a time, so that
/// workers rarely write to the common counter.
pub(crate) fn reserve(count: u64) -> NonZeroU64 {
    NonZeroU64::new(NEXT.fetch_add(count, Relaxed)).expect("2^64 threads have not been spawned")
}
