//! A channel, whatever its messages, as a select sees it.
//!
//! Invariants:
//! 1. `lock` leaves the channel's lock held; the same thread gives it back by `unlock` or
//!    `perform`, within the time of one select's look at its channels, and in between calls nothing
//!    but this trait's functions.
//! 2. A select's nodes obey the invariants of `wait_queue`, in each of their queues.

use core::mem;

use super::{
    core::{Core, NotNow, SendFailed, State, Timeout, announce},
    slot::{SendTicket, Slot},
    wait_queue::{Node, Queue},
};

/// Which of a channel's queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Of those who send.
    Senders,
    /// Of those who receive.
    Receivers,
    /// Of those who want to know when they could.
    Watchers,
}

/// What an arm of a select is selected for.
#[derive(Debug)]
pub(crate) enum Selected {
    /// The message is in its place.
    Message,
    /// There is no other side any more.
    Closed,
    /// Room for a message is kept.
    Room,
    /// A receiver waits for the message.
    Receiver(SendTicket),
    /// A timer's time.
    Due(std::time::Instant),
}

/// See the module.
pub(crate) trait Selectable {
    /// Takes the lock, for `unlock` or `perform`.
    fn lock(&self);

    /// Takes the lock if it is ready, as `is_ready` says.
    fn lock_if_ready(&self, side: Side) -> bool;

    /// Gives the lock back.
    ///
    /// # Safety
    /// The caller holds it, by `lock`.
    unsafe fn unlock(&self);

    /// Whether sending (`Senders`) or receiving (`Receivers`) has something to do at once. It may
    /// still come to nothing.
    ///
    /// # Safety
    /// The caller holds the lock, by `lock`.
    unsafe fn is_ready(&self, side: Side) -> bool;

    /// Gets room for a message, and gives the lock back. `None` if there is none.
    ///
    /// # Safety
    /// The caller holds the lock, by `lock`.
    unsafe fn start_sending(&self) -> Option<Selected>;

    /// Receives a message into `place`, and gives the lock back. `None` if there is none.
    ///
    /// # Safety
    /// The caller holds the lock, by `lock`, and `place` is the caller's, with room for a message.
    unsafe fn receive(&self, place: *mut ()) -> Option<Selected>;

    /// Puts a node into a queue. Whether there are watchers to be told.
    ///
    /// # Safety
    /// The caller holds the lock, by `lock`, and sees to invariant 2.
    unsafe fn enlist(&self, side: Side, node: *const Node<Slot>) -> bool;

    /// Takes a node out of its queue, unless somebody else has. On return nobody looks at it any
    /// more, but for a handshake.
    ///
    /// # Safety
    /// The node is the caller's own, and was put into this queue.
    unsafe fn withdraw(&self, side: Side, node: *const Node<Slot>);

    /// Makes those who watch look.
    fn announce(&self);

    /// Gives back what a sender was selected for that makes no message after all.
    fn abandon(&self, selected: Selected);
}

impl<T> Selectable for Core<T> {
    fn lock(&self) {
        mem::forget(self.state.lock());
    }

    fn lock_if_ready(&self, side: Side) -> bool {
        let state = self.state.lock();
        let ready = state.is_ready(side);
        if ready {
            mem::forget(state);
        }
        ready
    }

    unsafe fn unlock(&self) {
        // SAFETY: as the caller says (invariant 1).
        drop(unsafe { self.state.assume_locked() });
    }

    unsafe fn is_ready(&self, side: Side) -> bool {
        // SAFETY: as the caller says; the guard is forgotten again (invariant 1).
        let state = unsafe { self.state.assume_locked() };
        let ready = state.is_ready(side);
        mem::forget(state);
        ready
    }

    unsafe fn start_sending(&self) -> Option<Selected> {
        // SAFETY: as the caller says (invariant 1).
        let mut state = unsafe { self.state.assume_locked() };
        if state.no_receivers {
            return Some(Selected::Closed);
        }
        if state.buffer.has_room() {
            state.buffer.keep();
            return Some(Selected::Room);
        }
        state.begin_handshake().map(Selected::Receiver)
    }

    unsafe fn receive(&self, place: *mut ()) -> Option<Selected> {
        // SAFETY: as the caller says (invariant 1).
        match self.recv_now(unsafe { self.state.assume_locked() }) {
            Ok(message) => {
                // SAFETY: as the caller says.
                unsafe { place.cast::<T>().write(message) };
                Some(Selected::Message)
            }
            Err(NotNow::Closed) => Some(Selected::Closed),
            Err(NotNow::Again | NotNow::Empty(_)) => None,
        }
    }

    unsafe fn enlist(&self, side: Side, node: *const Node<Slot>) -> bool {
        // SAFETY: as the caller says; the guard is forgotten again (invariant 1).
        let mut state = unsafe { self.state.assume_locked() };
        // SAFETY: the caller sees to it (invariant 2).
        unsafe { state.queue(side).push(node) };
        let tell = side != Side::Watchers && !state.watchers.is_empty();
        mem::forget(state);
        tell
    }

    unsafe fn withdraw(&self, side: Side, node: *const Node<Slot>) {
        // SAFETY: as the caller says.
        unsafe { self.state.lock().queue(side).remove(node) };
    }

    fn announce(&self) {
        announce(self.state.lock());
    }

    fn abandon(&self, selected: Selected) {
        match selected {
            Selected::Room => {
                let mut state = self.state.lock();
                state.buffer.release();
                let wake = state.refill();
                announce(state);
                drop(wake);
            }
            Selected::Receiver(ticket) => ticket.cancel(),
            Selected::Message | Selected::Closed | Selected::Due(_) => {}
        }
    }
}

impl<T> State<T> {
    #[inline]
    fn is_ready(&self, side: Side) -> bool {
        match side {
            Side::Senders => self.no_receivers || self.buffer.has_room() || !self.receivers.is_empty(),
            _ => self.buffer.len() != 0 || !self.senders.is_empty() || self.no_senders,
        }
    }

    #[inline]
    fn queue(&mut self, side: Side) -> &mut Queue<Slot> {
        match side {
            Side::Senders => &mut self.senders,
            Side::Receivers => &mut self.receivers,
            Side::Watchers => &mut self.watchers,
        }
    }
}

impl<T> Core<T> {
    /// Sends the message of an arm that is selected. Never blocks. `Err` if there are no receivers
    /// any more.
    ///
    /// `selected` comes from this channel.
    pub(crate) fn complete(&self, selected: Selected, message: T) -> Result<(), T> {
        match selected {
            Selected::Room => {
                let mut state = self.state.lock();
                state.buffer.release();
                // There is room now, if only because it was kept.
                self.send_locked(state, message, Timeout::Try).map_err(SendFailed::into_message)
            }
            Selected::Receiver(ticket) => {
                // SAFETY: a receiver of this channel's.
                unsafe { ticket.send(message) };
                Ok(())
            }
            Selected::Message | Selected::Closed | Selected::Due(_) => Err(message),
        }
    }
}
