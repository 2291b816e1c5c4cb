//! The receiver and its iterators.

use core::{iter::FusedIterator, mem::MaybeUninit};
use std::sync::Arc;

use super::err::{RecvError, RecvTimeoutError, TryRecvError};
use crate::{
    sync::chan::{
        core::{RecvFailed, Timeout},
        ends::receiver,
        handle::Rx,
        select::Operation,
        selectable::Selected,
        timer::{self, Timer},
    },
    task::{coop::polled, time::now},
    time::Instant,
};

receiver! {
    /// Receives a message if the channel has one now.
    ///
    /// This method blocks in one case only: if a `send` arm of a [`select!`](super::select) has
    /// been chosen to send to this receiver and its message is still being evaluated, the method
    /// waits for that message. Inside [`without_yield`](crate::thread::without_yield), where no
    /// other green thread of this worker runs, that wait never ends if the message is evaluated by
    /// one of them.
    "channel", "unbounded", "bounded", Flavor<T>
}

impl<T> FusedIterator for Iter<'_, T> {}
impl<T> FusedIterator for IntoIter<T> {}

/// The source of a receiver's messages.
pub(super) enum Flavor<T> {
    Channel(Rx<T>),
    /// A timer, and the function that turns its times into messages. `T` is always `Instant`.
    Timer(Arc<Timer>, fn(Instant) -> T),
    Never,
}

impl<T> Flavor<T> {
    fn recv(&self, timeout: Timeout) -> Result<T, RecvFailed> {
        match self {
            Self::Channel(core) => core.recv(timeout),
            Self::Timer(timer, message) => timer.recv(timeout).map(|due| message(due.into())),
            Self::Never => Err(timer::recv_never(timeout)),
        }
    }

    fn is_full(&self) -> bool {
        match self {
            Self::Channel(core) => core.is_full(),
            Self::Timer(..) => self.len() == 1,
            Self::Never => true,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Channel(core) => core.len(),
            Self::Timer(timer, _) => usize::from(polled(timer.is_due(now()))),
            Self::Never => usize::from(polled(false)),
        }
    }

    fn capacity(&self) -> Option<usize> {
        match self {
            Self::Channel(core) => core.capacity(),
            Self::Timer(..) => Some(1),
            Self::Never => Some(0),
        }
    }

    fn same_channel(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Channel(one), Self::Channel(other)) => one.same_channel(other),
            (Self::Timer(one, _), Self::Timer(other, _)) => Arc::ptr_eq(one, other),
            (Self::Never, Self::Never) => true,
            _ => false,
        }
    }

    /// The operation of a select that receives from here into `place`.
    ///
    /// # Safety
    /// As for [`Operation::receive`].
    pub(super) unsafe fn operation(&self, place: *mut MaybeUninit<T>) -> Operation<'_> {
        match self {
            // SAFETY: the caller vouches for `place`, by the same contract.
            Self::Channel(core) => unsafe { Operation::receive(&**core, place.cast()) },
            Self::Timer(timer, _) => Operation::timer(timer),
            Self::Never => Operation::never(),
        }
    }

    /// The result of an arm that was selected.
    ///
    /// # Safety
    /// `selected` came from this receiver's operation. `place` holds the message that the select
    /// wrote, and it has not been read yet.
    pub(super) unsafe fn finish(
        &self,
        selected: &Selected,
        place: *const MaybeUninit<T>,
    ) -> Result<T, RecvError> {
        match (selected, self) {
            // SAFETY: `Selected::Message` says that a `T` has been written to `place`, and the
            // caller vouches that this is the first read.
            (Selected::Message, _) => Ok(unsafe { place.cast::<T>().read() }),
            (Selected::Due(due), Self::Timer(_, message)) => Ok(message((*due).into())),
            _ => Err(RecvError),
        }
    }
}

impl<T> Clone for Flavor<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Channel(core) => Self::Channel(core.clone()),
            Self::Timer(timer, message) => Self::Timer(Arc::clone(timer), *message),
            Self::Never => Self::Never,
        }
    }
}
