//! `Barrier`: a count, and a queue of those who have come.
//!
//! Invariants:
//! 1. As many threads are in the queue as are counted, and always fewer than the barrier is for.
//!    The one that would fill it wakes all others, and the next round begins.
//! 2. The nodes obey the invariants of `wait_queue`.

use core::fmt;

use super::{
    raw::spin::SpinLock,
    wait_queue::{Node, Queue},
};
use crate::{
    opaque_debug::opaque_debug,
    task::wait::{Reason, Waiter},
};

/// A place where a number of threads wait for each other: [`std::sync::Barrier`] for green threads.
///
/// It may be used again at once: the threads of the next round can't get among those of this one.
///
/// # Examples
///
/// ```
/// use greenthread::{sync::Barrier, thread};
///
/// let barrier = Barrier::new(3);
/// let leaders = thread::scope(|s| {
///     let threads: Vec<_> = (0..3).map(|_| s.spawn(|| barrier.wait().is_leader())).collect();
///     threads.into_iter().map(|thread| thread.join().unwrap()).filter(|&leads| leads).count()
/// });
/// assert_eq!(leaders, 1);
/// ```
pub struct Barrier {
    threads: usize,
    come: SpinLock<Come>,
}

struct Come {
    count: usize,
    queue: Queue<()>,
}

/// Which of the threads of a round this one is.
///
/// Made by [`Barrier::wait`].
///
/// # Examples
///
/// ```
/// use greenthread::sync::{Barrier, BarrierWaitResult};
///
/// let result: BarrierWaitResult = Barrier::new(1).wait();
/// assert!(result.is_leader());
/// ```
pub struct BarrierWaitResult(bool);

impl Barrier {
    /// A barrier for `n` threads. For one thread, or none, it is open.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::Barrier;
    ///
    /// static START: Barrier = Barrier::new(1);
    /// START.wait();
    /// ```
    #[inline]
    #[must_use]
    pub const fn new(n: usize) -> Self {
        Self { threads: n, come: SpinLock::new(Come { count: 0, queue: Queue::new() }) }
    }

    /// Waits until all threads of this round have come. One of them, the last to come, is the
    /// leader.
    ///
    /// Blocks the calling thread, green or OS.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::Barrier, thread};
    ///
    /// let barrier = Barrier::new(2);
    /// thread::scope(|s| {
    ///     s.spawn(|| barrier.wait());
    ///     barrier.wait();
    /// });
    /// ```
    pub fn wait(&self) -> BarrierWaitResult {
        let waiter = Waiter::new();
        let node = Node::new(&waiter, ());
        let mut come = self.come.lock();
        come.count += 1;
        if come.count < self.threads {
            // SAFETY: it stays until it has been taken out and claimed, as the wait has no deadline
            // (invariant 2).
            unsafe { come.queue.push(&node) };
            drop(come);
            waiter.wait(Reason::Barrier, None);
            return BarrierWaitResult(false);
        }
        come.count = 0;
        let wakes = come.queue.claim_all();
        drop(come);
        drop(wakes);
        BarrierWaitResult(true)
    }
}

opaque_debug!(Barrier);

impl BarrierWaitResult {
    /// Whether this thread is the leader of its round: there is exactly one.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::Barrier;
    ///
    /// assert!(Barrier::new(1).wait().is_leader());
    /// ```
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.0
    }
}

impl fmt::Debug for BarrierWaitResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarrierWaitResult").field("is_leader", &self.is_leader()).finish()
    }
}
