//! Who runs next? This file has every choice that a worker makes, in the order in which it makes
//! them.
//!
//! The other files of this folder say how something is done. This one says when, for whom, and how
//! often, with the scheduler's numbers. Times are in nanoseconds. (Two numbers are in
//! `task::worker_core`, where they are used: of spinning before a wait, and of the cooperative
//! budget. The watchdog's are with it.)
//!
//! These are the questions. A worker's loop (`worker_loop`) comes to 2 whenever it has its turn,
//! goes on from there, and returns to 1 as soon as there is something to run. Question 7 is the
//! joiner's.
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
//! 9. When is memory given back? See [`TRIM_IDLE`].
//! 10. When does a thread that found no stack try again? See [`RETRY`].
//! 11. When does the worker sleep, and for how long? See [`MIN_GRACE`].

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

/// The time that a worker goes on without a tick. The time is counted in switches, since reading
/// the clock costs as much as ten of them. Twice as long doubles the delay of a wake-up from
/// outside; half as long makes `epoll_wait` (some 300 ns) felt.
pub(super) const TICK: u64 = 100_000;
/// A tick asks the kernel for events if this much time has passed since it was last asked. A tick
/// may come early, as the number of switches is a guess.
pub(super) const POLL: u64 = TICK / 2;
/// The most switches between two ticks, whatever the last ones took.
pub(super) const MAX_TICK_SWITCHES: u64 = 512;

// ---- 3. CPU-bound threads.

/// A run of this length without a switch is a *long run*. A worker whose threads make long runs is
/// *CPU-bound*: it ticks after each switch, and threads that were woken from outside go before
/// those that are ready, once.
const LONG_RUN: u64 = 100_000;
/// Two long runs with less than this between them make the worker CPU-bound for as long again. A
/// longer time would treat one slow request a second as computing; a shorter one forgets a
/// computation between two of its yields.
pub(super) const CPU_BOUND: u64 = 10_000_000;

/// The length from which on a run is long. Under Valgrind, which executes some fifty times slower,
/// it is fifty times longer.
pub(super) fn long_run() -> u64 {
    if valgrind::is_running() { 50 * LONG_RUN } else { LONG_RUN }
}

// ---- 4. How many unstarted threads.

/// Ready threads for each of which one more thread starts after a round. Fewer starts keep
/// unstarted threads waiting; more starts keep ready threads waiting.
const READY_PER_START: u32 = 16;

/// How many unstarted threads start after a round.
#[inline]
pub(super) fn starts(ready: u32, cpu_bound: bool) -> u32 {
    if cpu_bound { 1 } else { 1 + ready / READY_PER_START }
}

// ---- 5. Which unstarted threads.

/// The number of the injector's threads that come before the worker's own newest ones after each
/// tick. With none, a worker that spawns without end would keep them waiting for ever.
const INJECTOR_CREDITS: u32 = 3;
/// The oldest thread of the worker's deque starts when it has been the oldest for this long.
/// Starting it earlier would cost stacks: in a tree of threads run newest first, the oldest is the
/// root of another large subtree.
pub(super) const OLDEST_DUE: u64 = 4_000_000;
/// The number of threads that move at once from the injector to an empty deque, and from a full
/// deque to the injector.
pub(super) const INJECTOR_BATCH: usize = DEQUE_CAPACITY / 2;
/// The largest number of single threads, beside the first, that are taken from the injector at
/// once. Each is touched under the injector's lock.
pub(super) const INJECTOR_SINGLES: usize = 16;

/// Where the next unstarted thread comes from.
///
/// Pinned threads, which may start on this worker only, and all others take turns. Of the others
/// the first that is there counts: the oldest of the own deque, if it is due; one of the
/// injector's, while there are credits; the newest of the own deque (last in, first out keeps few
/// stacks in use); a batch of the injector's.
#[derive(Debug)]
pub(super) struct Turns {
    /// Whether the next turn is a pinned thread's.
    pinned: Cell<bool>,
    injector_credits: Cell<u32>,
    oldest_due: Cell<bool>,
    /// How many unstarted threads may still start before the next round.
    pub(super) starts: Cell<u32>,
    /// Whether another worker had much fewer threads at the last check.
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

    /// Whether this turn is the injector's. Each turn costs a credit, even if the thread comes from
    /// elsewhere.
    #[inline]
    pub(super) fn is_injector(&self) -> bool {
        let credits = self.injector_credits.get();
        self.injector_credits.set(credits.saturating_sub(1));
        credits > 0
    }

    /// Whether another worker has much fewer threads. It calls `check` at every `CROWD_CHECK`th
    /// time.
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

/// A sleeping worker is given a thread if it has at least this many fewer threads. With one fewer
/// it is not worth a wake-up: when it is awake, the difference may be gone.
pub(super) const MIN_LEAD: usize = 2;
/// A worker with at most this many threads is not full, whatever others have.
const FULL: usize = 256;
/// The largest number of workers that a worker compares itself with. If there are more, it takes
/// some at random. More would cost a cache line each.
pub(super) const MAX_COMPARED: usize = 8;
/// Starts between two checks of how full the other workers are. A check takes a cache line away
/// from each busy worker; with fewer checks, a worker that has become crowded starts more threads.
const CROWD_CHECK: u32 = 16;
/// A worker publishes its load when it has changed by half of this, and whenever it becomes or
/// stops being zero. A smaller change isn't worth the cache line's way to the siblings and back.
pub(super) const LOAD_STEP: usize = 32;

/// Whether a worker with `mine` threads is much fuller than one with `theirs`. Then it leaves
/// unstarted threads to the injector, and steals none.
#[inline]
pub(super) fn much_fuller(mine: usize, theirs: usize) -> bool {
    mine > FULL && mine - FULL > theirs.saturating_add(theirs / 4)
}

// ---- 7. Inline joins.

/// The largest number of joiners that run their child on their own stack before the worker has a
/// turn. With more, ready threads wait for longer; with fewer, the children of more joins need
/// stacks of their own.
pub(super) const MAX_INLINE_JOINS: u32 = 64;

// ---- 8. Searching and stealing.

/// How many of a runtime's `workers` workers may search at a time. More would only take the cache
/// lines from each other.
pub(super) fn max_searchers(workers: usize) -> usize {
    workers.div_ceil(2)
}

/// The largest number of threads that are stolen after the first one; it is half of the victim's
/// rest if that is less. More would have to be stolen back.
pub(super) const MAX_STOLEN: usize = 16;
/// The largest number of rounds of a search: some 20 microseconds, twice what it takes to sleep and
/// be woken.
pub(super) const SEARCH_ROUNDS: u32 = 100;
/// The smallest number of rounds: as long as an answer takes from a sibling that is awake.
pub(super) const MIN_SEARCH_ROUNDS: u32 = 8;
/// The rounds of a *trial* (`spin_budget`) after searches in vain. It is longer, since the other
/// side may sleep too by then, and has to wake up.
pub(super) const TRIAL_ROUNDS: u32 = 4 * SEARCH_ROUNDS;
/// The largest number of short sleeps between two trials. With it trials take a few hundredths of
/// the time of the hand-overs in between, and a processor that has come free is noticed within some
/// milliseconds.
pub(super) const MAX_TRIAL_GAP: u32 = 127;
/// The round of a search in which the driver is asked. A message from a sibling that is awake comes
/// sooner than that call would take.
pub(super) const SEARCH_POLL_ROUND: u32 = 8;

// ---- 9. Memory.

/// An idle worker with this much time until its next deadline gives some unused memory back before
/// it sleeps.
pub(super) const TRIM_IDLE: u64 = 200_000;
/// With this much time it gives back a whole region of stacks, or trims the C library's heap.
pub(super) const TRIM_REGION_IDLE: u64 = 100 * TRIM_IDLE;
/// The time between two steps in which a worker that is busy, or soon will be, gives memory back.
/// That takes one or two hundredths of its time, as Go's scavenger does. (A step every millisecond
/// took 3 % of a timer benchmark.)
pub(super) const TRIM_BUSY: u64 = 5_000_000;

// ---- 10. No stack to be had.

/// The time after which a thread that found no stack tries again, if no thread of its runtime has
/// ended: a thread of another runtime may have ended. Only for this a worker polls.
pub(super) const RETRY: u64 = 20_000_000;
/// The time doubles with each attempt in vain, up to this.
pub(super) const MAX_RETRY: u64 = 5_000_000_000;
/// The time for which threads have waited for a stack before further spawns are refused. By then
/// workers that slept with cached stacks have given them up.
pub(super) const REFUSE_SPAWNS_AFTER: u64 = 2_000_000;
/// The time for which threads have waited, and none has got a stack, before that is reported.
pub(super) const REPORT_STARVATION_AFTER: u64 = 1_000_000_000;

// ---- 11. Sleeping.

/// A worker that was woken and found nothing sleeps briefly before it searches once more (a *grace
/// sleep*, `idle`). The first such sleep lasts this long; each further one twice as long. A thread
/// that is spawned alone wakes nobody meanwhile: its spawner may be about to join it, and to wake a
/// sleeper takes it ten microseconds.
const MIN_GRACE: u64 = 64_000;
/// The longest grace sleep. A thread that is spawned alone and not joined waits for its end.
const MAX_GRACE: u64 = 256_000;
/// A sleep shorter than this counts as short (`spin_budget`): to wake up takes as long.
pub(super) const SHORT_SLEEP: u64 = 50_000;

/// The length of a grace sleep after one of `last` nanoseconds.
pub(super) fn grace(last: u64) -> u64 {
    (2 * last).clamp(MIN_GRACE, MAX_GRACE)
}
