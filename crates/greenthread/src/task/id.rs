//! Numbers for threads: never given twice in a process, nor to threads of its own in a child that
//! it has forked.

use core::{
    num::NonZeroU64,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Lower numbers are of the process that has forked this one.
static FIRST: AtomicU64 = AtomicU64::new(0);

/// In the child of a fork: the numbers that were given so far are the parent's.
pub(crate) fn forked() {
    FIRST.store(NEXT.load(Relaxed), Relaxed);
}

/// Whether the thread with this number belongs to a process that has forked this one.
#[inline]
pub(crate) fn is_foreign(id: NonZeroU64) -> bool {
    id.get() < FIRST.load(Relaxed)
}

/// `count` numbers at once, from the one returned on: a worker takes many, so as not to meet others
/// here.
pub(crate) fn reserve(count: u64) -> NonZeroU64 {
    NonZeroU64::new(NEXT.fetch_add(count, Relaxed)).expect("2^64 threads have not been spawned")
}
