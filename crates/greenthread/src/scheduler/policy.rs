//! Who runs next? This file has every choice that a worker makes, in the order in which it makes
//! them.
//!
//! The other files of this room say how something is done. This one says when, for whom, and how
//! often; all of the scheduler's numbers are here. Times are in nanoseconds.
//!
//! A worker's loop (`worker_loop`) goes through these questions from top to bottom and begins anew:
//!
//! 1. Which ready thread goes on? The next one of the run queue, first in, first out, by a direct
//!    switch that the worker has no part in. [`round`] says how many such switches are made before
//!    the worker has its turn.
//! 2. Is it time to look at the inbox, the timers and the kernel? That is a *tick*; see [`TICK`].
//! 3. May threads that wait for I/O overtake those that compute? See [`LONG_RUN`].
//! 4. How many unstarted threads start now? See [`starts`].
//! 5. Which ones? See [`Turns`].
//! 6. Do they start here or elsewhere? See [`MIN_LEAD`].
//! 7. Does a joiner run its child by itself? See [`MAX_INLINE_JOINS`].
//! 8. With nothing to run: who searches, for how long, and what is stolen? See [`max_searchers`].
//! 9. When does it sleep, and for how long? See [`MIN_GRACE`].
//! 10. When does a thread that found no stack try again? See [`RETRY`].
//! 11. When is memory given back? See [`TRIM_IDLE`].

use core::cell::Cell;

use greenthread_context::valgrind;

use crate::task::worker_handle::DEQUE_CAPACITY;

// ---- 1. Ready threads.

/// The most direct switches of a round. More would keep unstarted threads waiting for longer; fewer
/// would make the way through the worker's loop, some 30 instructions, a larger part of each
/// switch.
const MAX_ROUND: u32 = 256;
/// The least number of ready threads that a round is reckoned with when there is nothing to start.
/// Two threads that yield to each other would otherwise come to the loop at every second switch.
pub(super) const MIN_ROUND: u32 = 64;

/// How many direct switches are made for so many `ready` threads before the worker has its turn. It
/// comes sooner if a tick is due sooner, and after each switch where threads are CPU-bound.
#[inline]
pub(super) fn round(ready: u32, until_tick: u32, cpu_bound: bool) -> u32 {
    ready.min(if cpu_bound { 1 } else { until_tick.min(MAX_ROUND) })
}

// ---- 2. The tick.

/// How long a worker goes on without a tick. The time is counted in switches, since reading the
/// clock costs as much as ten of them. Twice as long doubles the delay of a wake-up from outside;
/// half as long makes `epoll_wait` (some 300 ns) felt.
pub(super) const TICK: u64 = 100_000;
/// The kernel is asked for events at a tick if it was not asked for so long: a tick may come early,
/// as the number of switches is a guess.
pub(super) const POLL: u64 = TICK / 2;
/// The most switches between two ticks, whatever the last ones took.
pub(super) const MAX_TICK_SWITCHES: u64 = 512;

// ---- 3. CPU-bound threads.

/// A run of this length without a switch is a *long run*. A worker whose threads make long runs is
/// *CPU-bound*: it ticks after each switch, and threads that were woken from outside go before
/// those that are ready, once.
const LONG_RUN: u64 = 100_000;
/// Two long runs with no more than this in between make the worker CPU-bound for as long again. A
/// longer time would treat one slow request a second as computing; a shorter one forgets a
/// computation between two of its yields.
pub(super) const CPU_BOUND: u64 = 10_000_000;

/// From where on a run is long. Valgrind executes some fifty times slower.
pub(super) fn long_run() -> u64 {
    if valgrind::is_running() { 50 * LONG_RUN } else { LONG_RUN }
}

// ---- 4. How many unstarted threads.

/// One more thread starts after a round for so many ready ones: fewer starts starve the unstarted
/// ones, more of them make the ready ones wait.
const READY_PER_START: u32 = 16;

/// How many unstarted threads start after a round.
#[inline]
pub(super) fn starts(ready: u32, cpu_bound: bool) -> u32 {
    if cpu_bound { 1 } else { 1 + ready / READY_PER_START }
}

// ---- 5. Which unstarted threads.

/// After each tick so many of the injector's threads come before the worker's own newest ones. With
/// none, a worker that spawns without end would keep them waiting for ever.
const INJECTOR_CREDITS: u32 = 3;
/// The oldest of the worker's own threads starts when it has been the oldest for so long. Starting
/// it earlier would cost stacks: in a tree of threads run newest first, the oldest is the root of
/// another large subtree.
pub(super) const OLDEST_DUE: u64 = 4_000_000;
/// How many threads move from the injector to an empty deque at once, and from a full deque to the
/// injector.
pub(super) const INJECTOR_BATCH: usize = DEQUE_CAPACITY / 2;
/// How many single threads, beside the first, are taken from the injector at once: each is touched
/// under its lock.
pub(super) const INJECTOR_SINGLES: usize = 16;

/// Where the next unstarted thread comes from.
///
/// Pinned threads, which may start on this worker only, and all others take turns. Of the others
/// the first that is there counts: the oldest of the own deque, if it is due; one of the
/// injector's, while there are credits; the newest of the own deque (last in, first out keeps few
/// stacks in use); a batch of the injector's.
#[derive(Debug)]
pub(super) struct Turns {
    /// The next turn is that of a pinned thread.
    pinned: Cell<bool>,
    injector_credits: Cell<u32>,
    oldest_due: Cell<bool>,
    /// How many unstarted threads may still start before the next round.
    pub(super) starts: Cell<u32>,
    /// Other workers have much fewer threads, as of the last check.
    crowded: Cell<bool>,
    /// How many starts there are until the next check.
    crowd_check: Cell<u32>,
}

impl Turns {
    pub(super) const fn new() -> Self {
        Self {
            pinned: Cell::new(true),
            injector_credits: Cell::new(0),
            oldest_due: Cell::new(false),
            starts: Cell::new(0),
            crowded: Cell::new(false),
            crowd_check: Cell::new(0),
        }
    }

    /// At a tick.
    pub(super) fn renew(&self, oldest_due: bool) {
        self.injector_credits.set(INJECTOR_CREDITS);
        self.oldest_due.set(oldest_due);
    }

    /// Whether this turn is a pinned thread's, if there is one.
    #[inline]
    pub(super) fn is_pinned(&self) -> bool {
        self.pinned.replace(!self.pinned.get())
    }

    /// Whether this turn is the oldest one's.
    #[inline]
    pub(super) fn is_oldest(&self) -> bool {
        self.oldest_due.take()
    }

    /// Whether this turn is the injector's. Each turn costs a credit, whoever takes it.
    #[inline]
    pub(super) fn is_injector(&self) -> bool {
        let credits = self.injector_credits.get();
        self.injector_credits.set(credits.saturating_sub(1));
        credits > 0
    }

    /// Whether others have much fewer threads; `check` finds out, now and then.
    #[inline]
    pub(super) fn is_crowded(&self, check: impl FnOnce() -> bool) -> bool {
        match self.crowd_check.get() {
            0 => {
                self.crowd_check.set(CROWD_CHECK - 1);
                self.crowded.set(check());
            }
            left => self.crowd_check.set(left - 1),
        }
        self.crowded.get()
    }
}

// ---- 6. Where a thread starts.

/// A sleeping worker is given a thread if it has fewer by so many. One fewer is no reason to wake
/// it: its sibling will have caught up by then.
pub(super) const MIN_LEAD: usize = 2;
/// A worker with up to so many threads is not full, whatever others have.
const FULL: usize = 256;
/// How many other workers are compared with; of more, some at random.
pub(super) const MAX_COMPARED: usize = 8;
/// How many threads start between two checks how full the awake ones are: to look takes the cache
/// line away from a busy worker.
const CROWD_CHECK: u32 = 16;
/// A worker publishes its load when it has changed by half of this, and whenever it becomes or
/// stops being zero. A smaller change isn't worth the cache line's way to the siblings and back.
pub(super) const LOAD_STEP: usize = 32;

/// Whether a worker with so many threads is much fuller than one with so many: then it leaves
/// unstarted threads to the injector, and steals none.
#[inline]
pub(super) fn much_fuller(mine: usize, theirs: usize) -> bool {
    mine > FULL && mine - FULL > theirs.saturating_add(theirs / 4)
}

// ---- 7. Inline joins.

/// How many joiners may run their child on their own stack before the worker has a turn, at most:
/// what is ready shall not wait for longer.
pub(super) const MAX_INLINE_JOINS: u32 = 64;

// ---- 8. Searching and stealing.

/// How many of so many workers may search at a time. More would only take the cache lines from each
/// other.
pub(super) fn max_searchers(workers: usize) -> usize {
    workers.div_ceil(2)
}

/// How many threads are stolen at once, at most; half of the victim's otherwise. More would have to
/// be stolen back.
pub(super) const MAX_STOLEN: usize = 16;
/// How many rounds a search has, at most: some 20 microseconds, twice what it takes to sleep and be
/// woken.
pub(super) const SEARCH_ROUNDS: u32 = 100;
/// And at least: as long as an answer takes from a sibling that is awake.
pub(super) const MIN_SEARCH_ROUNDS: u32 = 8;
/// A *trial* (`spin_budget`) is longer: the other side sleeps as well by then, and wakes meanwhile.
pub(super) const TRIAL_ROUNDS: u32 = 4 * SEARCH_ROUNDS;
/// After so many short sleeps there is a trial, however many were in vain. That makes the time
/// spent on them a few hundredths of what the hand-overs cost in between, and the time until a
/// processor that has come free is noticed some milliseconds.
pub(super) const MAX_TRIAL_GAP: u32 = 127;
/// In this round of a search the driver is asked: a message from a sibling comes sooner than that
/// would take.
pub(super) const SEARCH_POLL_ROUND: u32 = 8;

// ---- 9. Sleeping.

/// A worker that was woken and found nothing sleeps briefly before it searches once more (a *grace
/// sleep*, `idle`). The first such sleep lasts this long; each further one twice as long. A thread
/// that is spawned alone wakes nobody meanwhile: its spawner may be about to join it, and to wake a
/// sleeper takes it ten microseconds.
const MIN_GRACE: u64 = 64_000;
/// And at most this long: a thread that nobody joins waits for it.
const MAX_GRACE: u64 = 256_000;
/// A sleep of less than this was no sleep: waking up takes as long.
pub(super) const SHORT_SLEEP: u64 = 50_000;

/// How long a grace sleep is after one of so many nanoseconds.
pub(super) fn grace(last: u64) -> u64 {
    (2 * last).clamp(MIN_GRACE, MAX_GRACE)
}

// ---- 10. No stack to be had.

/// After how long a thread that found no stack tries again, if no thread of its runtime has ended:
/// one of another runtime's may have. The one case in which a worker wakes up to look.
pub(super) const RETRY: u64 = 20_000_000;
/// The time doubles with each vain attempt, up to this.
pub(super) const MAX_RETRY: u64 = 5_000_000_000;
/// When threads have waited for a stack for so long, spawning more is refused: the siblings that
/// sleep on unused stacks have had the time to give them up.
pub(super) const REFUSE_SPAWNS_AFTER: u64 = 2_000_000;
/// When they have waited for so long, and none has got a stack meanwhile, it is reported, once.
pub(super) const REPORT_STARVATION_AFTER: u64 = 1_000_000_000;

// ---- 11. Memory.

/// An idle worker with nothing else to do for so long gives some unused memory back before it
/// sleeps.
pub(super) const TRIM_IDLE: u64 = 200_000;
/// With so long it takes the time for a whole region of stacks.
pub(super) const TRIM_REGION_IDLE: u64 = 100 * TRIM_IDLE;
/// A worker that is busy, or soon will be, gives some back so often: that takes one or two
/// hundredths of its time, as Go's scavenger does. (Every millisecond took 3 % of a timer
/// benchmark.)
pub(super) const TRIM_BUSY: u64 = 5_000_000;
