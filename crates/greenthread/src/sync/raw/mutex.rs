//! The states of a mutex, and the only ways from one to the next.
//!
//! The state is one word: three bits, and in the rest the holder's worker (`worker_id`; 0 for an OS
//! thread), which says whether it is any use to spin.
//!
//! ```text
//!   0                        free, nobody waits
//!   LOCKED | worker_id       held
//!   .. | QUEUED              the queue is not empty
//!   .. | WOKEN               a thread was woken to try again, and has neither got the lock nor gone back yet
//! ```
//!
//! * `lock`: 0 to LOCKED, one exchange. Otherwise it spins for a while, unless the holder is a
//!   green thread of the same worker, which can't run meanwhile; then it queues, and sleeps.
//! * `unlock`: without QUEUED, to 0, one exchange. Otherwise, under the queue's lock: the first
//!   thread is woken to *try* (barging: somebody who is running may be faster, which is what makes
//!   a busy lock quick) or, once it has waited for too long (`fairness`), is *handed* the lock,
//!   which stays LOCKED.
//! * While WOKEN is set, only each `SKIPS`-th unlock wakes another thread: one that tries is
//!   enough, unless its worker has other things to do.
//!
//! Invariants:
//! 1. LOCKED is set by the one thread that from then on holds the lock, or for it by whoever hands
//!    it over; only the holder, or its handing over, ends that. `lock` acquires what the last
//!    `unlock` released; where the lock is handed over, the claim does so.
//! 2. QUEUED says that the queue is not empty; both change under the queue's lock only.
//! 3. The queue's lock, held while LOCKED is ours, makes the state ours: others change a LOCKED
//!    state only in `enqueue` and `give_up`, under that lock. So `unlock_slow` may write it with a
//!    plain store.
//! 4. QUEUED is set by a thread that sees LOCKED under the queue's lock, and queues itself before
//!    it gives that lock back: the holder's `unlock` finds QUEUED, takes the queue's lock, and
//!    finds the thread. No wake-up is lost.
//! 5. Each thread for which WOKEN was set clears it, by taking the lock or by going back to the
//!    queue; whoever takes the lock wakes the next when it unlocks. WOKEN may be lost (an unlock
//!    without QUEUED clears it too): it suppresses only.
//! 6. The nodes obey the invariants of `wait_queue`.

use core::cell::Cell;
use std::time::Instant;

use super::{
    atomic::{
        AtomicUsize,
        Ordering::{Acquire, Relaxed, Release},
    },
    const_fn,
    fairness::{Fairness, SPINS, back_off},
    spin::SpinLock,
    wait_queue::{Node, Queue},
};
use crate::task::wait::{Claim, Reason, Waiter};

/// Somebody holds it.
pub(crate) const LOCKED: usize = 1;
const QUEUED: usize = 2;
const WOKEN: usize = 4;
/// Where the holder's worker is.
const WORKER_ID: usize = !7;

/// How many unlocks wake nobody while a woken thread is on its way.
const SKIPS: u32 = 32;

/// A mutex without anything in it.
pub(crate) struct RawMutex {
    pub(crate) state: AtomicUsize,
    waiting: SpinLock<Waiting>,
}

/// What the queue's lock guards.
struct Waiting {
    queue: Queue<Turn>,
    /// The next newcomer's ticket.
    tickets: u32,
    skipped: u32,
}

/// A waiting thread.
struct Turn {
    /// Newer threads have later tickets, so one that was woken in vain gets its place again.
    ticket: Cell<u32>,
    /// Where it runs.
    worker_id: usize,
    /// It has waited for too long: hand it the lock.
    impatient: Cell<bool>,
    /// It was handed the lock.
    handed: Cell<bool>,
}

impl RawMutex {
    const_fn! {
        /// A free one.
        pub(crate) const fn new() -> Self {
            let waiting = Waiting { queue: Queue::new(), tickets: 0, skipped: 0 };
            Self { state: AtomicUsize::new(0), waiting: SpinLock::new(waiting) }
        }
    }

    /// Takes the lock; `worker_id` tells the caller's worker from others, 0 is none. Its lower
    /// three bits don't count.
    #[inline]
    pub(crate) fn lock(&self, worker_id: usize) {
        self.lock_until(worker_id, None);
    }

    /// As `lock`, until the deadline at most; whether it has taken the lock.
    #[inline]
    pub(crate) fn lock_until(&self, worker_id: usize, deadline: Option<Instant>) -> bool {
        self.try_fast(worker_id) || self.lock_slow(worker_id & WORKER_ID, deadline)
    }

    #[inline]
    fn try_fast(&self, worker_id: usize) -> bool {
        self.state.compare_exchange(0, worker_id & WORKER_ID | LOCKED, Acquire, Relaxed).is_ok()
    }

    /// Takes the lock if it is free.
    #[inline]
    pub(crate) fn try_lock(&self, worker_id: usize) -> bool {
        if self.try_fast(worker_id) {
            return true;
        }
        let mut seen = self.state.load(Relaxed);
        while seen & LOCKED == 0 {
            match self.state.compare_exchange_weak(
                seen,
                seen | worker_id & WORKER_ID | LOCKED,
                Acquire,
                Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    }

    #[cold]
    fn lock_slow(&self, worker_id: usize, deadline: Option<Instant>) -> bool {
        // Most of those who come here need not wait: the node is made only then.
        self.spin(worker_id, 0) || self.wait(worker_id, deadline)
    }

    /// Tries for as long as it is worth it. `woken` is WOKEN if that is ours to clear.
    fn spin(&self, worker_id: usize, woken: usize) -> bool {
        let mut round = 0;
        let mut seen = self.state.load(Relaxed);
        loop {
            if seen & LOCKED == 0 {
                let ours = seen & !woken | worker_id | LOCKED;
                match self.state.compare_exchange_weak(seen, ours, Acquire, Relaxed) {
                    Ok(_) => return true,
                    Err(now) => seen = now,
                }
                continue;
            }
            if round == SPINS || (worker_id != 0 && seen & WORKER_ID == worker_id) {
                return false;
            }
            back_off(round);
            round += 1;
            seen = self.state.load(Relaxed);
        }
    }

    fn wait(&self, worker_id: usize, deadline: Option<Instant>) -> bool {
        let waiter = Waiter::new();
        let turn =
            Turn { ticket: Cell::new(0), worker_id, impatient: Cell::new(false), handed: Cell::new(false) };
        let node = Node::new(&waiter, turn);
        let mut fairness = Fairness::new();
        let mut again = false;
        loop {
            if self.enqueue(&node, again) {
                if !waiter.wait(Reason::Mutex, deadline) {
                    self.give_up(&node);
                    return false;
                }
                if node.payload.handed.get() {
                    return true;
                }
                // Woken to try, and out of the queue: nobody knows the waiter any more.
                waiter.reset();
                node.payload.impatient.set(fairness.lost());
                again = true;
            }
            if self.spin(worker_id, if again { WOKEN } else { 0 }) {
                return true;
            }
        }
    }

    /// Takes the node back. Whoever is still in the queue is waited for by somebody else: the
    /// lock's holder, or a thread that has been woken.
    fn give_up(&self, node: &Node<Turn>) {
        let mut waiting = self.waiting.lock();
        // SAFETY: our own, put into this queue.
        unsafe { waiting.queue.remove(node) };
        if waiting.queue.is_empty() {
            self.state.fetch_and(!QUEUED, Relaxed);
        }
    }

    /// Puts the node into the queue, unless the lock is free now.
    fn enqueue(&self, node: &Node<Turn>, again: bool) -> bool {
        let clear = if again { WOKEN } else { 0 };
        let mut waiting = self.waiting.lock();
        let mut seen = self.state.load(Relaxed);
        loop {
            if seen & LOCKED == 0 {
                return false;
            }
            match self.state.compare_exchange_weak(seen, seen & !clear | QUEUED, Relaxed, Relaxed) {
                Ok(_) => break,
                Err(now) => seen = now,
            }
        }
        if again {
            let ticket = node.payload.ticket.get();
            // SAFETY: `wait` keeps the node until it has been taken out and claimed (invariant 6).
            unsafe { waiting.queue.insert(node, |turn| turn.ticket.get().wrapping_sub(ticket) as i32 > 0) };
        } else {
            node.payload.ticket.set(waiting.tickets);
            waiting.tickets = waiting.tickets.wrapping_add(1);
            // SAFETY: as above.
            unsafe { waiting.queue.push(node) };
        }
        true
    }

    /// Gives the lock back.
    ///
    /// # Safety
    /// The caller holds it.
    #[inline]
    pub(crate) unsafe fn unlock(&self) {
        let seen = self.state.load(Relaxed);
        if seen & QUEUED != 0 || self.state.compare_exchange(seen, 0, Release, Relaxed).is_err() {
            self.unlock_slow();
        }
    }

    #[cold]
    fn unlock_slow(&self) {
        let mut waiting = self.waiting.lock();
        let woken = self.state.load(Relaxed) & WOKEN;
        let impatient = waiting.queue.front().is_some_and(|turn| turn.impatient.get());
        if woken != 0 && !impatient && waiting.skipped < SKIPS {
            waiting.skipped += 1;
            self.state.store(QUEUED | WOKEN, Release);
            return;
        }
        waiting.skipped = 0;
        let wake = loop {
            let Some(node) = waiting.queue.pop() else {
                self.state.store(0, Release);
                return;
            };
            // SAFETY: just taken out under the lock: alive until the claim (invariant 6).
            let turn = unsafe { &(*node).payload };
            let (hand_over, next_worker) = (turn.impatient.get(), turn.worker_id);
            turn.handed.set(hand_over);
            // SAFETY: as above.
            if let Claim::Won(wake) = unsafe { Node::claim(node) } {
                let rest = if waiting.queue.is_empty() { 0 } else { QUEUED };
                let state = if hand_over { rest | woken | next_worker | LOCKED } else { rest | WOKEN };
                // Ours to write (invariant 3).
                self.state.store(state, Release);
                break wake;
            }
        };
        drop(waiting);
        drop(wake);
    }
}
