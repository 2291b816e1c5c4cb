//! The payload of a waiting thread's queue node, and the handshake over a message that has yet to
//! be made.
//!
//! Most exchanges are done in one step under the channel's lock, since the message exists already.
//! A `send` arm of a select is different: the caller's code makes its message after the arm has
//! been selected. That code may take long, or panic. Meanwhile the arm has one of two things: a
//! slot in the buffer that is reserved for it, or a receiver that waits for the message. The latter
//! is a *handshake*: the receiver waits with a `Handshake`, and the arm holds a `SendTicket`.
//!
//! Invariants:
//! 1. While the node is in a queue, the thread that holds the channel's lock may access the slot.
//!    After a won claim the node's owner may, except as invariant 3 says.
//! 2. The claimer sets `exchange` before the claim, and resets it if the claim is lost. When it is
//!    `Done`, the `place` of a receiver is filled, and the `place` of a sender may be read by the
//!    claimer.
//! 3. `handshake` is initialised before the exchange becomes `Handshake`. A receiver with that
//!    exchange does not return before the handshake has ended; until then `place` and `sent` belong
//!    to the sender. After the sender has ended the handshake it accesses nothing of the receiver,
//!    except for the wake-ups that it then owes.

use core::{
    cell::{Cell, UnsafeCell},
    mem::MaybeUninit,
    ptr,
};

use crate::task::wait::{Claim, Outcome, Reason, Waiter, Wake};

/// The state of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exchange {
    /// Nothing was exchanged. A thread that is woken in this state was woken because a side was
    /// closed, or because it watches.
    None,
    /// The message has been passed on.
    Done,
    /// For a sender whose message has yet to be made: a slot in the buffer is reserved for it.
    Room,
    /// A receiver waits until the sender has made its message, or has given up.
    Handshake,
}

/// The payload of a waiting thread's node; see the module's comment.
#[repr(C)]
pub(crate) struct Slot {
    /// The address of the message, written or not: a `MaybeUninit` of the channel's message type.
    /// Null for a sender whose message has yet to be made.
    place: *mut (),
    pub(crate) exchange: Cell<Exchange>,
    /// For a sender in a handshake: the slot of the receiver.
    pub(crate) partner: Cell<*const Slot>,
    /// For a receiver in a handshake: what it waits with (invariant 3).
    handshake: UnsafeCell<MaybeUninit<Handshake>>,
}

/// The wait of a receiver for a message that is being made.
struct Handshake {
    waiter: Waiter,
    /// Whether the handshake ended with the message.
    sent: Cell<bool>,
}

// SAFETY: one thread at a time accesses it (invariants 1, 3). `place` points to a message of the
// channel, and a channel goes to another thread only if its messages are `Send`.
unsafe impl Send for Slot {}

impl Slot {
    /// `place` is the address of a sender's message, or of a receiver's room for one. It is null
    /// for a sender whose message has yet to be made.
    #[inline]
    pub(crate) fn new(place: *mut ()) -> Self {
        Self {
            place,
            exchange: Cell::new(Exchange::None),
            partner: Cell::new(ptr::null()),
            handshake: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    #[inline]
    pub(crate) fn is_to_be_made(&self) -> bool {
        self.place.is_null()
    }

    /// Writes a message to the place of a receiver.
    ///
    /// # Safety
    /// The slot is a receiver's, at a channel for `T`, and the caller's to fill (invariants 1, 3).
    #[inline]
    pub(crate) unsafe fn write<T>(&self, message: T) {
        // SAFETY: a receiver's `place` has room for a `T`, and the caller vouches that it may write
        // it.
        unsafe { self.place.cast::<T>().write(message) }
    }

    /// Reads the message.
    ///
    /// # Safety
    /// The slot is one at a channel for `T`. The message has been written, belongs to the caller,
    /// and is read once.
    #[inline]
    pub(crate) unsafe fn read<T>(&self) -> T {
        // SAFETY: the caller vouches that `place` holds a `T` that is the caller's to take.
        unsafe { self.place.cast::<T>().read() }
    }

    /// Begins a handshake at a receiver's slot.
    ///
    /// # Safety
    /// The slot is a receiver's, and the caller's to use (invariant 1).
    pub(crate) unsafe fn begin_handshake(&self) {
        // SAFETY: the caller vouches that no other thread uses the slot. A `Handshake` that is left
        // from a lost claim needs no drop.
        unsafe { (*self.handshake.get()).write(Handshake { waiter: Waiter::new(), sent: Cell::new(false) }) };
        self.exchange.set(Exchange::Handshake);
    }

    /// The receiver's side of a handshake: waits until it has ended. Returns whether the sender has
    /// sent; then the message is in its place.
    ///
    /// # Safety
    /// The caller owns the slot, its exchange is `Handshake`, and this is called once.
    #[cold]
    pub(crate) unsafe fn await_handshake(&self) -> bool {
        // SAFETY: it is initialised, since the exchange is `Handshake` (invariant 3).
        let handshake = unsafe { (*self.handshake.get()).assume_init_ref() };
        // Only the sender claims this wait, and it has no deadline.
        handshake.waiter.wait(Reason::Receive, None);
        let sent = handshake.sent.get();
        // SAFETY: the handshake has ended, so the sender does not access it any more (invariant 3).
        unsafe { (*self.handshake.get()).assume_init_drop() };
        sent
    }
}

/// The sender's side of a handshake: the right and the duty to end it.
#[derive(Debug)]
pub(crate) struct SendTicket {
    /// The slot of the receiver.
    receiver: *const Slot,
    /// The wake-up that the receiver is owed for the wait in which it was found, if any.
    wake: Option<Wake>,
}

impl SendTicket {
    /// # Safety
    /// The slot's exchange is `Handshake`, and this is the only ticket for it.
    pub(crate) unsafe fn new(receiver: *const Slot, wake: Option<Wake>) -> Self {
        Self { receiver, wake }
    }

    /// Passes the message to the receiver, and ends the handshake.
    ///
    /// # Safety
    /// The receiver waits at a channel for `T`.
    pub(crate) unsafe fn send<T>(self, message: T) {
        // SAFETY: until the handshake has ended the slot is alive, and its `place` belongs to the
        // sender (invariant 3).
        unsafe {
            (*self.receiver).write(message);
        }
        self.end(true);
    }

    /// Ends the handshake without a message: the receiver tries once more.
    pub(crate) fn cancel(self) {
        self.end(false);
    }

    fn end(self, sent: bool) {
        // SAFETY: the slot is alive until the claim, and the handshake is initialised (invariant
        // 3). If the claim owes a wake-up, the receiver sleeps, and the slot lives until that is
        // fired.
        let claim = unsafe {
            let handshake = (*(*self.receiver).handshake.get()).as_ptr();
            (*handshake).sent.set(sent);
            Waiter::claim(&raw const (*handshake).waiter, Outcome::Woken)
        };
        debug_assert!(!matches!(claim, Claim::Lost), "a handshake ends once");
        // The receiver may still sleep in its first wait, or already in the handshake.
        drop(self.wake);
        drop(claim);
    }
}

/// The outcome of a wait, once the thread's node is in no queue any more: `remove` takes it out,
/// and says whether it was there. A thread that was interrupted, and whose node is gone, was
/// claimed.
#[inline]
pub(super) fn take_back(
    waiter: &Waiter,
    reason: Reason,
    outcome: Option<Outcome>,
    remove: impl FnOnce() -> bool,
) -> Outcome {
    if outcome == Some(Outcome::Woken) {
        return Outcome::Woken;
    }
    taken_back(waiter, reason, outcome, remove())
}

#[cold]
fn taken_back(waiter: &Waiter, reason: Reason, outcome: Option<Outcome>, was_queued: bool) -> Outcome {
    match outcome {
        Some(outcome) => outcome,
        None if was_queued => Outcome::Cancelled,
        None => {
            waiter.await_claim(reason);
            Outcome::Woken
        }
    }
}
