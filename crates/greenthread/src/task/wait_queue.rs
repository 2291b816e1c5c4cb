//! A queue of waiting threads, linked through nodes that lie on the waiting stacks: waiting
//! allocates nothing.
//!
//! Invariants:
//! 1. A node is in one queue at most. As long as it is there, the node and its waiter are alive and
//!    don't move: the thread that made them does not return before the node is out of the queue.
//!    Either another thread took it out and claimed its wait, or the thread itself took it out,
//!    under the lock.
//! 2. A queue, and the links and the payload of the nodes in it, are touched under the queue's lock
//!    only.
//! 3. A thread that takes another thread's node out claims its wait before it unlocks. If the claim
//!    is lost (the wait timed out), it may use the node until it unlocks, and no longer: the node's
//!    owner takes the lock before it returns.
//! 4. A claim that is won hands the payload to the node's owner, and the node may be gone at once.
//!    But if the claimer owes a wake-up, the node lives until that is fired, and its `previous`
//!    belongs to the claimer. Its `next` stays null: a future that is dropped in the meantime sees
//!    that its node is in no queue.

use core::{cell::Cell, fmt, marker::PhantomPinned, ptr};

use crate::task::wait::{Claim, Outcome, Waiter, Wake};

/// One thread's place in a queue, and its payload. The fields that other threads touch when they
/// take the node out come first.
#[repr(C)]
pub(crate) struct Node<P> {
    waiter: *const Waiter,
    /// Null while the node is in no queue. In a queue the nodes are a ring: the `next` of the last
    /// one is the first.
    next: Cell<*const Node<P>>,
    /// In a queue the node before this one, in [`Wakes`] the one after it.
    previous: Cell<*const Node<P>>,
    pub(crate) payload: P,
    /// The wake-up that is owed, for nodes in [`Wakes`].
    wake: Cell<Option<Wake>>,
    _pinned: PhantomPinned,
}

impl<P> Node<P> {
    #[inline]
    pub(crate) fn new(waiter: &Waiter, payload: P) -> Self {
        Self {
            waiter,
            next: Cell::new(ptr::null()),
            previous: Cell::new(ptr::null()),
            payload,
            wake: Cell::new(None),
            _pinned: PhantomPinned,
        }
    }

    /// Ends the wait of the node's owner. The caller has written before what the owner shall find
    /// in the payload.
    ///
    /// # Safety
    /// The caller has taken the node out of its queue, and still holds the queue's lock.
    #[inline]
    pub(crate) unsafe fn claim(node: *const Self) -> Claim {
        // SAFETY: the lock keeps it alive until the claim, and its waiter with it (invariants 1,
        // 3).
        unsafe { Waiter::claim((*node).waiter, Outcome::Woken) }
    }
}

/// The queue: one pointer, since the nodes form a ring.
pub(crate) struct Queue<P> {
    first: *const Node<P>,
}

// SAFETY: the payloads of the nodes go from thread to thread, and are `Send`. All else is touched
// under the lock (invariant 2), and a waiter may be claimed from any OS thread.
unsafe impl<P: Send> Send for Queue<P> {}

impl<P> fmt::Debug for Queue<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("first", &self.first).finish()
    }
}

impl<P> Queue<P> {
    pub(crate) const fn new() -> Self {
        Self { first: ptr::null() }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_null()
    }

    /// The payload of the first node.
    #[inline]
    pub(crate) fn front(&self) -> Option<&P> {
        // SAFETY: a node in the queue is alive (invariant 1), and a reference to the queue exists
        // under the lock only (invariant 2).
        unsafe { self.first.as_ref() }.map(|node| &node.payload)
    }

    /// Puts a node at the end.
    ///
    /// # Safety
    /// The node is in no queue, and the caller keeps invariant 1.
    #[inline]
    pub(crate) unsafe fn push(&mut self, node: *const Node<P>) {
        // SAFETY: the caller vouches that the node is in no queue, and keeps it alive.
        unsafe { self.link(node, self.first) };
        if self.first.is_null() {
            self.first = node;
        }
    }

    /// Puts a node before the first one for whose payload `behind` holds.
    ///
    /// # Safety
    /// As for `push`.
    pub(crate) unsafe fn insert(&mut self, node: *const Node<P>, behind: impl Fn(&P) -> bool) {
        let mut at = self.first;
        while !at.is_null() {
            // SAFETY: a node in the queue is alive, and the lock is held (invariants 1, 2).
            let other = unsafe { &*at };
            if behind(&other.payload) {
                break;
            }
            at = other.next.get();
            if at == self.first {
                at = ptr::null();
            }
        }
        // SAFETY: the caller vouches that the node is in no queue, and keeps it alive. (A node
        // before the first one is the last one of the ring.)
        unsafe { self.link(node, if at.is_null() { self.first } else { at }) };
        if at == self.first {
            self.first = node;
        }
    }

    /// Links `node` before `at`. If `at` is null, it links the node with itself.
    #[inline]
    unsafe fn link(&mut self, node: *const Node<P>, at: *const Node<P>) {
        // SAFETY: the caller vouches that the node is alive. Its neighbours are in the queue, so
        // they are alive (invariant 1), and the lock is held (invariant 2).
        unsafe {
            debug_assert!((*node).next.get().is_null());
            let at = if at.is_null() { node } else { at };
            let before = if at == node { node } else { (*at).previous.get() };
            (*node).next.set(at);
            (*node).previous.set(before);
            (*before).next.set(node);
            (*at).previous.set(node);
        }
    }

    /// Takes the first node out. See invariant 3 for what comes next.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<*const Node<P>> {
        let node = self.first;
        if node.is_null() {
            return None;
        }
        // SAFETY: the node is in this queue.
        unsafe { self.unlink(node) };
        Some(node)
    }

    /// Takes `node` out, unless another thread has taken it out before. Returns whether it was
    /// there.
    ///
    /// # Safety
    /// The caller is the node's owner, and has put it into this queue and no other.
    pub(crate) unsafe fn remove(&mut self, node: *const Node<P>) -> bool {
        // SAFETY: the caller owns the node, so it is alive. If it is linked, it is in this queue.
        unsafe {
            let is_linked = !(*node).next.get().is_null();
            if is_linked {
                self.unlink(node);
            }
            is_linked
        }
    }

    #[inline]
    unsafe fn unlink(&mut self, node: *const Node<P>) {
        // SAFETY: the nodes of the queue are alive (invariant 1), and the lock is held (invariant
        // 2).
        unsafe {
            let next = (*node).next.replace(ptr::null());
            let previous = (*node).previous.replace(ptr::null());
            if next == node {
                self.first = ptr::null();
                return;
            }
            (*previous).next.set(next);
            (*next).previous.set(previous);
            if self.first == node {
                self.first = next;
            }
        }
    }

    /// Takes nodes out until a claim is won: that of the first thread whose wait has not ended
    /// otherwise. Returns the wake-up that the caller owes it, if any. `None` if there is no such
    /// thread.
    #[inline]
    pub(crate) fn claim_first(&mut self) -> Option<Option<Wake>> {
        while let Some(node) = self.pop() {
            // SAFETY: the node was just taken out, and `&mut self` exists under the lock only.
            if let Claim::Won(wake) = unsafe { Node::claim(node) } {
                return Some(wake);
            }
        }
        None
    }

    /// Cancels the wait of the first thread. That thread takes itself out of the queue, as after a
    /// timeout. It waits at a cancellation point, and has not parked early.
    #[cfg(test)]
    pub(crate) fn cancel_first(&mut self) -> Option<Claim> {
        // SAFETY: a node in the queue is alive, and `&mut self` exists under the lock only
        // (invariants 1, 2).
        let waiter = unsafe { self.first.as_ref() }?.waiter;
        // SAFETY: the waiter of a node in the queue is alive (invariant 1). The tests cancel only
        // waits that may be cancelled.
        Some(unsafe { Waiter::claim(waiter, Outcome::Cancelled) })
    }

    /// Takes all nodes out and claims the waits. The wake-ups are fired when the result is dropped,
    /// which the caller does after it has unlocked.
    pub(crate) fn claim_all(&mut self) -> Wakes<P> {
        self.claim_while(|_| true, |_| {})
    }

    /// As [`claim_all`](Queue::claim_all), for the first nodes, as long as `wanted` holds for their
    /// payloads. A node whose wait has ended otherwise is taken out too, and `lost` gets its
    /// payload.
    #[inline]
    pub(crate) fn claim_while(
        &mut self,
        mut wanted: impl FnMut(&P) -> bool,
        mut lost: impl FnMut(&P),
    ) -> Wakes<P> {
        let mut wakes = Wakes { first: ptr::null(), last: ptr::null() };
        while self.front().is_some_and(&mut wanted)
            && let Some(node) = self.pop()
        {
            // SAFETY: the node was just taken out, and `&mut self` exists under the lock only.
            match unsafe { Node::claim(node) } {
                // SAFETY: the node's owner takes the lock before it returns (invariant 3).
                Claim::Lost => lost(unsafe { &(*node).payload }),
                Claim::Won(None) => {}
                Claim::Won(Some(wake)) => {
                    // SAFETY: a wake-up is owed, so the node lives, and this link belongs to this
                    // claimer (invariant 4).
                    unsafe {
                        (*node).wake.set(Some(wake));
                        match wakes.last.as_ref() {
                            None => wakes.first = node,
                            Some(last) => last.previous.set(node),
                        }
                    }
                    wakes.last = node;
                }
            }
        }
        wakes
    }
}

/// Wake-ups owed to many threads: fired in order when dropped.
#[must_use = "the threads sleep until this is dropped, which must be after unlocking"]
pub(crate) struct Wakes<P> {
    first: *const Node<P>,
    last: *const Node<P>,
}

impl<P> Drop for Wakes<P> {
    fn drop(&mut self) {
        // SAFETY: each node lives until its own wake-up is fired (invariant 4), and its link is
        // read before that.
        while let Some(node) = unsafe { self.first.as_ref() } {
            self.first = node.previous.get();
            let wake = node.wake.take();
            drop(wake);
        }
    }
}
