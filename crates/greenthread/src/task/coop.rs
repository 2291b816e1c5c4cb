//! The cooperative budget: how often a worker's threads may call what does not wait, before the caller lets others run.
//!
//! std's threads are preempted, so a loop that polls (`try_recv`, `try_lock`, `is_finished`), or that sends without ever
//! having to wait, ends when others have done their part. Here those others may be siblings, which run only when the
//! poller gives way. So a call that could wait, and did not, spends some of a budget; with the last of it the
//! caller yields. (The word is tokio's.)
//!
//! * A call that has failed spends [`CALL`]: the caller will come again. So does a system call, before it is made.
//! * A message that was sent or received spends one unit. They are counted once each time around the channel's
//!   buffer (`chan::buffer`), since to count one by one costs 5 % of a message.
//! * A select that looks at all of its operations spends one unit for each.
//! * A lock that is free, and an atomic, spend nothing: there is no cheap place for it.
//!
//! A worker has one budget for all its threads. That is enough, since it bounds what comes between two switches. A wait
//! renews it, and so does the yield when it is spent; any other yield doesn't, where a store would be felt.

use super::local::{self, Local};

/// What a call spends. A failed one takes some 25 instructions, and a yield as much as two of them: so the yields take
/// 3 % of a loop of such calls.
pub(crate) const CALL: u32 = 8;

/// 64 calls, or 512 messages. With a larger one siblings wait for longer; with a smaller one those who fill and empty a
/// channel of usual size yield for nothing, since they are about to wait.
pub(crate) const BUDGET: u32 = 64 * CALL;

/// Spends so many units. The caller holds no lock of ours.
#[inline]
pub(crate) fn consume_budget(units: u32) {
    if let Some(local) = local::get() {
        match local.coop_budget.get().checked_sub(units) {
            Some(left) => local.coop_budget.set(left),
            None => spent(local),
        }
    }
}

/// For the result of a call that doesn't wait: if it has not found what it looked for, it spends [`CALL`].
#[inline]
pub(crate) fn polled(found: bool) -> bool {
    if !found {
        consume_budget(CALL);
    }
    found
}

#[cold]
fn spent(local: &Local) {
    local.coop_budget.set(BUDGET);
    if let Some((local, task)) = local::current() {
        local.yield_now(task);
    }
}
