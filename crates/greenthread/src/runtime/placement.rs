//! Where a thread starts. As a started thread stays at home, this is the one chance to spread the load.
//!
//! A worker that is about to start a thread gives it away, if another one that sleeps or is just waking has
//! clearly fewer threads: it puts it into that worker's inbox. (To leave it lying for the other one is not enough: a sleeper takes
//! some 20 microseconds to wake, and by then an accept loop's worker would have started all of its children itself.) Workers
//! that are awake help themselves by stealing; only when this one is much fuller than the emptiest of them, it leaves
//! the thread to them.
//!
//! How full a busy worker is changes all the time, and to look takes the cache line away from it. So this is not looked
//! at for each thread: `Worker::fresh` remembers the answer for a while.

use std::sync::Arc;

use super::shared::Seat;

/// Shorter lists of workers are looked through whole.
const LOOK_AT: usize = 8;

/// Two threads more than another's is no reason to wake it.
const SLACK: usize = 2;

/// With so many threads a worker is not full, whatever others have.
pub(super) const FULL: usize = 256;

/// Whether a worker with so many threads is much fuller than one with so many.
pub(super) fn much_fuller(mine: usize, theirs: usize) -> bool {
    mine > FULL && mine - FULL > theirs.saturating_add(theirs / 4)
}

/// The others, as seen from the worker number `own`; some of them, if they are many. `turn` varies from call to call.
fn others(seats: &[Arc<Seat>], own: usize, turn: usize) -> impl Iterator<Item = &Arc<Seat>> {
    let first = if seats.len() > LOOK_AT { turn % seats.len() } else { 0 };
    let (before, from) = seats.split_at(first);
    let own = &seats[own];
    from.iter().chain(before).take(LOOK_AT).filter(move |seat| !Arc::ptr_eq(seat, own))
}

/// The worker that had better start a thread in place of the worker number `own`, which has `load` of them: one that sleeps
/// or is just waking.
pub(super) fn elsewhere(seats: &[Arc<Seat>], own: usize, load: usize, turn: usize) -> Option<&Seat> {
    if load < SLACK {
        return None;
    }
    let away = others(seats, own, turn).filter(|seat| seat.remote.sleep.is_away());
    let emptiest = away.map(|seat| (seat.remote.load(), seat)).min_by_key(|(load, _)| *load);
    emptiest.filter(|(least, _)| least + SLACK <= load).map(|(_, seat)| &**seat)
}

/// Whether the worker number `own`, which has `load` threads, is much fuller than another one.
pub(super) fn is_crowded(seats: &[Arc<Seat>], own: usize, load: usize, turn: usize) -> bool {
    load > FULL && others(seats, own, turn).any(|seat| much_fuller(load, seat.remote.load()))
}
