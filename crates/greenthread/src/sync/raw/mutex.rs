//! The raw mutex.
//!
//! # States
//!
//! The state is one word of three flags and a worker id.
//!
//! ```text
//!   0                        free, with an empty queue
//!   LOCKED | worker_id       held; `worker_id` is the holder's worker, 0 for an OS thread
//!   .. | QUEUED              there may be queued threads
//!   .. | WOKEN               there is a woken thread
//! ```
//!
//! * A *free* mutex is one without LOCKED. A *held* mutex is one with LOCKED.
//! * A *queued* thread is one whose node is in the queue. It sleeps.
//! * A *woken* thread is one that an unlock took out of the queue to try again. It is woken until
//!   it has taken the lock or is queued again.
//! * A *starving* thread is one that other threads have overtaken for too long (`fairness`).
//!
//! The worker id tells a thread whether spinning can help. If the holder is a green thread of the
//! spinning thread's own worker, the holder can't run while the other one spins.
//!
//! # Transitions
//!
//! * `lock` takes a free mutex: 0 becomes LOCKED in one exchange. If the mutex is held, the thread
//!   spins for a while, unless the holder is a green thread of the same worker. Then the thread is
//!   queued and sleeps.
//! * `unlock` frees a mutex without QUEUED: the state becomes 0 in one exchange. With QUEUED it
//!   takes the queue's lock and dequeues the first thread. A starving thread is *handed* the lock:
//!   LOCKED stays set. Any other thread is woken to *try*: LOCKED is cleared, and a thread that is
//!   running may take the lock first. This is barging. It makes a busy lock fast, because the lock
//!   need not stay idle until the woken thread runs.
//! * While WOKEN is set, up to `SKIPS` unlocks in a row wake no further thread, unless the first
//!   one in the queue is starving. One woken thread is enough, unless its worker is busy with other
//!   threads.
//!
//! # Invariants
//!
//! 1. LOCKED is set by the thread that holds the lock from then on, or on its behalf by the thread
//!    that hands the lock over. Only the holder clears LOCKED or hands the lock over. `lock`
//!    acquires what the last `unlock` released. In a handover the claim of the waiter releases and
//!    acquires instead.
//! 2. QUEUED is set if the queue is not empty. Both change under the queue's lock only. QUEUED may
//!    stay set for an empty queue after a queued thread has given up. That only makes the next
//!    unlocks slower.
//! 3. A thread that holds both the mutex and the queue's lock owns the state. Other threads change
//!    a LOCKED state in `enqueue` and `give_up` only, and both hold the queue's lock there. So
//!    `unlock_slow` may write the state with a plain store.
//! 4. No wake-up is lost. A thread sets QUEUED under the queue's lock, in an exchange that sees
//!    LOCKED, and pushes its node before it releases that lock. The holder's `unlock` then finds
//!    QUEUED, takes the queue's lock, and finds the node.
//! 5. A woken thread clears WOKEN when it takes the lock or is queued again. A woken thread that
//!    takes the lock wakes the next thread when it unlocks. WOKEN may be cleared too early (an
//!    unlock without QUEUED clears it too). That is harmless, because WOKEN only suppresses
//!    wake-ups.
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

/// State flag: a thread holds the mutex.
pub(crate) const LOCKED: usize = 1;
/// State flag: there may be queued threads.
const QUEUED: usize = 2;
/// State flag: there is a woken thread.
const WOKEN: usize = 4;
/// Mask of the state bits that hold the id of the holder's worker.
const WORKER_ID: usize = !7;

/// Number of consecutive unlocks that wake no thread while WOKEN is set. With a larger number, the
/// queue waits longer for a woken thread whose worker is busy. With a smaller one, more threads are
/// woken only to find the mutex held.
const SKIPS: u32 = 32;

/// A mutex that guards no value.
pub(crate) struct RawMutex {
    pub(crate) state: AtomicUsize,
    waiting: SpinLock<Waiting>,
}

/// The data that the queue's lock guards.
struct Waiting {
    queue: Queue<QueuedThread>,
    /// The ticket of the next thread that is queued for the first time.
    next_ticket: u32,
    /// Number of unlocks since the last one that woke a thread (see `SKIPS`).
    skipped: u32,
}

/// The payload of a queued thread's node.
struct QueuedThread {
    /// The thread's position in the order of arrival. A woken thread that is queued again goes in
    /// front of all threads with later tickets.
    ticket: Cell<u32>,
    /// The id of the thread's worker, 0 for an OS thread.
    worker_id: usize,
    /// Whether the next unlock hands the lock to this thread.
    starving: Cell<bool>,
    /// Whether this thread was handed the lock.
    handed: Cell<bool>,
}

impl RawMutex {
    const_fn! {
        /// A free mutex.
        pub(crate) const fn new() -> Self {
            let waiting = Waiting { queue: Queue::new(), next_ticket: 0, skipped: 0 };
            Self { state: AtomicUsize::new(0), waiting: SpinLock::new(waiting) }
        }
    }

    /// Takes the lock, and waits for it if need be. `worker_id` identifies the caller's worker; an
    /// OS thread passes 0. The lowest three bits of `worker_id` are ignored.
    #[inline]
    pub(crate) fn lock(&self, worker_id: usize) {
        self.lock_until(worker_id, None);
    }

    /// Like `lock`, but gives up at the deadline. Returns whether it has taken the lock.
    #[inline]
    pub(crate) fn lock_until(&self, worker_id: usize, deadline: Option<Instant>) -> bool {
        self.try_fast(worker_id) || self.lock_slow(worker_id & WORKER_ID, deadline)
    }

    #[inline]
    fn try_fast(&self, worker_id: usize) -> bool {
        self.state.compare_exchange(0, worker_id & WORKER_ID | LOCKED, Acquire, Relaxed).is_ok()
    }

    /// Takes the lock if it is free. Returns whether it has taken the lock.
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
        // Most callers get the lock while they spin. Only the others pay for a node.
        self.spin(worker_id, 0) || self.wait(worker_id, deadline)
    }

    /// Spins: tries to take the lock whenever it is free, and backs off `SPINS` times at most while
    /// it is held. Returns whether it has taken the lock. `woken` is WOKEN if the caller is a woken
    /// thread, which clears that flag as it takes the lock; otherwise 0.
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
        let thread = QueuedThread {
            ticket: Cell::new(0),
            worker_id,
            starving: Cell::new(false),
            handed: Cell::new(false),
        };
        let node = Node::new(&waiter, thread);
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
                // The thread was woken to try, so its node is out of the queue, and no other thread
                // has a pointer to its waiter. The waiter may be used again.
                waiter.reset();
                node.payload.starving.set(fairness.lost());
                again = true;
            }
            if self.spin(worker_id, if again { WOKEN } else { 0 }) {
                return true;
            }
        }
    }

    /// Dequeues the node of a thread whose wait has timed out. No other thread needs to
    /// be woken for this: the holder or a woken thread will wake the threads that are still queued.
    fn give_up(&self, node: &Node<QueuedThread>) {
        let mut waiting = self.waiting.lock();
        // SAFETY: the node is this thread's own, and `enqueue` put it into this queue and no other.
        unsafe { waiting.queue.remove(node) };
        if waiting.queue.is_empty() {
            self.state.fetch_and(!QUEUED, Relaxed);
        }
    }

    /// Puts the node into the queue, unless the lock is free now. Returns whether it did. `again`
    /// means that the caller is a woken thread.
    fn enqueue(&self, node: &Node<QueuedThread>, again: bool) -> bool {
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
            let is_later = |other: &QueuedThread| other.ticket.get().wrapping_sub(ticket) as i32 > 0;
            // SAFETY: the node is in no queue. `wait` keeps it until it has been dequeued and
            // claimed, or dequeues it (invariant 6).
            unsafe { waiting.queue.insert(node, is_later) };
        } else {
            node.payload.ticket.set(waiting.next_ticket);
            waiting.next_ticket = waiting.next_ticket.wrapping_add(1);
            // SAFETY: the node is in no queue. `wait` keeps it until it has been dequeued and
            // claimed, or dequeues it (invariant 6).
            unsafe { waiting.queue.push(node) };
        }
        true
    }

    /// Releases the lock.
    ///
    /// # Safety
    /// The caller holds the lock.
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
        let starving = waiting.queue.front().is_some_and(|thread| thread.starving.get());
        if woken != 0 && !starving && waiting.skipped < SKIPS {
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
            // SAFETY: this thread dequeued the node under the queue's lock, so the node is alive
            // until the claim (invariant 6).
            let thread = unsafe { &(*node).payload };
            let (hand_over, next_worker) = (thread.starving.get(), thread.worker_id);
            thread.handed.set(hand_over);
            // SAFETY: this thread dequeued the node, and still holds the queue's lock.
            if let Claim::Won(wake) = unsafe { Node::claim(node) } {
                let rest = if waiting.queue.is_empty() { 0 } else { QUEUED };
                let state = if hand_over { rest | woken | next_worker | LOCKED } else { rest | WOKEN };
                // A plain store: this thread owns the state (invariant 3).
                self.state.store(state, Release);
                break wake;
            }
        };
        drop(waiting);
        drop(wake);
    }
}
