//! Where a thread starts. As a started thread never leaves its worker, this is the one chance to
//! spread the load.
//!
//! A worker that is about to start a thread gives it away if another worker, which sleeps or is
//! just waking, has clearly fewer threads: it puts the thread into that worker's inbox. (To leave
//! it in the deque for the other one is not enough: a sleeper takes some 20 microseconds to wake,
//! and by then an accept loop's worker would have started all of its children itself.) Workers that
//! are awake take threads by stealing. But if this worker is much fuller than another one, it puts
//! the thread into the injector, for the other workers to take.
//!
//! The load of a busy worker changes all the time, and a read takes the cache line away from that
//! worker. So the loads are not read for each thread: `policy::Turns` remembers the answer for some
//! starts.

use std::sync::Arc;

use super::policy::{MAX_COMPARED, MIN_LEAD, much_fuller};
use crate::task::{block::Task, random::Random, worker_handle::WorkerHandle};

type Workers = [Arc<WorkerHandle<Task>>];

/// The other workers than number `own`. If there are more than `MAX_COMPARED` workers, it is a
/// random choice.
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

/// The worker that should start a thread in place of worker `own`, which has `load` threads: the
/// emptiest one that sleeps or is just waking, if it has at least `MIN_LEAD` threads fewer.
pub(super) fn idle_worker_for<'a>(
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

/// Whether worker `own`, which has `load` threads, is much fuller than another one.
pub(super) fn is_crowded(workers: &Workers, own: usize, load: usize, random: &Random) -> bool {
    much_fuller(load, 0) && others(workers, own, random).any(|worker| much_fuller(load, worker.load()))
}
