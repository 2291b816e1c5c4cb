//! What a condition variable is without its mutex's type: a queue of threads that have let go of a
//! mutex.
//!
//! Invariants:
//! 1. A thread queues itself while it still holds the mutex. So whoever changes the condition with
//!    the mutex held and notifies after that finds it in the queue: no notification falls between
//!    unlocking and waiting.
//! 2. `occupied` says whether the queue has anyone in it, and changes under the queue's lock. A
//!    notifier may read it without: a thread that it must wake had queued itself before the
//!    notifier got the mutex, which orders the two.
//! 3. The nodes obey the invariants of `wait_queue`.
//! 4. A notification ends the wait of exactly one thread: one whose time has run out is passed over
//!    (its claim is lost).

use std::time::Instant;

use super::{
    atomic::{AtomicBool, Ordering::Relaxed},
    const_fn,
    mutex::RawMutex,
    spin::SpinLock,
    wait_queue::{Node, Queue},
};
use crate::task::wait::{Reason, Waiter};

/// A condition variable for raw mutexes.
pub(crate) struct RawCondvar {
    waiting: SpinLock<Queue<()>>,
    occupied: AtomicBool,
}

impl RawCondvar {
    const_fn! {
        /// One that nobody waits for.
        pub(crate) const fn new() -> Self {
            Self { waiting: SpinLock::new(Queue::new()), occupied: AtomicBool::new(false) }
        }
    }

    /// Unlocks the mutex, waits for a notification or the deadline, and locks the mutex again.
    /// `true` if it was notified.
    ///
    /// # Safety
    /// The caller holds the mutex, and touches nothing that it guards before this returns.
    pub(crate) unsafe fn wait(&self, mutex: &RawMutex, worker_id: usize, deadline: Option<Instant>) -> bool {
        // Even if the wait should unwind, the caller holds the mutex afterwards.
        struct Relock<'a>(&'a RawMutex, usize);
        impl Drop for Relock<'_> {
            fn drop(&mut self) {
                self.0.lock(self.1);
            }
        }
        let waiter = Waiter::new();
        let node = Node::new(&waiter, ());
        let mut waiting = self.waiting.lock();
        // SAFETY: below it is taken out again unless it was claimed (invariant 3).
        unsafe { waiting.push(&node) };
        self.occupied.store(true, Relaxed);
        drop(waiting);
        // SAFETY: the caller holds it.
        unsafe { mutex.unlock() };
        let _relock = Relock(mutex, worker_id);
        let notified = waiter.wait(Reason::Condvar, deadline);
        if !notified {
            let mut waiting = self.waiting.lock();
            // SAFETY: our own, put into this queue.
            unsafe { waiting.remove(&node) };
            self.occupied.store(!waiting.is_empty(), Relaxed);
        }
        notified
    }

    /// Wakes the thread that has waited longest.
    pub(crate) fn notify_one(&self) {
        if self.occupied.load(Relaxed) {
            let mut waiting = self.waiting.lock();
            let wake = waiting.claim_first();
            self.occupied.store(!waiting.is_empty(), Relaxed);
            drop(waiting);
            drop(wake);
        }
    }

    /// Wakes all that wait at this moment.
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
