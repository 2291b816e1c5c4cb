//! The states of a semaphore, and the only ways from one to the next.
//!
//! The state is one word: how many permits there are, and whether threads are queued for more
//! (QUEUED).
//!
//! * `acquire`: without QUEUED, and with permits enough, a single exchange. Otherwise it queues,
//!   and sleeps.
//! * `release`: without QUEUED, a single exchange. Otherwise, under the queue's lock, the permits
//!   are added, and the threads at the front get theirs, as far as the permits go. So nobody is
//!   passed, and a thread that is woken is done.
//!
//! Invariants:
//! 1. QUEUED is set if the queue is not empty; both change under the queue's lock only. While it is
//!    set so do the permits.
//! 2. When the queue's lock is free, the first thread in the queue wants more than there are
//!    permits.
//! 3. Releasing releases, and taking permits, for oneself or for another, acquires. A grant is made
//!    before its claim, and undone if that is lost.
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
use crate::task::wait::{Reason, Waiter};

const QUEUED: usize = 1;
/// One permit.
const ONE: usize = 2;

/// The largest number of permits.
pub(crate) const MAX: usize = usize::MAX / ONE;

/// A semaphore. What waits in the queue wants so many permits, times ONE.
pub(crate) struct RawSemaphore {
    state: AtomicUsize,
    waiting: SpinLock<Queue<usize>>,
}

impl RawSemaphore {
    const_fn! {
        /// One with so many permits, which are at most `MAX`.
        pub(crate) const fn new(permits: usize) -> Self {
            Self { state: AtomicUsize::new(permits * ONE), waiting: SpinLock::new(Queue::new()) }
        }
    }

    /// How many permits there are.
    pub(crate) fn available(&self) -> usize {
        self.state.load(Acquire) / ONE
    }

    /// Takes so many permits if they are there, and nobody is queued.
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

    /// Takes so many permits, and waits for them until the deadline at most; whether it has.
    #[inline]
    pub(crate) fn acquire_until(&self, permits: usize, deadline: Option<Instant>) -> bool {
        self.try_acquire(permits) || self.acquire_slow(permits, deadline)
    }

    #[cold]
    fn acquire_slow(&self, permits: usize, deadline: Option<Instant>) -> bool {
        let waiter = Waiter::new();
        let node = Node::new(&waiter, permits * ONE);
        let mut waiting = self.waiting.lock();
        let mut seen = self.state.load(Relaxed);
        loop {
            let enough = seen & QUEUED == 0 && seen / ONE >= permits;
            let next = if enough { seen - permits * ONE } else { seen | QUEUED };
            match self.state.compare_exchange_weak(seen, next, Acquire, Relaxed) {
                Ok(_) if enough => return true,
                Ok(_) => break,
                Err(now) => seen = now,
            }
        }
        // SAFETY: it stays until it has been taken out and claimed, or is taken out below
        // (invariant 4).
        unsafe { waiting.push(&node) };
        drop(waiting);
        let granted = waiter.wait(Reason::Semaphore, deadline);
        if !granted {
            let mut waiting = self.waiting.lock();
            // SAFETY: our own, put into this queue.
            unsafe { waiting.remove(&node) };
            // Those behind may want less.
            self.grant(waiting);
        }
        granted
    }

    /// Adds so many permits; `false`, and nothing done, if there would be too many.
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

    /// Takes at most so many permits away for ever; how many.
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

    /// Gives the threads at the front what they want, as far as the permits go.
    fn grant(&self, mut waiting: SpinGuard<'_, Queue<usize>>) {
        let wakes = waiting.claim_while(
            |&wanted| {
                // Nobody else takes permits (invariant 1).
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
