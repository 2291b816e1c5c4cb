//! The time for the calling thread: by the worker's clock on a worker, by the operating system's
//! clock elsewhere.

use std::time::{Duration, Instant};

use super::worker_core;
use crate::sys::clock::os_now;

/// The present moment.
#[inline]
pub(crate) fn now() -> Instant {
    match worker_core::get() {
        Some(core) => core.clock.instant(),
        None => os_now(),
    }
}

/// The end of a wait of this length that begins now. `None` if an `Instant` can't represent it;
/// such a wait has no deadline.
#[inline]
pub(crate) fn deadline_after(timeout: Duration) -> Option<Instant> {
    now().checked_add(timeout)
}

/// Calls `block`, which blocks the OS thread until the deadline at most, with the deadline as the
/// operating system's clock counts.
#[inline]
pub(crate) fn block_until<R>(deadline: Option<Instant>, block: impl FnOnce(Option<Instant>) -> R) -> R {
    match worker_core::get() {
        Some(core) => core.clock.block(deadline, block),
        None => block(deadline),
    }
}
