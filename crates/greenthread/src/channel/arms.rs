//! The arms of `select!`, on the stack of the thread that selects.
//!
//! Invariants:
//! 1. A selection borrows its arm, which therefore stays where it is. It knows that arm by its
//!    place or its channel, and is used up by `finish`.
//! 2. A selection for a message says that the message is in the arm's place, and is the one way to
//!    it.

use core::{cell::UnsafeCell, fmt, mem::MaybeUninit, ptr};

use super::{
    err::{RecvError, SendError},
    receiver::Receiver,
    sender::Sender,
};
use crate::{
    opaque_debug::opaque_debug,
    sync::chan::{
        core::Timeout,
        select::{self, Choice, Operation},
        selectable::{Selectable, Selected},
    },
};

/// What an arm is selected for and has not used yet. Given back when it is dropped.
pub struct Selection<'a> {
    selected: Option<Selected>,
    channel: Option<&'a dyn Selectable>,
    /// Where the message is, for an arm that receives.
    place: *const (),
}

impl<'a> Selection<'a> {
    pub(super) fn new(selected: Selected, operation: &Operation<'a>) -> Self {
        Self { selected: Some(selected), channel: operation.channel(), place: operation.place() }
    }

    /// Uses it up, to receive.
    ///
    /// # Safety
    /// `receiver` is the arm's. The message is where the selection says; it is not if the selection
    /// was moved together with it.
    pub(super) unsafe fn receive<T>(
        &mut self,
        receiver: &Receiver<T>,
        place: *const (),
    ) -> Result<T, RecvError> {
        // SAFETY: as the caller says, and invariant 2.
        self.selected
            .take()
            .map_or(Err(RecvError), |selected| unsafe { receiver.core.finish(&selected, place.cast()) })
    }

    /// Uses it up, to send. `sender` is the arm's.
    pub(super) fn send<T>(&mut self, sender: &Sender<T>, message: T) -> Result<(), SendError<T>> {
        match self.selected.take() {
            Some(selected) => sender.core.complete(selected, message).map_err(SendError),
            None => Err(SendError(message)),
        }
    }

    /// Gives it back. A message that was received stays where it is, and is leaked.
    pub(super) fn give_back(&mut self) {
        if let (Some(selected), Some(channel)) = (self.selected.take(), self.channel) {
            channel.abandon(selected);
        }
    }
}

impl Drop for Selection<'_> {
    fn drop(&mut self) {
        self.give_back();
    }
}

impl fmt::Debug for Selection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selection").field("selected", &self.selected).finish_non_exhaustive()
    }
}

/// Does one of the operations, and says which, and what it is selected for. If none was ready in
/// time the number is that of none.
pub fn run<'a>(operations: &mut [Operation<'a>], timeout: Timeout, choice: Choice) -> (usize, Selection<'a>) {
    match select::select(operations, timeout, choice) {
        Some((chosen, selected)) => (chosen, Selection::new(selected, &operations[chosen])),
        None => (usize::MAX, Selection { selected: None, channel: None, place: ptr::null() }),
    }
}

/// An arm that receives.
pub struct RecvArm<'a, T> {
    receiver: &'a Receiver<T>,
    place: UnsafeCell<MaybeUninit<T>>,
}

impl<'a, T> RecvArm<'a, T> {
    /// Receives from `receiver`.
    pub fn new(receiver: &'a Receiver<T>) -> Self {
        Self { receiver, place: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    /// What the select does for it.
    pub fn operation(&self) -> Operation<'_> {
        // SAFETY: the place is borrowed for as long as the operation.
        unsafe { self.receiver.core.operation(self.place.get()) }
    }

    /// The message.
    ///
    /// # Panics
    ///
    /// If the selection is another arm's.
    pub fn finish(&self, mut selection: Selection<'_>) -> Result<T, RecvError> {
        let place = self.place.get().cast_const().cast();
        assert!(selection.place.is_null() || selection.place == place, "selected for another arm");
        // SAFETY: it is this arm's, and has not moved (invariant 1).
        unsafe { selection.receive(self.receiver, place) }
    }
}

/// An arm that sends.
pub struct SendArm<'a, T> {
    sender: &'a Sender<T>,
}

impl<'a, T> SendArm<'a, T> {
    /// Sends to `sender`.
    pub fn new(sender: &'a Sender<T>) -> Self {
        Self { sender }
    }

    /// What the select does for it.
    pub fn operation(&self) -> Operation<'a> {
        Operation::send(&*self.sender.core)
    }

    /// Sends the message.
    ///
    /// # Panics
    ///
    /// If the selection is another channel's.
    pub fn finish(&self, mut selection: Selection<'_>, message: T) -> Result<(), SendError<T>> {
        let own: &dyn Selectable = &*self.sender.core;
        assert!(
            selection.channel.is_some_and(|channel| ptr::addr_eq(channel, own)),
            "selected for another arm"
        );
        selection.send(self.sender, message)
    }
}

opaque_debug!(RecvArm<'_, T>, SendArm<'_, T>);
