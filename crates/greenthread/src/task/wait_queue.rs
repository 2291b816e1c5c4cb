//! A queue of waiting threads, linked through nodes that lie on the waiting stacks: waiting
//! allocates nothing.
//!
//! Invariants:
//! 1. A node is pushed into one queue at most, stays where it is and alive as long as it is there,
//!    and its waiter with it: the thread that made it does not return before the node is out again.
//!    Either another thread took it out and claimed its wait, or the thread took it out itself,
//!    under the lock.
//! 2. A queue, and the links and the payload of the nodes in it, are touched under the queue's lock
//!    only.
//! 3. A thread that takes a node out claims its wait before it gives the lock back. A claim that is
//!    lost (the wait timed out) ends its business with the node: the owner takes the lock before it
//!    returns, so up to there the node is alive.
//! 4. A claim that is won hands the payload to the node's owner, and the node may be gone at once,
//!    except if a wake-up is owed: then it lives until that has been fired, and the links belong to
//!    whoever owes it.

use core::{cell::Cell, fmt, marker::PhantomPinned, ptr};

use crate::task::wait::{Claim, Outcome, Waiter, Wake};

/// One thread's place in a queue, and its payload. The fields that others touch when they take it
/// out come first.
#[repr(C)]
pub(crate) struct Node<P> {
    waiter: *const Waiter,
    /// Both null while in no queue; in a queue the last one's `next` is the first, and the other
    /// way round.
    next: Cell<*const Node<P>>,
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

    /// Ends the wait of the thread whose node this is. Everything it shall find in its payload is
    /// there already.
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

// SAFETY: the nodes' payloads go from thread to thread; all else is touched under the lock
// (invariant 2), and waiters are made to be claimed from anywhere.
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

    /// The payload of the one that has its turn next.
    #[inline]
    pub(crate) fn front(&self) -> Option<&P> {
        // SAFETY: in the queue, hence alive (invariant 1), and our caller holds the lock (invariant
        // 2).
        unsafe { self.first.as_ref() }.map(|node| &node.payload)
    }

    /// Puts a node at the end.
    ///
    /// # Safety
    /// It is in no queue, and the caller sees to invariant 1.
    #[inline]
    pub(crate) unsafe fn push(&mut self, node: *const Node<P>) {
        // SAFETY: our caller's contract is the same.
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
            // SAFETY: in the queue, hence alive (invariants 1, 2).
            let other = unsafe { &*at };
            if behind(&other.payload) {
                break;
            }
            at = other.next.get();
            if at == self.first {
                at = ptr::null();
            }
        }
        // SAFETY: our caller's contract is the same; to link before the first is to link at the
        // end.
        unsafe { self.link(node, if at.is_null() { self.first } else { at }) };
        if at == self.first {
            self.first = node;
        }
    }

    /// Links `node` before `at`, or with itself if there is none.
    #[inline]
    unsafe fn link(&mut self, node: *const Node<P>, at: *const Node<P>) {
        // SAFETY: the caller vouches that it is alive; its neighbours are alive too (invariant 1),
        // and ours to change (2).
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
        // SAFETY: it is in the queue.
        unsafe { self.unlink(node) };
        Some(node)
    }

    /// Takes `node` out, unless somebody else has.
    ///
    /// # Safety
    /// It is the caller's own, and was put into this queue and no other.
    pub(crate) unsafe fn remove(&mut self, node: *const Node<P>) {
        // SAFETY: the caller's own, so alive; a linked node is in this queue.
        unsafe {
            if !(*node).next.get().is_null() {
                self.unlink(node);
            }
        }
    }

    #[inline]
    unsafe fn unlink(&mut self, node: *const Node<P>) {
        // SAFETY: the nodes of the queue are alive (invariant 1), and ours to change (2).
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

    /// Takes the first thread out whose wait has not ended otherwise, and claims it; the wake-up,
    /// if it is owed one.
    #[inline]
    pub(crate) fn claim_first(&mut self) -> Option<Option<Wake>> {
        while let Some(node) = self.pop() {
            // SAFETY: just taken out, and whoever has `&mut self` holds the lock.
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
        // SAFETY: in the queue, hence alive; who has `&mut self` holds the lock (invariants 1, 2).
        let waiter = unsafe { self.first.as_ref() }?.waiter;
        // SAFETY: as above. The tests cancel only waits that may be cancelled.
        Some(unsafe { Waiter::claim(waiter, Outcome::Cancelled) })
    }

    /// Takes all threads out and claims them; the wake-ups are fired when the result is dropped,
    /// after unlocking.
    pub(crate) fn claim_all(&mut self) -> Wakes<P> {
        self.claim_while(|_| true, |_| {})
    }

    /// As [`claim_all`](Queue::claim_all), for the first threads, as long as `wanted` holds for
    /// what they want. Nodes whose wait had ended otherwise are taken out too, and `lost` is told.
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
            // SAFETY: just taken out, and whoever has `&mut self` holds the lock.
            match unsafe { Node::claim(node) } {
                // SAFETY: its owner takes the lock before it returns (invariant 3).
                Claim::Lost => lost(unsafe { &(*node).payload }),
                Claim::Won(None) => {}
                Claim::Won(Some(wake)) => {
                    // SAFETY: a wake-up is owed: the node lives, and its links are ours (invariant
                    // 4).
                    unsafe {
                        (*node).wake.set(Some(wake));
                        match wakes.last.as_ref() {
                            None => wakes.first = node,
                            Some(last) => last.next.set(node),
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
        // SAFETY: each node lives until its own wake-up is fired (invariant 4): the link is read
        // before that.
        while let Some(node) = unsafe { self.first.as_ref() } {
            // Null again, so that its owner knows it to be in no queue.
            self.first = node.next.replace(ptr::null());
            let wake = node.wake.take();
            drop(wake);
        }
    }
}
