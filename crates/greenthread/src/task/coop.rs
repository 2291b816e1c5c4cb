//! The cooperative budget: how often a worker's threads may call what does not wait, before the
//! caller lets others run.
//!
//! std's threads are preempted, so a loop that polls (`try_recv`, `try_lock`, `is_finished`), or
//! that sends without ever having to wait, ends when others have done their part. Here those others
//! may be siblings, which run only when the poller gives way. So a call that could wait, and did
//! not, spends some of a budget; with the last of it the caller yields. (The word is tokio's.)
//!
//! * A call that has failed spends [`CALL`]: the caller will come again. So does a system call,
//!   before it is made.
//! * A message that was sent or received spends one unit. They are counted once each time around
//!   the channel's buffer (`chan::buffer`), since to count one by one costs 5 % of a message.
//! * A select that looks at all of its operations spends one unit for each.
//! * A lock that is free, and an atomic, spend nothing: there is no cheap place for it.
//!
//! A worker has one budget for all its threads. That is enough, since it bounds what comes between
//! two switches. A wait renews it, and so does the yield when it is spent; any other yield doesn't,
//! where a store would be felt.

use super::worker_core::{self, COOP_BUDGET, WorkerCore};

/// How many units a call spends: a 64th of the budget. A failed call takes some 25 instructions,
/// and a yield as much as two of them: so the yields take 3 % of a loop of such calls.
pub(crate) const CALL: u32 = COOP_BUDGET / 64;

/// Spends so many units. The caller holds no lock of ours.
#[inline]
pub(crate) fn consume_budget(units: u32) {
    if let Some(core) = worker_core::get() {
        match core.coop_budget.get().checked_sub(units) {
            Some(left) => core.coop_budget.set(left),
            None => spent(core),
        }
    }
}

/// For the result of a call that doesn't wait: if it has not found what it looked for, it spends
/// [`CALL`].
#[inline]
pub(crate) fn polled(found: bool) -> bool {
    if !found {
        consume_budget(CALL);
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
