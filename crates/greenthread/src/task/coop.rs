//! The cooperative budget: how many calls that could wait, and did not, a worker's threads make
//! before the caller yields.
//!
//! std's threads are preempted, so a loop that polls (`try_recv`, `try_lock`, `is_finished`), or
//! that sends without ever having to wait, ends when other threads have done their part. Here the
//! other threads may be siblings, which run only when the polling thread yields. So a call that
//! could wait, and did not, spends some of a budget. When the budget is spent, the caller yields.
//! (The word is tokio's.)
//!
//! * A call that has failed spends [`CALL`], since the caller will try again. So does a system
//!   call, before it is made.
//! * A message that was sent or received spends one unit. They are counted once each time around
//!   the channel's buffer (`chan::buffer`), since to count one by one costs 5 % of a message.
//! * A select that looks at all of its operations spends one unit for each.
//! * A lock that is free, and an atomic, spend nothing: the count would cost too much of such an
//!   operation.
//!
//! A worker has one budget for all its threads. That is enough, since it bounds the calls between
//! two switches. A wait renews it, and so does the yield when it is spent. Any other yield doesn't,
//! since one more store would slow it down.

use std::io;

use super::{
    cancel,
    worker_core::{self, COOP_BUDGET, WorkerCore},
};

/// How many units a call spends: a 64th of the budget. A failed call takes some 25 instructions,
/// and a yield as much as two of them, so the yields take 3 % of a loop of such calls. With a
/// larger part the yields take more; with a smaller one, the siblings wait for longer.
pub(crate) const CALL: u32 = COOP_BUDGET / 64;

/// Spends `units` units. The caller holds no lock of the library, since it may yield here.
#[inline]
pub(crate) fn consume_budget(units: u32) {
    if let Some(core) = worker_core::get() {
        match core.coop_budget.get().checked_sub(units) {
            Some(left) => core.coop_budget.set(left),
            None => spent(core),
        }
    }
}

/// As `consume_budget`, before a call that is a cancellation point.
///
/// # Errors
/// `cancel::error` if the calling thread is cancelled.
#[inline]
pub(crate) fn begin_call(units: u32) -> io::Result<()> {
    let Some(core) = worker_core::get() else { return cancel::check_call() };
    match core.coop_budget.get().checked_sub(units) {
        Some(left) => core.coop_budget.set(left),
        None => spent(core),
    }
    cancel::check_call_on(core)
}

/// Takes and returns the result of a call that doesn't wait. If the call has not found what it
/// looked for, it spends [`CALL`].
#[inline]
pub(crate) fn polled(found: bool) -> bool {
    if !found {
        consume_budget(CALL);
        cancel::check();
    }
    found
}

#[cold]
fn spent(core: &WorkerCore) {
    core.coop_budget.set(COOP_BUDGET);
    if let Some((core, task)) = worker_core::current() {
        core.yield_now(task);
    }
}
