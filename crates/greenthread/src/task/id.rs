//! Numbers for threads: never given twice in a process.

use core::{
    num::NonZeroU64,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

static NEXT: AtomicU64 = AtomicU64::new(1);

/// `count` numbers at once, from the one returned on: a worker takes many, so as not to meet others here.
pub(crate) fn reserve(count: u64) -> NonZeroU64 {
    NonZeroU64::new(NEXT.fetch_add(count, Relaxed)).expect("2^64 threads have not been spawned")
}
