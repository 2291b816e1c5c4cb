//! `WaitGroup`: a count of members, and a queue of threads that wait for it to become zero.
//!
//! Invariants:
//! 1. `members` is the number of values of `WaitGroup` for the group. A new member is made from an
//!    existing one, so the count never changes again when it is zero.
//! 2. A thread pushes its node only if it sees, under the queue's lock, that the count is not zero.
//!    The thread that makes the count zero takes that lock afterwards, and wakes all queued
//!    threads.
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
use crate::task::{
    cancel,
    wait::{Outcome, Reason, Waiter},
};

/// A group of threads, for whose work another thread can wait.
///
/// Each value of this type is a *member* of its group, and cloning it adds a member. Each thread
/// owns a member, and drops it when its work is done. [`wait`](WaitGroup::wait) drops the caller's
/// member and waits until the group has no members. The name and the idea are Go's. The API is that
/// of the crate `crossbeam`: members are counted automatically.
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
    /// Creates a group with one member, the returned value.
    ///
    /// # Examples
    ///
    /// ```
    /// greenthread::sync::WaitGroup::new().wait(); // There is no other member.
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Group { members: AtomicUsize::new(1), waiting: SpinLock::new(Queue::new()) }))
    }

    /// Drops this member, and waits until all other members have been dropped. Everything that a
    /// thread did before it dropped its member is visible to the caller afterwards.
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
        // SAFETY: the node is in no queue. This function keeps the node until it has been dequeued
        // and claimed, or dequeues it below (invariant 3).
        unsafe { waiting.push(&node) };
        drop(waiting);
        if waiter.wait_cancellable(Reason::WaitGroup, None) == Outcome::Cancelled {
            // SAFETY: the node is this thread's own, and was put into this queue and no other.
            unsafe { group.waiting.lock().remove(&node) };
            cancel::unwind();
        }
    }
}

impl Clone for WaitGroup {
    /// Adds a member to the group.
    fn clone(&self) -> Self {
        self.0.members.fetch_add(1, Relaxed);
        Self(Arc::clone(&self.0))
    }
}

impl Drop for WaitGroup {
    /// Removes this member. If it is the last one, wakes the waiting threads.
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
