//! The raw semaphore.
//!
//! # States
//!
//! The state is one word: the number of available permits, and the flag QUEUED. A *queued* thread
//! is one whose node is in the queue. It sleeps until it has been *granted* the permits that it
//! wants.
//!
//! # Transitions
//!
//! * `acquire` without QUEUED, and with enough permits, is a single exchange. Otherwise the thread
//!   is queued and sleeps.
//! * `release` without QUEUED is a single exchange. With QUEUED it takes the queue's lock, adds the
//!   permits, and grants the first threads in the queue what they want, until the permits don't
//!   suffice for the next one. So no thread overtakes another, and a woken thread has its permits
//!   already.
//!
//! # Invariants
//!
//! 1. QUEUED is set if the queue is not empty. Both change under the queue's lock only. While
//!    QUEUED is set, the number of permits also changes under that lock only.
//! 2. While no thread holds the queue's lock, the first thread in the queue wants more permits than
//!    are available.
//! 3. `release` releases. Taking permits acquires, for oneself or for another thread. A grant is
//!    made before the thread's wait is claimed, and undone if the claim is lost.
//! 4. The nodes obey the invariants of `wait_queue`.

use std::time::Instant;

use super::{
    atomic::{
        AtomicUsize,
        Ordering::{Acquire, Relaxed, Release},
    },
    const_fn,
    spin::{SpinGuard, SpinLock},
    wait_queue::{Node, Queue},
};
use crate::task::{
    cancel,
    wait::{Outcome, Reason, Waiter},
};

/// State flag: the queue is not empty, or a thread is about to see whether it is.
const QUEUED: usize = 1;
/// One available permit.
const ONE: usize = 2;

/// The largest number of permits that the state can hold.
pub(crate) const MAX: usize = usize::MAX / ONE;

/// A semaphore. A node's payload is the number of permits that its thread wants, times `ONE`.
pub(crate) struct RawSemaphore {
    state: AtomicUsize,
    waiting: SpinLock<Queue<usize>>,
}

impl RawSemaphore {
    const_fn! {
        /// A semaphore with `permits` available permits. `permits` is at most `MAX`.
        pub(crate) const fn new(permits: usize) -> Self {
            Self { state: AtomicUsize::new(permits * ONE), waiting: SpinLock::new(Queue::new()) }
        }
    }

    /// The number of available permits.
    pub(crate) fn available(&self) -> usize {
        self.state.load(Acquire) / ONE
    }

    /// Takes `permits` permits if they are available and no thread is queued. Returns whether it
    /// has taken them.
    #[inline]
    pub(crate) fn try_acquire(&self, permits: usize) -> bool {
        let mut seen = self.state.load(Relaxed);
        while seen & QUEUED == 0 && seen / ONE >= permits {
            match self.state.compare_exchange_weak(seen, seen - permits * ONE, Acquire, Relaxed) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    }

    /// Takes `permits` permits, and waits for them until the deadline. Returns whether it has taken
    /// them.
    #[inline]
    pub(crate) fn acquire_until(&self, permits: usize, deadline: Option<Instant>) -> bool {
        self.try_acquire(permits) || self.acquire_slow(permits, deadline)
    }

    #[cold]
    fn acquire_slow(&self, permits: usize, deadline: Option<Instant>) -> bool {
        let waiter = Waiter::new();
        let node = Self::node(&waiter, permits);
        // SAFETY: this function keeps the node until it has been dequeued and claimed, or dequeues
        // it below (invariant 4).
        if unsafe { self.acquire_or_queue(&node, || {}) } {
            return true;
        }
        let outcome = waiter.wait_cancellable(Reason::Semaphore, deadline);
        if outcome != Outcome::Woken {
            // SAFETY: the node is this thread's own, and was put into this queue and no other.
            unsafe { self.leave(&node) };
        }
        if outcome == Outcome::Cancelled {
            cancel::unwind();
        }
        outcome == Outcome::Woken
    }

    /// The node of a waiter that wants `permits` permits.
    pub(crate) fn node(waiter: &Waiter, permits: usize) -> Node<usize> {
        Node::new(waiter, permits * ONE)
    }

    /// Takes the permits that the node's waiter wants if it can, and returns `true`. Otherwise
    /// queues the node, calls `queued` while the queue is still locked, and returns `false`.
    ///
    /// # Safety
    /// The node is in no queue, and the caller keeps invariant 4.
    pub(crate) unsafe fn acquire_or_queue(&self, node: &Node<usize>, queued: impl FnOnce()) -> bool {
        let wanted = node.payload;
        let mut waiting = self.waiting.lock();
        let mut seen = self.state.load(Relaxed);
        loop {
            let enough = seen & QUEUED == 0 && seen >= wanted;
            let next = if enough { seen - wanted } else { seen | QUEUED };
            match self.state.compare_exchange_weak(seen, next, Acquire, Relaxed) {
                Ok(_) if enough => return true,
                Ok(_) => break,
                Err(now) => seen = now,
            }
        }
        // SAFETY: the caller vouches for the node.
        unsafe { waiting.push(node) };
        queued();
        false
    }

    /// Takes a node out of the queue whose waiter does not wait any more. Returns `false` if it was
    /// not there: then it has been granted its permits.
    ///
    /// # Safety
    /// The node is the caller's own, and was put into this queue and no other.
    pub(crate) unsafe fn leave(&self, node: &Node<usize>) -> bool {
        let mut waiting = self.waiting.lock();
        // SAFETY: the caller vouches for the node.
        let was_queued = unsafe { waiting.remove(node) };
        // The next thread in the queue may want fewer permits than this one.
        self.grant(waiting);
        was_queued
    }

    /// Adds `permits` permits. Returns `false`, and changes nothing, if the number of permits would
    /// exceed `MAX`.
    #[inline]
    pub(crate) fn release(&self, permits: usize) -> bool {
        let mut seen = self.state.load(Relaxed);
        loop {
            if permits > MAX - seen / ONE {
                return false;
            }
            if seen & QUEUED != 0 {
                return self.release_slow(permits);
            }
            match self.state.compare_exchange_weak(seen, seen + permits * ONE, Release, Relaxed) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
    }

    #[cold]
    fn release_slow(&self, permits: usize) -> bool {
        let waiting = self.waiting.lock();
        let mut seen = self.state.load(Relaxed);
        loop {
            if permits > MAX - seen / ONE {
                return false;
            }
            match self.state.compare_exchange_weak(seen, seen + permits * ONE, Release, Relaxed) {
                Ok(_) => break,
                Err(now) => seen = now,
            }
        }
        self.grant(waiting);
        true
    }

    /// Removes up to `permits` available permits for good. Returns how many it has removed.
    pub(crate) fn forget(&self, permits: usize) -> usize {
        let _waiting = self.waiting.lock();
        let mut seen = self.state.load(Relaxed);
        loop {
            let gone = permits.min(seen / ONE);
            match self.state.compare_exchange_weak(seen, seen - gone * ONE, Acquire, Relaxed) {
                Ok(_) => return gone,
                Err(now) => seen = now,
            }
        }
    }

    /// Grants the first threads in the queue the permits that they want, until the permits don't
    /// suffice for the next one.
    fn grant(&self, mut waiting: SpinGuard<'_, Queue<usize>>) {
        let wakes = waiting.claim_while(
            |&wanted| {
                // No other thread changes the number of permits (invariant 1).
                let enough = self.state.load(Relaxed) & !QUEUED >= wanted;
                if enough {
                    self.state.fetch_sub(wanted, Acquire);
                }
                enough
            },
            |&wanted| {
                self.state.fetch_add(wanted, Release);
            },
        );
        if waiting.is_empty() {
            self.state.fetch_and(!QUEUED, Relaxed);
        }
        drop(waiting);
        drop(wakes);
    }
}
