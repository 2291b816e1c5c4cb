//! `Barrier`: a count, and a queue of the threads that have arrived.
//!
//! Invariants:
//! 1. `count` is the number of queued threads. It is less than the number of threads that the
//!    barrier is for. The thread that would make the two equal wakes all queued threads instead,
//!    and the next round begins.
//! 2. The nodes obey the invariants of `wait_queue`.

use core::fmt;

use super::{
    raw::spin::SpinLock,
    wait_queue::{Node, Queue},
};
use crate::{
    opaque_debug::opaque_debug,
    task::{
        cancel,
        wait::{Outcome, Reason, Waiter},
    },
};

/// A barrier, at which a fixed number of threads wait for each other. This is
/// [`std::sync::Barrier`] for green threads.
///
/// A barrier may be used again at once: a thread of the next round is never taken for one of this
/// round.
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
    arrivals: SpinLock<Arrivals>,
}

/// The threads that have arrived in the current round.
struct Arrivals {
    count: usize,
    queue: Queue<()>,
}

/// The result of [`Barrier::wait`]. It says whether the thread is the leader of its round.
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
    /// Creates a barrier for `n` threads. If `n` is 0 or 1, [`wait`](Barrier::wait) never blocks.
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
        Self { threads: n, arrivals: SpinLock::new(Arrivals { count: 0, queue: Queue::new() }) }
    }

    /// Waits until all threads of this round have called `wait`. The last of them is the leader of
    /// the round.
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
        let mut arrivals = self.arrivals.lock();
        arrivals.count += 1;
        if arrivals.count < self.threads {
            // SAFETY: the node is in no queue. This function keeps the node until it has been
            // dequeued and claimed, or dequeues it below (invariant 2).
            unsafe { arrivals.queue.push(&node) };
            drop(arrivals);
            if waiter.wait_cancellable(Reason::Barrier, None) == Outcome::Cancelled {
                let mut arrivals = self.arrivals.lock();
                // SAFETY: the node is this thread's own, and was put into this queue and no other.
                if unsafe { arrivals.queue.remove(&node) } {
                    arrivals.count -= 1;
                    drop(arrivals);
                    cancel::unwind();
                }
                // The last thread has come meanwhile, and has counted this one.
            }
            return BarrierWaitResult(false);
        }
        arrivals.count = 0;
        let wakes = arrivals.queue.claim_all();
        drop(arrivals);
        drop(wakes);
        BarrierWaitResult(true)
    }
}

opaque_debug!(Barrier);

impl BarrierWaitResult {
    /// Whether this thread is the leader of its round. Each round has exactly one leader.
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
