//! Where a thread starts. As a started thread stays at home, this is the one chance to spread the load.
//!
//! A worker that is about to start a thread gives it away, if another one that sleeps or is just waking has
//! clearly fewer threads: it puts it into that worker's inbox. (To leave it lying for the other one is not enough: a sleeper takes
//! some 20 microseconds to wake, and by then an accept loop's worker would have started all of its children itself.) Workers
//! that are awake help themselves by stealing; only when this one is much fuller than the emptiest of them, it leaves
//! the thread to them.

use std::sync::Arc;

use super::shared::Seat;

/// What to do with an unstarted thread.
#[derive(Debug)]
pub(crate) enum Place<'a> {
    /// Start it.
    Here,
    /// Put it into this worker's inbox.
    There(&'a Seat),
    /// Put it where everybody finds it, if there is something else to do here.
    Anywhere,
}

/// Shorter lists of workers are looked through whole.
const LOOK_AT: usize = 8;

/// Two threads more than another's is no reason to wake it.
const SLACK: usize = 2;

/// With fewer threads than that, a worker does not compare itself with busy ones.
pub(super) const FULL: usize = 64;

/// Decides for the worker number `own` with `load` started threads. `turn` varies from call to call.
pub(crate) fn place(seats: &[Arc<Seat>], own: usize, load: usize, turn: usize) -> Place<'_> {
    if load < SLACK {
        return Place::Here;
    }
    let count = seats.len().min(LOOK_AT);
    let first = if seats.len() > LOOK_AT { turn % seats.len() } else { 0 };
    let (mut away, mut emptiest) = (None, usize::MAX);
    let mut least_away = usize::MAX;
    for offset in 0..count {
        let i = first + offset;
        let i = if i < seats.len() { i } else { i - seats.len() };
        if i == own {
            continue;
        }
        let seat = &seats[i];
        // How full a busy one is changes all the time: only who is very full itself looks.
        let is_away = seat.remote.sleep.is_away();
        if !is_away && load <= FULL {
            continue;
        }
        let full = seat.remote.load();
        emptiest = emptiest.min(full);
        if is_away && full < least_away {
            (away, least_away) = (Some(seat), full);
        }
    }
    match away {
        Some(seat) if least_away + SLACK <= load => Place::There(seat),
        _ if load > FULL && load - FULL > emptiest.saturating_add(emptiest / 4) => Place::Anywhere,
        _ => Place::Here,
    }
}
