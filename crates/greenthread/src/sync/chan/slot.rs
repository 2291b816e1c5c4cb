//! What a thread waits with at a channel, and the promise of a message that has yet to be made.
//!
//! Most exchanges are done in one step under the channel's lock, since the message is there. An arm of a select that
//! sends is different: its message is made when the arm has won, by the caller's code, which may take its time or
//! panic. Until then the arm has either a place in the buffer that is kept free for it, or a receiver of its own,
//! which waits for the message: the promise.
//!
//! Invariants:
//! 1. While its node is in a queue, a slot is touched by whoever holds the channel's lock; after a claim that was won, by
//!    the node's owner, except for invariant 3.
//! 2. `exchange` is set before the claim, and taken back if the claim is lost. `place` of a receiver is filled once it is
//!    `Done`; `place` of a sender is the exchanger's to read once it is `Done`.
//! 3. `pact` is made before the exchange becomes `Promised`. A receiver whose exchange is that does not return before the
//!    promise is settled; until then `place` and `kept` are the sender's. Settling it is the sender's last touch, except
//!    for the wake-ups that it then owes.

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
    Promised,
}

/// See the module.
#[repr(C)]
pub(crate) struct Slot {
    /// Where the message lies, or shall lie: a `MaybeUninit` of the channel's message type. Null for a sender whose
    /// message is to be made.
    place: *mut (),
    pub(crate) exchange: Cell<Exchange>,
    /// For a sender with a promise: the receiver's slot.
    pub(crate) partner: Cell<*const Slot>,
    /// For a receiver with a promise (invariant 3).
    pact: UnsafeCell<MaybeUninit<Handshake>>,
}

/// What a receiver waits with for a message that is being made.
struct Handshake {
    waiter: Waiter,
    kept: Cell<bool>,
}

// SAFETY: it is touched by one thread at a time (invariants 1, 3). What its place points to is a message of the
// channel's, which is `Send` only if messages are.
unsafe impl Send for Slot {}

impl Slot {
    /// With the place of a message; for a receiver, of one to come; null for a sender whose message is to be made.
    #[inline]
    pub(crate) fn new(place: *mut ()) -> Self {
        Self {
            place,
            exchange: Cell::new(Exchange::None),
            partner: Cell::new(ptr::null()),
            pact: UnsafeCell::new(MaybeUninit::uninit()),
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

    /// Makes it the slot of a receiver with a promise.
    ///
    /// # Safety
    /// It is a receiver's, and the caller's (invariant 1).
    pub(crate) unsafe fn promise(&self) {
        // SAFETY: as the caller says. A pact of a promise whose claim was lost has nothing to drop.
        unsafe { (*self.pact.get()).write(Handshake { waiter: Waiter::new(), kept: Cell::new(false) }) };
        self.exchange.set(Exchange::Promised);
    }

    /// The receiver's side of a promise: waits until it is settled. Whether it was kept: then the message is there.
    ///
    /// # Safety
    /// The caller owns the slot, its exchange is `Promised`, and this is called once.
    #[cold]
    pub(crate) unsafe fn await_promise(&self) -> bool {
        // SAFETY: the pact was made (invariant 3).
        let pact = unsafe { (*self.pact.get()).assume_init_ref() };
        // Nobody claims it but who settles it, and there is no deadline.
        pact.waiter.wait(Reason::Receive, None);
        let kept = pact.kept.get();
        // SAFETY: settled, so nobody else touches it any more.
        unsafe { (*self.pact.get()).assume_init_drop() };
        kept
    }
}

/// The sender's side of a promise.
#[derive(Debug)]
pub(crate) struct SendTicket {
    /// The receiver's slot.
    receiver: *const Slot,
    /// The wake-up for the wait in which the receiver was found.
    wake: Option<Wake>,
}

impl SendTicket {
    /// # Safety
    /// The slot's exchange is `Promised`, to the caller and nobody else.
    pub(crate) unsafe fn new(receiver: *const Slot, wake: Option<Wake>) -> Self {
        Self { receiver, wake }
    }

    /// Gives the receiver its message.
    ///
    /// # Safety
    /// The receiver's is a channel for `T`.
    pub(crate) unsafe fn keep<T>(self, message: T) {
        // SAFETY: until the promise is settled the slot is alive, and ours to fill (invariant 3).
        unsafe {
            (*self.receiver).write(message);
        }
        self.settle(true);
    }

    /// There will be no message: the receiver starts again.
    pub(crate) fn drop(self) {
        self.settle(false);
    }

    fn settle(self, kept: bool) {
        // SAFETY: the slot is alive up to the claim, and beyond if the receiver sleeps; the pact was made (invariant 3).
        let claim = unsafe {
            let pact = (*(*self.receiver).pact.get()).as_ptr();
            (*pact).kept.set(kept);
            Waiter::claim(&raw const (*pact).waiter, Outcome::Woken)
        };
        debug_assert!(!matches!(claim, Claim::Lost), "a promise is settled once");
        // It may sleep in its first wait still, or already in the second.
        drop(self.wake);
        drop(claim);
    }
}
