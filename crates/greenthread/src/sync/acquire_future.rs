//! Awaiting a semaphore's permits.
//!
//! Invariants:
//! 1. The node of an awaiter is in the queue of this one semaphore or in none. The awaiter lives
//!    until the node has left the queue: a future that is dropped sees to that, and one that is
//!    forgotten keeps its reference for ever.

use std::{
    sync::Arc,
    task::{Poll, Waker},
};

use super::{raw::semaphore::RawSemaphore, wait_queue::Node};
use crate::task::awaiter::{Awaiter, Place};

/// The wait for permits.
pub(super) struct AcquireFuture<'a> {
    semaphore: &'a RawSemaphore,
    permits: usize,
    /// The wait, once it is queued.
    place: Option<Arc<Awaiter<Place<Node<usize>>>>>,
}

impl<'a> AcquireFuture<'a> {
    pub(super) fn new(semaphore: &'a RawSemaphore, permits: usize) -> Self {
        Self { semaphore, permits, place: None }
    }

    /// Ready when the permits have been taken; after that, it takes as many again.
    pub(super) fn poll(&mut self, waker: &Waker) -> Poll<()> {
        if let Some(place) = &self.place {
            if !place.is_claimed(waker) {
                return Poll::Pending;
            }
            self.place = None;
            return Poll::Ready(());
        }
        if self.semaphore.try_acquire(self.permits) {
            return Poll::Ready(());
        }
        // SAFETY: the node is touched under the semaphore's lock, or by one side after a claim, and
        // the awaiter stays (invariant 1).
        let place =
            unsafe { Awaiter::queued(waker, false, |waiter| RawSemaphore::node(waiter, self.permits)) };
        // SAFETY: the node is new, and the awaiter stays until it has left the queue (invariant 1).
        if unsafe { self.semaphore.acquire_or_queue(place.payload.node(), || place.park()) } {
            return Poll::Ready(());
        }
        self.place = Some(place);
        Poll::Pending
    }
}

impl Drop for AcquireFuture<'_> {
    fn drop(&mut self) {
        let Some(place) = &self.place else { return };
        // SAFETY: the node was put into this queue, and no other (invariant 1).
        if unsafe { self.semaphore.leave(place.payload.node()) } {
            place.take_back();
        } else {
            self.semaphore.release(self.permits);
        }
    }
}
