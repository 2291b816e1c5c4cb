//! What a thread waits with at a channel, and the handshake over a message that has yet to be made.
//!
//! Most exchanges are done in one step under the channel's lock, since the message is there. An arm
//! of a select that sends is different: its message is made once the arm is selected, by the
//! caller's code, which may take its time or panic. Until then the arm has either a place in the
//! buffer that is kept free for it, or a receiver of its own, which waits for the message. That
//! wait is the handshake, and the arm's side of it the `SendTicket`.
//!
//! Invariants:
//! 1. While its node is in a queue, a slot is touched by whoever holds the channel's lock; after a
//!    claim that was won, by the node's owner, except for invariant 3.
//! 2. `exchange` is set before the claim, and taken back if the claim is lost. `place` of a
//!    receiver is filled once it is `Done`; `place` of a sender is the exchanger's to read once it
//!    is `Done`.
//! 3. `handshake` is made before the exchange becomes `Handshake`. A receiver whose exchange is
//!    that does not return before the handshake is over; until then `place` and `sent` are the
//!    sender's. Ending it is the sender's last touch, except for the wake-ups that it then owes.

use core::{
    cell::{Cell, UnsafeCell},
    mem::MaybeUninit,
    ptr,
};

use crate::task::wait::{Claim, Outcome, Reason, Waiter, Wake};

/// How far an exchange has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exchange {
    /// There has been none. A thread that is claimed without was woken because a side is closed.
    None,
    /// The message has changed hands.
    Done,
    /// For a sender whose message is to be made: a place in the buffer is kept for it.
    Room,
    /// The message will be made, and goes from hand to hand.
    Handshake,
}

/// See the module.
#[repr(C)]
pub(crate) struct Slot {
    /// Where the message lies, or shall lie: a `MaybeUninit` of the channel's message type. Null
    /// for a sender whose message is to be made.
    place: *mut (),
    pub(crate) exchange: Cell<Exchange>,
    /// For a sender in a handshake: the receiver's slot.
    pub(crate) partner: Cell<*const Slot>,
    /// For a receiver in a handshake (invariant 3).
    handshake: UnsafeCell<MaybeUninit<Handshake>>,
}

/// What a receiver waits with for a message that is being made.
struct Handshake {
    waiter: Waiter,
    /// Whether it ended with the message.
    sent: Cell<bool>,
}

// SAFETY: it is touched by one thread at a time (invariants 1, 3). What its place points to is a
// message of the channel's, which is `Send` only if messages are.
unsafe impl Send for Slot {}

impl Slot {
    /// With the place of a message; for a receiver, of one to come; null for a sender whose message
    /// is to be made.
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

    /// Puts a message into a receiver's slot.
    ///
    /// # Safety
    /// It is a receiver's slot of a channel for `T`, and the caller's to fill (invariants 1, 3).
    #[inline]
    pub(crate) unsafe fn write<T>(&self, message: T) {
        // SAFETY: as the caller says.
        unsafe { self.place.cast::<T>().write(message) }
    }

    /// Takes the message out.
    ///
    /// # Safety
    /// It is a slot of a channel for `T`, the message is there and the caller's, and is taken once.
    #[inline]
    pub(crate) unsafe fn read<T>(&self) -> T {
        // SAFETY: as the caller says.
        unsafe { self.place.cast::<T>().read() }
    }

    /// Makes it the slot of a receiver in a handshake.
    ///
    /// # Safety
    /// It is a receiver's, and the caller's (invariant 1).
    pub(crate) unsafe fn begin_handshake(&self) {
        // SAFETY: as the caller says. One whose claim was lost has nothing to drop.
        unsafe { (*self.handshake.get()).write(Handshake { waiter: Waiter::new(), sent: Cell::new(false) }) };
        self.exchange.set(Exchange::Handshake);
    }

    /// The receiver's side of a handshake: waits for its end. Whether the sender has sent: then the
    /// message is there.
    ///
    /// # Safety
    /// The caller owns the slot, its exchange is `Handshake`, and this is called once.
    #[cold]
    pub(crate) unsafe fn await_handshake(&self) -> bool {
        // SAFETY: it was made (invariant 3).
        let handshake = unsafe { (*self.handshake.get()).assume_init_ref() };
        // Only the sender claims it, and there is no deadline.
        handshake.waiter.wait(Reason::Receive, None);
        let sent = handshake.sent.get();
        // SAFETY: it is over, so nobody else touches it any more.
        unsafe { (*self.handshake.get()).assume_init_drop() };
        sent
    }
}

/// The sender's side of a handshake.
#[derive(Debug)]
pub(crate) struct SendTicket {
    /// The receiver's slot.
    receiver: *const Slot,
    /// The wake-up for the wait in which the receiver was found.
    wake: Option<Wake>,
}

impl SendTicket {
    /// # Safety
    /// The slot's exchange is `Handshake`, with the caller and nobody else.
    pub(crate) unsafe fn new(receiver: *const Slot, wake: Option<Wake>) -> Self {
        Self { receiver, wake }
    }

    /// Gives the receiver its message.
    ///
    /// # Safety
    /// The receiver's is a channel for `T`.
    pub(crate) unsafe fn send<T>(self, message: T) {
        // SAFETY: until the handshake is over the slot is alive, and ours to fill (invariant 3).
        unsafe {
            (*self.receiver).write(message);
        }
        self.end(true);
    }

    /// There will be no message: the receiver starts again.
    pub(crate) fn cancel(self) {
        self.end(false);
    }

    fn end(self, sent: bool) {
        // SAFETY: the slot is alive up to the claim, and beyond if the receiver sleeps; the
        // handshake was made (invariant 3).
        let claim = unsafe {
            let handshake = (*(*self.receiver).handshake.get()).as_ptr();
            (*handshake).sent.set(sent);
            Waiter::claim(&raw const (*handshake).waiter, Outcome::Woken)
        };
        debug_assert!(!matches!(claim, Claim::Lost), "a handshake ends once");
        // It may sleep in its first wait still, or already in the second.
        drop(self.wake);
        drop(claim);
    }
}
