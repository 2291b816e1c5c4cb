//! How long a thread looks at a lock that is held, and when it has waited long enough to be handed
//! it.

use std::time::{Duration, Instant};

use crate::task::time::now;

/// So long a thread may lose the race for a lock.
const AT_MOST: Duration = Duration::from_micros(500);

/// So often it may, however quickly (a simulated clock stands still meanwhile).
const LOSSES: u32 = 256;

/// So many readers pass a writer that waits. Readers that overlap could keep the lock from it for
/// ever.
pub(crate) const PASSES: usize = 31;

/// How often a thread looks at a held lock before it sleeps.
pub(crate) const SPINS: u32 = 6;

/// Waits before the next look: longer each time, since each look takes the cache line away from the
/// holder's processor, where one thread after the other may take the lock and give it back.
pub(crate) fn back_off(round: u32) {
    (0..(4 << round).min(64)).for_each(|_| core::hint::spin_loop());
}

/// Waits before the next look at the lock inside a lock. The wait is longer in later rounds: the
/// cache line stays with the holder's processor, which often takes the lock again, and a holder
/// that was preempted gets on.
pub(crate) fn relax(round: u32) {
    /// How many rounds spin, and how many more yield to other OS threads.
    const SPIN: u32 = 8;
    const YIELD: u32 = 500;
    match round {
        ..SPIN => (0..(3u32 << (2 * round)).min(48)).for_each(|_| core::hint::spin_loop()),
        SPIN..YIELD => std::thread::yield_now(),
        YIELD.. => std::thread::sleep(Duration::from_micros(50)),
    }
}

/// How long one thread has been losing the race for one lock.
#[derive(Debug)]
pub(crate) struct Fairness {
    losses: u32,
    since: Option<Instant>,
}

impl Fairness {
    pub(crate) const fn new() -> Self {
        Self { losses: 0, since: None }
    }

    /// The thread was woken, and somebody else was faster; `true` when that has gone on for too
    /// long.
    ///
    /// It looks at the clock after 1, 2, 4, 8... losses only, since a look costs as much as losing
    /// does: what it overlooks by that is as long again as it has waited so far.
    pub(crate) fn lost(&mut self) -> bool {
        self.losses += 1;
        if self.losses >= LOSSES {
            return true;
        }
        if !self.losses.is_power_of_two() {
            return false;
        }
        match self.since {
            None => {
                self.since = Some(now());
                false
            }
            Some(since) => now().duration_since(since) >= AT_MOST,
        }
    }
}
