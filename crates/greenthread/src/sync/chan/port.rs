//! A channel, whatever its messages, as a select sees it.
//!
//! Invariants:
//! 1. `lock` leaves the channel's lock held; the same thread gives it back by `unlock` or `perform`, within the time of
//!    one select's look at its channels, and in between calls nothing but this trait's functions.
//! 2. A select's nodes obey the invariants of `queue`, in each of their queues.

use core::mem;

use super::{
    core::{Core, NotNow, Patience, SendFailed, State, announce},
    queue::Node,
    slot::{Promise, Slot},
};

/// Which of a channel's queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Of those who send.
    Senders,
    /// Of those who receive.
    Receivers,
    /// Of those who want to know when they could.
    Watchers,
}

/// What an arm of a select has won.
#[derive(Debug)]
pub(crate) enum Won {
    /// The message is in its place.
    Message,
    /// There is no other side any more.
    Closed,
    /// Room for a message is kept.
    Room,
    /// A receiver waits for the message.
    Receiver(Promise),
    /// A timer's time.
    Due(std::time::Instant),
}

/// See the module.
pub(crate) trait Port {
    /// Takes the lock, for `unlock` or `perform`.
    fn lock(&self);

    /// Takes the lock if it is ready, as `is_ready` says.
    fn lock_if_ready(&self, line: Line) -> bool;

    /// Gives the lock back.
    ///
    /// # Safety
    /// The caller holds it, by `lock`.
    unsafe fn unlock(&self);

    /// Whether sending (`Senders`) or receiving (`Receivers`) has something to do at once. It may still come to nothing.
    ///
    /// # Safety
    /// The caller holds the lock, by `lock`.
    unsafe fn is_ready(&self, line: Line) -> bool;

    /// Gets room for a message, and gives the lock back. `None` if there is none.
    ///
    /// # Safety
    /// The caller holds the lock, by `lock`.
    unsafe fn start_sending(&self) -> Option<Won>;

    /// Receives a message into `place`, and gives the lock back. `None` if there is none.
    ///
    /// # Safety
    /// The caller holds the lock, by `lock`, and `place` is the caller's, with room for a message.
    unsafe fn receive(&self, place: *mut ()) -> Option<Won>;

    /// Puts a node into a queue. Whether there are watchers to be told.
    ///
    /// # Safety
    /// The caller holds the lock, by `lock`, and sees to invariant 2.
    unsafe fn enlist(&self, line: Line, node: *const Node<Slot>) -> bool;

    /// Takes a node out of its queue, unless somebody else has. On return nobody looks at it any more, but for a promise.
    ///
    /// # Safety
    /// The node is the caller's own, and was put into this queue.
    unsafe fn withdraw(&self, line: Line, node: *const Node<Slot>);

    /// Makes those who watch look.
    fn announce(&self);

    /// Gives back what was won by a sender that makes no message after all.
    fn abandon(&self, won: Won);
}

impl<T> Port for Core<T> {
    fn lock(&self) {
        mem::forget(self.state.lock());
    }

    fn lock_if_ready(&self, line: Line) -> bool {
        let state = self.state.lock();
        let ready = state.is_ready(line);
        if ready {
            mem::forget(state);
        }
        ready
    }

    unsafe fn unlock(&self) {
        // SAFETY: as the caller says (invariant 1).
        drop(unsafe { self.state.held() });
    }

    unsafe fn is_ready(&self, line: Line) -> bool {
        // SAFETY: as the caller says; the guard is forgotten again (invariant 1).
        let state = unsafe { self.state.held() };
        let ready = state.is_ready(line);
        mem::forget(state);
        ready
    }

    unsafe fn start_sending(&self) -> Option<Won> {
        // SAFETY: as the caller says (invariant 1).
        let mut state = unsafe { self.state.held() };
        if state.no_receivers {
            return Some(Won::Closed);
        }
        if state.buffer.has_room() {
            state.buffer.keep();
            return Some(Won::Room);
        }
        state.promise().map(Won::Receiver)
    }

    unsafe fn receive(&self, place: *mut ()) -> Option<Won> {
        // SAFETY: as the caller says (invariant 1).
        match self.recv_now(unsafe { self.state.held() }) {
            Ok(message) => {
                // SAFETY: as the caller says.
                unsafe { place.cast::<T>().write(message) };
                Some(Won::Message)
            }
            Err(NotNow::Closed) => Some(Won::Closed),
            Err(NotNow::Again | NotNow::Empty(_)) => None,
        }
    }

    unsafe fn enlist(&self, line: Line, node: *const Node<Slot>) -> bool {
        // SAFETY: as the caller says; the guard is forgotten again (invariant 1).
        let mut state = unsafe { self.state.held() };
        let queue = match line {
            Line::Senders => &mut state.senders,
            Line::Receivers => &mut state.receivers,
            Line::Watchers => &mut state.watchers,
        };
        // SAFETY: the caller sees to it (invariant 2).
        unsafe { queue.push(node) };
        let tell = line != Line::Watchers && !state.watchers.is_empty();
        mem::forget(state);
        tell
    }

    unsafe fn withdraw(&self, line: Line, node: *const Node<Slot>) {
        let mut state = self.state.lock();
        let queue = match line {
            Line::Senders => &mut state.senders,
            Line::Receivers => &mut state.receivers,
            Line::Watchers => &mut state.watchers,
        };
        // SAFETY: as the caller says.
        unsafe { queue.remove(node) };
    }

    fn announce(&self) {
        announce(self.state.lock());
    }

    fn abandon(&self, won: Won) {
        match won {
            Won::Room => {
                let mut state = self.state.lock();
                state.buffer.release();
                let wake = state.refill();
                announce(state);
                drop(wake);
            }
            Won::Receiver(promise) => promise.drop(),
            Won::Message | Won::Closed | Won::Due(_) => {}
        }
    }
}

impl<T> State<T> {
    #[inline]
    fn is_ready(&self, line: Line) -> bool {
        match line {
            Line::Senders => self.no_receivers || self.buffer.has_room() || !self.receivers.is_empty(),
            _ => self.buffer.len() != 0 || !self.senders.is_empty() || self.no_senders,
        }
    }
}

impl<T> Core<T> {
    /// Sends the message of an arm that has won. Never blocks. `Err` if there are no receivers any more.
    ///
    /// `won` was won on this channel.
    pub(crate) fn complete(&self, won: Won, message: T) -> Result<(), T> {
        match won {
            Won::Room => {
                let mut state = self.state.lock();
                state.buffer.release();
                // There is room now, if only because it was kept.
                self.send_locked(state, message, Patience::Try).map_err(|failed| {
                    let (SendFailed::Closed(message) | SendFailed::Full(message)) = failed;
                    message
                })
            }
            Won::Receiver(promise) => {
                // SAFETY: a receiver of this channel's.
                unsafe { promise.keep(message) };
                Ok(())
            }
            Won::Message | Won::Closed | Won::Due(_) => Err(message),
        }
    }
}
