//! Tasks that wait for a direction of a source: the same queue and the same rules as for threads
//! (`direction`), with a waker in place of a thread.
//!
//! A task may be polled on one worker and then on another one, and may be dropped anywhere. So it
//! can be taken out of the queue on any OS thread, under the registry's lock, under which it is
//! also woken. No waker is called under that lock (`awaiter`).
//!
//! Invariants:
//! 1. The node of an awaiter is in the queue of this one direction or in none. The awaiter lives
//!    until the node has left the queue, or the queue is gone: `withdraw` sees to that, and a task
//!    that is forgotten keeps its reference.

use std::{cell::Cell, io, sync::Arc, task::Waker};

use super::{Interest, Node, Registration, Turn, WaitState};
use crate::{
    sys::fd::AsFd,
    task::awaiter::{Awaiter, Place},
};

/// The wait of one task for one direction, if it waits. Dropping it ends the wait.
#[derive(Default)]
pub(crate) struct Awaiting(Option<Queued>);

struct Queued {
    place: Arc<Awaiter<Place<Node>>>,
    registration: Registration,
    interest: Interest,
}

impl Awaiting {
    /// Ends the wait, on any OS thread. A wake-up that has come already is passed on.
    pub(crate) fn withdraw(&mut self) {
        let Some(Queued { place, registration, interest }) = self.0.take() else { return };
        let Registration { registry, key } = &registration;
        if registry.is_foreign() {
            // Only the process that has forked this one wakes it.
            return std::mem::forget(place);
        }
        let node = place.payload.node();
        let mut slab = registry.lock();
        let was_queued = match slab.get(*key) {
            // SAFETY: the node has joined this direction (invariant 1).
            Some(entry) => unsafe { entry.direction(interest).leave(node) },
            // The driver is gone, and nobody wakes it any more.
            None => !place.is_settled(),
        };
        drop(slab);
        if was_queued {
            place.take_back();
        } else if node.payload.get() == WaitState::Responsible {
            registration.force_ready();
        }
    }
}

impl Drop for Awaiting {
    fn drop(&mut self) {
        self.withdraw();
    }
}

impl Turn<'_> {
    /// Goes on with the wait that an earlier poll has begun, if one has. Returns `false` if it is
    /// not over; then its wake-up will call `waker`.
    pub(crate) fn resume(&mut self, wait: &mut Awaiting, waker: &Waker) -> bool {
        let Some(Queued { place, registration, .. }) = &wait.0 else { return true };
        if !Arc::ptr_eq(&registration.registry, &self.driver.registry) {
            wait.withdraw();
            return true;
        }
        if !place.is_claimed(waker) {
            return false;
        }
        self.state = place.payload.node().payload.get();
        wait.0 = None;
        true
    }

    /// Begins to wait until a call may succeed. Returns `false` if that is so already, as `wait`
    /// does. The task does not wait yet.
    ///
    /// # Errors
    /// If the source cannot be registered.
    pub(crate) fn begin_wait(&mut self, wait: &mut Awaiting, waker: &Waker) -> io::Result<bool> {
        let (driver, interest) = (self.driver, self.interest);
        let key = match self.key {
            Some(key) => key,
            None => *self.key.insert(driver.key(self.source)?),
        };
        // SAFETY: the node is touched under the registry's lock, or by the task once it is claimed;
        // and the awaiter stays (invariant 1).
        let place = unsafe {
            Awaiter::queued(waker, true, |waiter| Node::new(waiter, Cell::new(WaitState::Waiting)))
        };
        {
            let mut slab = driver.registry.lock();
            let entry = slab.get(key).expect("a source's entry lives as long as the source");
            let direction = entry.direction(interest);
            if direction.is_ready() {
                return Ok(false);
            }
            if let Some(error) = driver.failure.get() {
                return Err(error.into());
            }
            // SAFETY: this runs on the worker's OS thread, and the awaiter stays until the node has
            // left the queue (invariant 1).
            unsafe { direction.join(place.payload.node(), self.state != WaitState::Waiting) };
            place.park();
        }
        // The direction is not ready, so there is nothing to pass on.
        if self.state == WaitState::Responsible {
            self.state = WaitState::Woken;
        }
        let registration = Registration { registry: driver.registry.clone(), key };
        wait.0 = Some(Queued { place, registration, interest });
        if let Err(error) = driver.poller.arm(self.source.as_fd(), interest) {
            // Those that wait behind this one try their calls again, and get the error as well.
            driver.registry.force_ready(key);
            wait.withdraw();
            return Err(error);
        }
        Ok(true)
    }
}
