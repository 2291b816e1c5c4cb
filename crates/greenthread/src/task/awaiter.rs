//! The wait of a future: some executor's task sleeps in it, by its waker, where a thread would
//! sleep on its stack.
//!
//! A future may be polled again before its wait has been claimed, or be dropped, or be leaked. A
//! claimer, however, uses the waiter and the queue's node until it has fired the wake-up. So they
//! do not lie in the future but in an [`Awaiter`], which is counted.
//!
//! How clients use it: the future makes an awaiter, and parks it before others know of it, or under
//! the lock under which they will claim it. So no claim finds it awake. At each poll it asks
//! [`is_claimed`](Awaiter::is_claimed). When it is dropped, it makes sure that no claim can come
//! any more, as a thread does whose wait has timed out, and calls
//! [`take_back`](Awaiter::take_back); or it finds that it was claimed, and gives back what it got.
//!
//! Invariants:
//! 1. An awaiter is alive as long as there is a reference. The future holds one. While the waiter
//!    is parked there is another one, which belongs to the claim that leaves PARKED: its wake-up
//!    gives it back.
//! 2. `Head` is the first field of an `Awaiter` (`repr(C)`), and `release` fits it.
//! 3. The node of a `Place` is initialised before its awaiter is shared.

use std::{
    mem::{self, MaybeUninit},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    task::Waker,
};

use super::{
    waiter::{TASK, Waiter},
    worker_core::{self, WorkerCore},
};

/// The part of an awaiter that a wake-up uses, whatever the payload is. 32-bit machines would align
/// it to 4 bytes, and a sleeper's address needs two free bits.
#[repr(C, align(8))]
pub(super) struct Head {
    /// The waker of the last poll. The wake-up takes it.
    waker: Mutex<Option<Waker>>,
    /// The wake-up is fired under a lock, so the waker is called later (`wake_deferred`).
    is_deferred: bool,
    /// Gives one reference back.
    release: unsafe fn(*const Head),
}

/// The wait of a future: its waiter, and what its client needs until that is claimed.
#[repr(C)]
pub(crate) struct Awaiter<P> {
    head: Head,
    pub(crate) payload: P,
}

impl<P: AsRef<Waiter>> Awaiter<P> {
    /// A wait that has not parked. Its wake-up will call `waker`.
    pub(crate) fn new(waker: &Waker, payload: P) -> Arc<Self> {
        Self::with(waker, payload, false)
    }

    fn with(waker: &Waker, payload: P, is_deferred: bool) -> Arc<Self> {
        unsafe fn release<P>(head: *const Head) {
            // SAFETY: the head is that of an `Awaiter<P>` in an `Arc`, and the caller gives one
            // reference away (invariants 1, 2).
            unsafe { Arc::decrement_strong_count(head.cast::<Awaiter<P>>()) };
        }
        let head = Head { waker: Mutex::new(Some(waker.clone())), is_deferred, release: release::<P> };
        Arc::new(Self { head, payload })
    }

    /// Parks, once. No other thread knows of the waiter yet, or the caller holds the lock under
    /// which it will be claimed.
    pub(crate) fn park(self: &Arc<Self>) {
        let head = Arc::into_raw(Arc::clone(self)).cast::<()>();
        // SAFETY: it has not parked, so no claim reads it (`waiter`, invariant 1).
        unsafe { *self.payload.as_ref().sleeper.get() = head.map_addr(|address| address | TASK) };
        let claimed = self.payload.as_ref().state.park();
        debug_assert!(claimed.is_none(), "nobody could claim it before it parked");
    }

    /// Whether the wait has been claimed. If not, its wake-up will call `waker`.
    pub(crate) fn is_claimed(&self, waker: &Waker) -> bool {
        let mut own = self.head.lock();
        let before = match &mut *own {
            Some(own) if own.will_wake(waker) => None,
            own => own.replace(waker.clone()),
        };
        drop(own);
        // It may be the user's code. The claim comes before the wake-up takes the waker, so either
        // the claim is seen here, or the wake-up takes this waker.
        drop(before);
        self.is_settled()
    }

    /// As [`is_claimed`](Self::is_claimed), without a new waker.
    pub(crate) fn is_settled(&self) -> bool {
        self.payload.as_ref().state.outcome().is_some()
    }

    /// Ends the wait. The caller has made sure that nobody has claimed it, and that nobody will.
    pub(crate) fn take_back(self: &Arc<Self>) {
        debug_assert!(!self.payload.as_ref().state.is_settled());
        // SAFETY: the waiter is parked, and no claim has left that state. So there is a reference
        // for it, which is given back here (invariant 1).
        unsafe { Arc::decrement_strong_count(Arc::as_ptr(self)) };
    }
}

/// The payload of an awaiter that waits in a queue: its waiter, and the queue's node, which points
/// to the waiter.
pub(crate) struct Place<N> {
    waiter: Waiter,
    node: MaybeUninit<N>,
}

// SAFETY: whoever makes a place vouches that its node is touched under the rules of its queue, from
// any thread.
unsafe impl<N> Send for Place<N> {}
// SAFETY: as for `Send`.
unsafe impl<N> Sync for Place<N> {}

impl<N> AsRef<Waiter> for Place<N> {
    fn as_ref(&self) -> &Waiter {
        &self.waiter
    }
}

impl<N> Place<N> {
    pub(crate) fn node(&self) -> &N {
        // SAFETY: it is initialised (invariant 3).
        unsafe { self.node.assume_init_ref() }
    }
}

impl<N> Awaiter<Place<N>> {
    /// A wait that has not parked, with the node that `node` makes for its waiter. If it is
    /// deferred, a worker fires its wake-up under a lock of its own.
    ///
    /// # Safety
    /// The node is touched under rules that let any thread do so. The awaiter lives until the node
    /// has left its queue, or the queue is gone.
    pub(crate) unsafe fn queued(
        waker: &Waker,
        is_deferred: bool,
        node: impl FnOnce(&Waiter) -> N,
    ) -> Arc<Self> {
        let place = Place { waiter: Waiter::new(), node: MaybeUninit::uninit() };
        let mut awaiter = Self::with(waker, place, is_deferred);
        let place = &mut Arc::get_mut(&mut awaiter).expect("it is not shared yet").payload;
        place.node.write(node(&place.waiter));
        awaiter
    }
}

impl Head {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Waker>> {
        self.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fires the wake-up of an awaiter, and gives the claim's reference back.
///
/// # Safety
/// `head` is what `park` has stored, and the caller's claim has left PARKED.
#[cold]
pub(super) unsafe fn fire(head: *const Head) {
    // SAFETY: the claim owns a reference (invariant 1).
    let this = unsafe { &*head };
    let waker = this.lock().take();
    match (waker, worker_core::get()) {
        (Some(waker), Some(core)) if this.is_deferred => core.deferred.borrow_mut().push(waker),
        (Some(waker), _) => wake(waker),
        (None, _) => {}
    }
    // SAFETY: the claim's reference is given back, once, by the function that fits (invariants 1,
    // 2).
    unsafe { ((*head).release)(head) };
}

/// Calls the wakers that were deferred on this worker.
#[inline]
pub(crate) fn wake_deferred() {
    if let Some(core) = worker_core::get()
        && !core.deferred.borrow().is_empty()
    {
        call_deferred(core);
    }
}

#[cold]
fn call_deferred(core: &WorkerCore) {
    // A waker is the user's code, and may get here again.
    let wakers = core.deferred.take();
    wakers.into_iter().for_each(wake);
}

/// Calls a waker. If it panics, the panic hook has reported that, and there is no one to give the
/// panic to.
fn wake(waker: Waker) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
        // The payload's destructor might panic again.
        mem::forget(payload);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::wait_queue::{Node, Queue};

    #[test]
    fn a_future_that_is_dropped_before_its_wake_up_is_in_no_queue() {
        let mut queue = Queue::new();
        // SAFETY: one thread has all of it, and the awaiters outlive the queue.
        let [first, second] = [(); 2]
            .map(|()| unsafe { Awaiter::queued(Waker::noop(), false, |waiter| Node::new(waiter, ())) });
        for awaiter in [&first, &second] {
            awaiter.park();
            // SAFETY: the node is in no queue, and the awaiter outlives this one.
            unsafe { queue.push(awaiter.payload.node()) };
        }
        let wakes = queue.claim_all();
        // SAFETY: the nodes were put into this queue.
        unsafe {
            assert!(!queue.remove(first.payload.node()));
            assert!(!queue.remove(second.payload.node()));
        }
        assert!(queue.is_empty());
        drop(wakes);
        assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (1, 1));
    }
}
