//! The raw condition variable: a queue of threads that have released a mutex and wait to be
//! notified.
//!
//! # States and transitions
//!
//! A *waiting* thread is one whose node is in the queue. `wait` pushes the node, releases the
//! mutex, and sleeps. A notification dequeues the node and claims the thread's wait. A thread whose
//! deadline passes first dequeues its own node. In both cases the thread then locks the mutex
//! again.
//!
//! # Invariants
//!
//! 1. A thread pushes its node while it still holds the mutex. So no notification falls between
//!    unlocking and waiting: a thread that changes the condition with the mutex held, and notifies
//!    after that, finds the node in the queue.
//! 2. `occupied` says whether the queue is not empty. It changes under the queue's lock. A notifier
//!    may read it without that lock: a thread that the notifier must wake pushed its node before
//!    the notifier got the mutex, and the mutex orders the two.
//! 3. The nodes obey the invariants of `wait_queue`.
//! 4. A notification ends the wait of exactly one thread. A thread whose time has run out is
//!    skipped, because the notifier's claim on it is lost.

use std::time::Instant;

use super::{
    atomic::{AtomicBool, Ordering::Relaxed},
    const_fn,
    mutex::RawMutex,
    spin::SpinLock,
    wait_queue::{Node, Queue},
};
use crate::task::{
    cancel,
    wait::{Outcome, Reason, Waiter},
};

/// A condition variable for raw mutexes.
pub(crate) struct RawCondvar {
    waiting: SpinLock<Queue<()>>,
    occupied: AtomicBool,
}

impl RawCondvar {
    const_fn! {
        /// A condition variable on which no thread waits.
        pub(crate) const fn new() -> Self {
            Self { waiting: SpinLock::new(Queue::new()), occupied: AtomicBool::new(false) }
        }
    }

    /// Unlocks the mutex, waits for a notification or the deadline, and locks the mutex again.
    /// Returns whether the thread was notified.
    ///
    /// # Safety
    /// The caller holds the mutex, and does not access the data that it guards before this returns.
    pub(crate) unsafe fn wait(&self, mutex: &RawMutex, worker_id: usize, deadline: Option<Instant>) -> bool {
        // Locks the mutex again even if the wait unwinds: the caller relies on holding it.
        struct Relock<'a>(&'a RawMutex, usize);
        impl Drop for Relock<'_> {
            fn drop(&mut self) {
                self.0.lock(self.1);
            }
        }
        let waiter = Waiter::new();
        let node = Node::new(&waiter, ());
        let mut waiting = self.waiting.lock();
        // SAFETY: the node is in no queue. This function keeps it until it has been dequeued and
        // claimed, or dequeues it below (invariant 3).
        unsafe { waiting.push(&node) };
        self.occupied.store(true, Relaxed);
        drop(waiting);
        // SAFETY: the caller holds the mutex.
        unsafe { mutex.unlock() };
        let _relock = Relock(mutex, worker_id);
        let outcome = waiter.wait_cancellable(Reason::Condvar, deadline);
        if outcome != Outcome::Woken {
            let mut waiting = self.waiting.lock();
            // SAFETY: the node is this thread's own, and was put into this queue and no other.
            unsafe { waiting.remove(&node) };
            self.occupied.store(!waiting.is_empty(), Relaxed);
        }
        if outcome == Outcome::Cancelled {
            cancel::unwind();
        }
        outcome == Outcome::Woken
    }

    /// Wakes the thread that has waited longest, if any thread waits.
    pub(crate) fn notify_one(&self) {
        if self.occupied.load(Relaxed) {
            let mut waiting = self.waiting.lock();
            let wake = waiting.claim_first();
            self.occupied.store(!waiting.is_empty(), Relaxed);
            drop(waiting);
            drop(wake);
        }
    }

    /// Wakes all threads that wait at this moment.
    pub(crate) fn notify_all(&self) {
        if self.occupied.load(Relaxed) {
            let mut waiting = self.waiting.lock();
            let wakes = waiting.claim_all();
            self.occupied.store(false, Relaxed);
            drop(waiting);
            drop(wakes);
        }
    }
}
