//! Futures at either end of a channel. Their waits are in the same queues as those of threads, and
//! are served in the same order.
//!
//! What a waiting thread has on its stack, a future has in an awaiter. A future may be dropped
//! after the other side has done the exchange. A message that was taken from a sender has been
//! sent. A message that was given to a receiver is *returned*: to the next receiver, or to the
//! front of the buffer. A bounded channel may have no room for it there. Then the newest message
//! leaves the buffer, and waits in front of all senders, in an awaiter that no future has.
//!
//! Invariants:
//! 1. The node of an awaiter is initialised before the awaiter is shared, and is in a queue of this
//!    one channel or in none. The awaiter lives until the node has left the queue: a future that is
//!    dropped sees to that, and one that is forgotten keeps its reference for ever.
//! 2. A node is put into a queue and parks under one lock, so each claim owes it a wake-up.

use core::{mem::MaybeUninit, ops::Deref};
use std::{
    sync::Arc,
    task::{Poll, Waker},
};

use super::{
    buffer::Pushed,
    core::{Core, NotNow, RecvFailed, SendFailed, Timeout, Waiting, announce},
    selectable::Side,
    slot::{Exchange, Slot},
    wait_queue::Node,
};
use crate::task::{awaiter::Awaiter, wait::Waiter};

// SAFETY: the node and the message are touched under the channel's lock, and by one side after a
// claim (`slot`), from any thread.
unsafe impl<T: Send> Send for Waiting<T> {}
// SAFETY: as for `Send`: a shared one gives no access outside of these rules.
unsafe impl<T: Send> Sync for Waiting<T> {}

impl<T> AsRef<Waiter> for Waiting<T> {
    fn as_ref(&self) -> &Waiter {
        &self.waiter
    }
}

/// The memory of a waiting future. It does not drop the message.
type Place<T> = Arc<Awaiter<Waiting<T>>>;

fn place<T>(waker: &Waker) -> Place<T> {
    let mut place = Awaiter::new(waker, Waiting::new(MaybeUninit::uninit()));
    Arc::get_mut(&mut place).expect("it is not shared yet").payload.begin();
    place
}

fn node<T>(waiting: &Waiting<T>) -> &Node<Slot> {
    // SAFETY: it is initialised (invariant 1).
    unsafe { waiting.node.assume_init_ref() }
}

/// The sending of one message.
pub(crate) struct SendFuture<'a, T> {
    core: &'a Core<T>,
    /// The message, before it waits.
    message: Option<T>,
    /// Where it waits.
    place: Option<Place<T>>,
}

// The message is not pinned.
impl<T> Unpin for SendFuture<'_, T> {}

impl<'a, T> SendFuture<'a, T> {
    pub(crate) fn new(core: &'a Core<T>, message: T) -> Self {
        Self { core, message: Some(message), place: None }
    }

    /// # Errors
    /// If all receivers are gone: the message.
    ///
    /// # Panics
    /// If it has been ready before.
    pub(crate) fn poll(&mut self, waker: &Waker) -> Poll<Result<(), T>> {
        if let Some(place) = &self.place {
            if !place.is_claimed(waker) {
                return Poll::Pending;
            }
            let back = claimed(place);
            self.place = None;
            return Poll::Ready(back.map_or(Ok(()), Err));
        }
        let mut message = self.message.take().expect("a message is not sent again");
        let mut new = None;
        loop {
            message = match self.core.send(message, Timeout::Try) {
                Ok(()) => return Poll::Ready(Ok(())),
                Err(SendFailed::Closed(back)) => return Poll::Ready(Err(back)),
                Err(SendFailed::Full(back)) => back,
            };
            let place = new.get_or_insert_with(|| place(waker));
            let mut state = self.core.state.lock();
            if state.is_ready(Side::Senders) {
                continue;
            }
            // SAFETY: no other thread knows of the place. The node is in no queue, and the awaiter
            // stays until it has left this one (invariant 1).
            unsafe {
                (*place.payload.message.get()).write(message);
                state.senders.push(node(&place.payload));
            }
            place.park();
            announce(state);
            self.place = new;
            return Poll::Pending;
        }
    }
}

/// What a sender has back whose wait was claimed: its message, if that was not taken.
fn claimed<T>(place: &Place<T>) -> Option<T> {
    let slot = &node(&place.payload).payload;
    // SAFETY: the wait has been claimed, so the slot is the future's. Without an exchange the
    // message is still there, and this is called once (`slot`, invariants 1, 2).
    (slot.exchange.get() == Exchange::None).then(|| unsafe { slot.read() })
}

impl<T> Drop for SendFuture<'_, T> {
    fn drop(&mut self) {
        let Some(place) = &self.place else { return };
        let node = node(&place.payload);
        // SAFETY: the node was put into this queue, and no other (invariant 1).
        if unsafe { self.core.state.lock().senders.remove(node) } {
            place.take_back();
            // SAFETY: no claim was made, so the message is still there, and the future's.
            drop(unsafe { node.payload.read::<T>() });
        } else {
            drop(claimed(place));
        }
    }
}

/// The receiving of one message, by a borrowed receiver or one of its own.
pub(crate) struct RecvFuture<T, C: Deref<Target = Core<T>>> {
    core: C,
    /// Where it waits.
    place: Option<Place<T>>,
}

impl<T, C: Deref<Target = Core<T>>> RecvFuture<T, C> {
    pub(crate) fn new(core: C) -> Self {
        Self { core, place: None }
    }

    /// # Errors
    /// `Closed`.
    pub(crate) fn poll(&mut self, waker: &Waker) -> Poll<Result<T, RecvFailed>> {
        if let Some(place) = &self.place {
            if !place.is_claimed(waker) {
                return Poll::Pending;
            }
            let received = received(place);
            self.place = None;
            match received {
                Received::Message(message) => return Poll::Ready(Ok(message)),
                Received::Closed => return Poll::Ready(Err(RecvFailed::Closed)),
                Received::Nothing => {}
            }
        }
        let mut new = None;
        loop {
            let mut state = match self.core.recv_now(self.core.state.lock()) {
                Ok(message) => return Poll::Ready(Ok(message)),
                Err(NotNow::Closed) => return Poll::Ready(Err(RecvFailed::Closed)),
                Err(NotNow::Again) => continue,
                Err(NotNow::Empty(state)) => state,
            };
            let Some(place) = &new else {
                drop(state);
                new = Some(place(waker));
                continue;
            };
            // SAFETY: the node is in no queue, and the awaiter stays until it has left this one
            // (invariant 1).
            unsafe { state.receivers.push(node(&place.payload)) };
            place.park();
            announce(state);
            self.place = new;
            return Poll::Pending;
        }
    }
}

/// What a receiver has whose wait was claimed.
enum Received<T> {
    Message(T),
    Closed,
    /// A handshake has ended without a message.
    Nothing,
}

/// If the claimer makes its message yet, waits for it.
fn received<T>(place: &Place<T>) -> Received<T> {
    let slot = &node(&place.payload).payload;
    let is_there = match slot.exchange.get() {
        Exchange::None => return Received::Closed,
        Exchange::Done => true,
        // SAFETY: the wait has been claimed, so the slot is the future's. The handshake has begun,
        // and is awaited once.
        _ => unsafe { slot.await_handshake() },
    };
    if is_there {
        // SAFETY: the slot is the future's and filled, and this is called once.
        Received::Message(unsafe { slot.read() })
    } else {
        Received::Nothing
    }
}

impl<T, C: Deref<Target = Core<T>>> Drop for RecvFuture<T, C> {
    fn drop(&mut self) {
        let Some(place) = &self.place else { return };
        // SAFETY: the node was put into this queue, and no other (invariant 1).
        if unsafe { self.core.state.lock().receivers.remove(node(&place.payload)) } {
            place.take_back();
        } else if let Received::Message(message) = received(place) {
            self.core.put_back(message);
        }
    }
}

/// A message without a place in the buffer, in front of all senders. If the channel is closed
/// before it is received, the message is dropped with it.
struct Returned<T>(Waiting<T>);

impl<T> AsRef<Waiter> for Returned<T> {
    fn as_ref(&self) -> &Waiter {
        &self.0.waiter
    }
}

impl<T> Drop for Returned<T> {
    fn drop(&mut self) {
        let slot = &node(&self.0).payload;
        if slot.exchange.get() == Exchange::None {
            // SAFETY: nobody has taken the message, and nobody else has this.
            drop(unsafe { slot.read::<T>() });
        }
    }
}

impl<T> Core<T> {
    pub(crate) fn recv_future(&self) -> RecvFuture<T, &Self> {
        RecvFuture::new(self)
    }

    /// Takes back a message that was received and that nobody gets: it is the oldest one again.
    #[cold]
    fn put_back(&self, mut message: T) {
        // Nothing is allocated under the lock. Before the message is there, there is none to drop.
        let mut returned = self.capacity().map(|_| {
            let mut awaiter = Awaiter::new(Waker::noop(), Returned(Waiting::new(MaybeUninit::uninit())));
            let waiting = &mut Arc::get_mut(&mut awaiter).expect("it is not shared yet").payload.0;
            waiting.begin().1.payload.exchange.set(Exchange::Done);
            awaiter
        });
        loop {
            let mut state = self.state.lock();
            message = match state.hand_out(message) {
                Ok(wake) => {
                    drop(state);
                    drop(wake);
                    return;
                }
                Err(back) => back,
            };
            match state.buffer.put_back(message) {
                Pushed::Full(newest) => {
                    let awaiter = returned.take().expect("only a bounded channel is full");
                    let waiting = &awaiter.payload.0;
                    // SAFETY: nobody else has the awaiter. Its node is in no queue, and the
                    // reference of its park keeps it alive until the claim's wake-up (invariant 1).
                    unsafe {
                        (*waiting.message.get()).write(newest);
                        node(waiting).payload.exchange.set(Exchange::None);
                        state.senders.insert(node(waiting), |_| true);
                    }
                    awaiter.park();
                    announce(state);
                    return;
                }
                Pushed::NoBlock(back) => message = back,
                Pushed::Done | Pushed::Lap(_) => return announce(state),
            }
            drop(state);
            self.supply();
        }
    }
}
