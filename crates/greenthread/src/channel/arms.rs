//! The arms of `select!`, on the stack of the thread that selects.
//!
//! Invariants:
//! 1. A `Selection` borrows its arm, so the arm does not move while the selection exists. The
//!    selection identifies the arm by the address of its message (a receive) or by its channel (a
//!    send). `finish` consumes the selection.
//! 2. A `Selection` that holds `Selected::Message` says that the message has been written to the
//!    arm's `place`. The message is read through that selection only.

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

/// The outcome of a select, as long as the chosen arm has not used it. If it is dropped unused, the
/// operation is undone.
pub struct Selection<'a> {
    selected: Option<Selected>,
    channel: Option<&'a dyn Selectable>,
    /// The address of the message of an arm that receives; null for the others.
    place: *const (),
}

impl<'a> Selection<'a> {
    pub(super) fn new(selected: Selected, operation: &Operation<'a>) -> Self {
        Self { selected: Some(selected), channel: operation.channel(), place: operation.place() }
    }

    /// Completes a receive, and consumes what was selected.
    ///
    /// # Safety
    /// `receiver` is the one that this was selected for. `place` is the present address of the
    /// message: it differs from `self.place` if the message has been moved since the select.
    pub(super) unsafe fn receive<T>(
        &mut self,
        receiver: &Receiver<T>,
        place: *const (),
    ) -> Result<T, RecvError> {
        // SAFETY: the caller vouches that `receiver` was selected, and that `place` holds its
        // message (invariant 2). `take` sees to it that the message is read once.
        self.selected
            .take()
            .map_or(Err(RecvError), |selected| unsafe { receiver.core.finish(&selected, place.cast()) })
    }

    /// Completes a send, and consumes what was selected. `sender` is the one that this was selected
    /// for.
    pub(super) fn send<T>(&mut self, sender: &Sender<T>, message: T) -> Result<(), SendError<T>> {
        match self.selected.take() {
            Some(selected) => sender.core.complete(selected, message).map_err(SendError),
            None => Err(SendError(message)),
        }
    }

    /// Undoes the operation. A message that has been received already stays in its place, and is
    /// leaked.
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

/// Does one of the operations. Returns its index and what was selected for it. The index is
/// `usize::MAX` if no operation was ready in time.
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
    /// Makes an arm that receives from `receiver`.
    pub fn new(receiver: &'a Receiver<T>) -> Self {
        Self { receiver, place: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    /// The operation that the select does for this arm.
    pub fn operation(&self) -> Operation<'_> {
        // SAFETY: `self.place` has room for a `T`, and is borrowed for as long as the operation
        // lives.
        unsafe { self.receiver.core.operation(self.place.get()) }
    }

    /// Returns the message.
    ///
    /// # Panics
    ///
    /// If `selection` is for another arm.
    pub fn finish(&self, mut selection: Selection<'_>) -> Result<T, RecvError> {
        let place = self.place.get().cast_const().cast();
        assert!(selection.place.is_null() || selection.place == place, "selected for another arm");
        // SAFETY: the assertion has shown that it was selected for this arm, and the arm has not
        // moved since (invariant 1).
        unsafe { selection.receive(self.receiver, place) }
    }
}

/// An arm that sends.
pub struct SendArm<'a, T> {
    sender: &'a Sender<T>,
}

impl<'a, T> SendArm<'a, T> {
    /// Makes an arm that sends to `sender`.
    pub fn new(sender: &'a Sender<T>) -> Self {
        Self { sender }
    }

    /// The operation that the select does for this arm.
    pub fn operation(&self) -> Operation<'a> {
        Operation::send(&*self.sender.core)
    }

    /// Sends the message.
    ///
    /// # Panics
    ///
    /// If `selection` is for another channel.
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
