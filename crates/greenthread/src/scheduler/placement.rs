//! Where a thread starts. As a started thread never leaves its worker, this is the one chance to
//! spread the load.
//!
//! A worker that is about to start a thread gives it away if another worker, which sleeps or is
//! just waking, has clearly fewer threads: it puts the thread into that worker's inbox. (To leave
//! it in the deque for the other one is not enough: a sleeper takes some 20 microseconds to wake,
//! and by then an accept loop's worker would have started all of its children itself.) Workers that
//! are awake help themselves by stealing. Only when this one is much fuller than the emptiest of
//! them, it leaves the thread to them.
//!
//! The load of a busy worker changes all the time, and to read it takes the cache line away from
//! that worker. So it is not read for each thread: `policy::Turns` remembers the answer for a
//! while.

use std::sync::Arc;

use super::policy::{MAX_COMPARED, MIN_LEAD, much_fuller};
use crate::task::{block::Task, random::Random, worker_handle::WorkerHandle};

type Workers = [Arc<WorkerHandle<Task>>];

/// The workers but number `own`; some of them, at random, if they are many.
fn others<'a>(
    workers: &'a Workers,
    own: usize,
    random: &Random,
) -> impl Iterator<Item = &'a WorkerHandle<Task>> {
    let first = if workers.len() > MAX_COMPARED { random.below(workers.len()) } else { 0 };
    let (before, from) = workers.split_at(first);
    let own = &workers[own];
    let some = from.iter().chain(before).take(MAX_COMPARED);
    some.filter(move |worker| !Arc::ptr_eq(worker, own)).map(|worker| &**worker)
}

/// The worker that had better start a thread in place of number `own`, which has `load` of them:
/// one that sleeps or is just waking.
pub(super) fn better_home<'a>(
    workers: &'a Workers,
    own: usize,
    load: usize,
    random: &Random,
) -> Option<&'a WorkerHandle<Task>> {
    if load < MIN_LEAD {
        return None;
    }
    let away = others(workers, own, random).filter(|worker| worker.sleep.is_away());
    let (least, emptiest) = away.map(|worker| (worker.load(), worker)).min_by_key(|(load, _)| *load)?;
    (least + MIN_LEAD <= load).then_some(emptiest)
}

/// Whether worker number `own`, which has `load` threads, is much fuller than another one.
pub(super) fn is_crowded(workers: &Workers, own: usize, load: usize, random: &Random) -> bool {
    much_fuller(load, 0) && others(workers, own, random).any(|worker| much_fuller(load, worker.load()))
}
