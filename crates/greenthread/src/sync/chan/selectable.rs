//! A channel of any message type, as a select uses it.
//!
//! Invariants:
//! 1. `lock` leaves the channel's lock held, and so does `lock_if_ready` if it returns `true`. The
//!    same thread releases it by `unlock`, `start_sending` or `receive`, while it looks at its
//!    channels, and in between calls only functions of this trait.
//! 2. The nodes of a select obey the invariants of `wait_queue`, in each of their queues.

use core::mem;

use super::{
    core::{Core, NotNow, SendFailed, State, Timeout, announce},
    slot::{SendTicket, Slot},
    wait_queue::{Node, Queue},
};

/// One of the queues of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The threads that send.
    Senders,
    /// The threads that receive.
    Receivers,
    /// The threads that wait until an operation is ready, and do it later.
    Watchers,
}

/// The outcome of a selected operation.
#[derive(Debug)]
pub(crate) enum Selected {
    /// The message has been written to the operation's `place`.
    Message,
    /// The other side of the channel is closed.
    Closed,
    /// A slot in the buffer is reserved for the message.
    Room,
    /// A receiver waits until the message has been made.
    Receiver(SendTicket),
    /// A timer was due at this time.
    Due(std::time::Instant),
}

/// See the module's comment.
pub(crate) trait Selectable {
    /// Takes the lock, and leaves it held (invariant 1).
    fn lock(&self);

    /// Takes the lock, and leaves it held if the side is ready (`is_ready`). Otherwise releases it.
    fn lock_if_ready(&self, side: Side) -> bool;

    /// Releases the lock.
    ///
    /// # Safety
    /// The caller has taken the lock by `lock`.
    unsafe fn unlock(&self);

    /// Whether sending (`Senders`) or receiving (`Receivers`) can probably proceed at once. To do
    /// it may still fail: the claim of a waiting thread may be lost.
    ///
    /// # Safety
    /// The caller has taken the lock by `lock`.
    unsafe fn is_ready(&self, side: Side) -> bool;

    /// Gets a slot or a receiver for a message, and releases the lock. `None` if there is none.
    ///
    /// # Safety
    /// The caller has taken the lock by `lock`.
    unsafe fn start_sending(&self) -> Option<Selected>;

    /// Receives a message into `place`, and releases the lock. `None` if there is none.
    ///
    /// # Safety
    /// The caller has taken the lock by `lock`. `place` has room for a message, and is the caller's
    /// to write.
    unsafe fn receive(&self, place: *mut ()) -> Option<Selected>;

    /// Puts a node into a queue. Returns whether the caller has to `announce` that to watchers,
    /// after it has released the lock.
    ///
    /// # Safety
    /// The caller has taken the lock by `lock`, and vouches for invariant 2.
    unsafe fn enlist(&self, side: Side, node: *const Node<Slot>) -> bool;

    /// Takes a node out of its queue, unless another thread has. On return no other thread accesses
    /// the node, except for a handshake.
    ///
    /// # Safety
    /// The node is the caller's own, and was put into this queue.
    unsafe fn withdraw(&self, side: Side, node: *const Node<Slot>);

    /// Wakes all watchers, so that they look at the channel.
    fn announce(&self);

    /// Undoes what was selected for a sender that makes no message after all.
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
        // SAFETY: the caller has taken the lock by `lock` (invariant 1).
        drop(unsafe { self.state.assume_locked() });
    }

    unsafe fn is_ready(&self, side: Side) -> bool {
        // SAFETY: the caller has taken the lock by `lock` (invariant 1). The guard is forgotten
        // below, so the lock stays held.
        let state = unsafe { self.state.assume_locked() };
        let ready = state.is_ready(side);
        mem::forget(state);
        ready
    }

    unsafe fn start_sending(&self) -> Option<Selected> {
        // SAFETY: the caller has taken the lock by `lock` (invariant 1).
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
        // SAFETY: the caller has taken the lock by `lock` (invariant 1).
        match self.recv_now(unsafe { self.state.assume_locked() }) {
            Ok(message) => {
                // SAFETY: the caller vouches that `place` has room for a `T`.
                unsafe { place.cast::<T>().write(message) };
                Some(Selected::Message)
            }
            Err(NotNow::Closed) => Some(Selected::Closed),
            Err(NotNow::Again | NotNow::Empty(_)) => None,
        }
    }

    unsafe fn enlist(&self, side: Side, node: *const Node<Slot>) -> bool {
        // SAFETY: the caller has taken the lock by `lock` (invariant 1). The guard is forgotten
        // below, so the lock stays held.
        let mut state = unsafe { self.state.assume_locked() };
        // SAFETY: the caller vouches for invariant 2.
        unsafe { state.queue(side).push(node) };
        let has_watchers = side != Side::Watchers && !state.watchers.is_empty();
        mem::forget(state);
        has_watchers
    }

    unsafe fn withdraw(&self, side: Side, node: *const Node<Slot>) {
        // SAFETY: the caller's own node, and in this queue or none.
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
    pub(super) fn is_ready(&self, side: Side) -> bool {
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
    /// Sends the message of a selected operation. Never blocks. Returns the message as `Err` if all
    /// receivers have been dropped.
    ///
    /// `selected` was selected at this channel.
    pub(crate) fn complete(&self, selected: Selected, message: T) -> Result<(), T> {
        match selected {
            Selected::Room => {
                let mut state = self.state.lock();
                state.buffer.release();
                // There is a slot now: the one that was just released, if no other.
                self.send_locked(state, message, Timeout::Try).map_err(SendFailed::into_message)
            }
            Selected::Receiver(ticket) => {
                // SAFETY: the receiver waits at this channel, so its messages are `T`.
                unsafe { ticket.send(message) };
                Ok(())
            }
            Selected::Message | Selected::Closed | Selected::Due(_) => Err(message),
        }
    }
}
