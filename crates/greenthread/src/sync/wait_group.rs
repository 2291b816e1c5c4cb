//! `WaitGroup`: a count of members, and a queue of those who wait for it to be zero.
//!
//! Invariants:
//! 1. The count is that of the members that there are. A new member is made from an old one, so the
//!    count never leaves zero again.
//! 2. A thread queues itself only if it sees, under the queue's lock, that the count isn't zero.
//!    Whoever makes it zero takes that lock afterwards, and wakes the queue.
//! 3. The nodes obey the invariants of `wait_queue`.

use core::{
    fmt,
    sync::atomic::{
        AtomicUsize,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
};
use std::sync::Arc;

use super::{
    raw::spin::SpinLock,
    wait_queue::{Node, Queue},
};
use crate::task::wait::{Reason, Waiter};

/// Waits for a number of threads to be done with something.
///
/// Each thread has a clone, and drops it when it is done. [`wait`](WaitGroup::wait) gives up one's
/// own and waits until all are gone. (The name and the idea are Go's, the shape is the crate
/// `crossbeam`'s: nobody can forget to count.)
///
/// # Examples
///
/// ```
/// use greenthread::{sync::WaitGroup, thread};
/// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
///
/// static DONE: AtomicU32 = AtomicU32::new(0);
///
/// let group = WaitGroup::new();
/// for _ in 0..4 {
///     let member = group.clone();
///     thread::spawn(move || {
///         DONE.fetch_add(1, Relaxed);
///         drop(member);
///     });
/// }
/// group.wait();
/// assert_eq!(DONE.load(Relaxed), 4);
/// ```
pub struct WaitGroup(Arc<Group>);

struct Group {
    members: AtomicUsize,
    waiting: SpinLock<Queue<()>>,
}

impl WaitGroup {
    /// A group with one member, the caller's.
    ///
    /// # Examples
    ///
    /// ```
    /// greenthread::sync::WaitGroup::new().wait(); // There is nobody else.
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Group { members: AtomicUsize::new(1), waiting: SpinLock::new(Queue::new()) }))
    }

    /// Gives this member up, and waits until all others are gone. What their threads did before is
    /// seen then.
    ///
    /// Blocks the calling thread, green or OS. Several threads may wait at a time.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::WaitGroup, thread};
    ///
    /// let group = WaitGroup::new();
    /// let member = group.clone();
    /// thread::spawn(move || drop(member));
    /// group.wait();
    /// ```
    pub fn wait(self) {
        let group = Arc::clone(&self.0);
        drop(self);
        if group.members.load(Acquire) == 0 {
            return;
        }
        let waiter = Waiter::new();
        let node = Node::new(&waiter, ());
        let mut waiting = group.waiting.lock();
        if group.members.load(Acquire) == 0 {
            return;
        }
        // SAFETY: it stays until it has been taken out and claimed, as the wait has no deadline
        // (invariant 3).
        unsafe { waiting.push(&node) };
        drop(waiting);
        waiter.wait(Reason::WaitGroup, None);
    }
}

impl Clone for WaitGroup {
    /// One more member.
    fn clone(&self) -> Self {
        self.0.members.fetch_add(1, Relaxed);
        Self(Arc::clone(&self.0))
    }
}

impl Drop for WaitGroup {
    /// One member less.
    fn drop(&mut self) {
        if self.0.members.fetch_sub(1, AcqRel) == 1 {
            let wakes = self.0.waiting.lock().claim_all();
            drop(wakes);
        }
    }
}

impl Default for WaitGroup {
    /// The same as [`WaitGroup::new`].
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for WaitGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitGroup").field("members", &self.0.members.load(Relaxed)).finish()
    }
}
