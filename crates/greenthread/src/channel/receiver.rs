//! The receiver and its iterators.

use core::{
    future::Future,
    iter::FusedIterator,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, Waker},
};
use std::sync::Arc;

use super::err::{RecvError, RecvTimeoutError, TryRecvError};
use crate::{
    sync::chan::{
        awaiting::RecvFuture,
        core::{Core, RecvFailed, Timeout},
        ends::receiver,
        handle::Rx,
        select::Operation,
        selectable::Selected,
        timer::{self, Timer},
    },
    task::{coop::polled, time::now},
    thread::{self, JoinFuture},
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

    fn recv_future(&self) -> FlavorFuture<'_, T> {
        match self {
            Self::Channel(core) => FlavorFuture::Channel(core.recv_future()),
            Self::Timer(timer, message) => FlavorFuture::Timer(timer, *message, None),
            Self::Never => FlavorFuture::Never,
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

/// The receiving of one message from any source.
enum FlavorFuture<'a, T> {
    Channel(RecvFuture<T, &'a Core<T>>),
    /// A green thread waits until a message is due, since the task's executor may have no timers.
    Timer(&'a Arc<Timer>, fn(Instant) -> T, Option<Nap>),
    Never,
}

impl<T> FlavorFuture<'_, T> {
    fn poll(&mut self, waker: &Waker) -> Poll<Result<T, RecvFailed>> {
        match self {
            Self::Channel(future) => future.poll(waker),
            Self::Timer(timer, message, nap) => loop {
                if let Some(due) = timer.take(now()) {
                    return Poll::Ready(Ok(message(due.into())));
                }
                if nap.get_or_insert_with(|| Nap::new(timer)).poll(waker).is_pending() {
                    return Poll::Pending;
                }
                *nap = None;
            },
            Self::Never => Poll::Pending,
        }
    }
}

/// A thread that waits for a timer. It is cancelled when this is dropped.
struct Nap(JoinFuture<()>);

impl Nap {
    fn new(timer: &Arc<Timer>) -> Self {
        let timer = Arc::clone(timer);
        Self(thread::spawn(move || timer.wait()).into_future())
    }

    fn poll(&mut self, waker: &Waker) -> Poll<()> {
        Pin::new(&mut self.0).poll(&mut Context::from_waker(waker)).map(|_| ())
    }
}

impl Drop for Nap {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
