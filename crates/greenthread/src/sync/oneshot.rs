//! A channel for one message. This is [`std::sync::oneshot`], on stable Rust and for green threads.
//!
//! Sending consumes the sender and never blocks. Receiving consumes the receiver.
//!
//! A green thread that waits lets its worker run other threads. An OS thread that waits blocks.
//!
//! # Examples
//!
//! ```
//! use greenthread::{sync::oneshot, thread};
//!
//! let (sender, receiver) = oneshot::channel();
//! thread::spawn(move || sender.send(6 * 7).unwrap());
//! assert_eq!(receiver.recv(), Ok(42));
//! ```

use core::{
    panic::{RefUnwindSafe, UnwindSafe},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

#[doc(no_inline)]
pub use std::sync::mpsc::{RecvError, SendError};

use super::chan::{
    awaiting,
    core::{RecvFailed, Timeout},
    ends::error,
    handle::{self, Rx, Tx},
};
use crate::{opaque_debug::opaque_debug, time::Instant};

/// Creates a channel for one message.
///
/// # Examples
///
/// ```
/// use greenthread::sync::oneshot::channel;
///
/// let (sender, receiver) = channel();
/// sender.send("hello").unwrap();
/// assert_eq!(receiver.recv(), Ok("hello"));
/// ```
#[must_use]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = handle::channel(Some(1));
    (Sender { core: sender }, Receiver { core: receiver })
}

/// The sending half of [`channel`].
///
/// # Examples
///
/// ```
/// use greenthread::sync::oneshot::{RecvError, channel};
///
/// // The receiver learns that the sender is gone.
/// let (sender, receiver) = channel::<i32>();
/// drop(sender);
/// assert_eq!(receiver.recv(), Err(RecvError));
/// ```
pub struct Sender<T> {
    core: Tx<T>,
}

/// The receiving half of [`channel`].
///
/// # Examples
///
/// ```
/// use greenthread::{sync::oneshot::channel, thread};
///
/// let (sender, receiver) = channel();
/// thread::spawn(move || sender.send(1).unwrap());
/// assert_eq!(receiver.recv(), Ok(1));
/// ```
pub struct Receiver<T> {
    core: Rx<T>,
}

// SAFETY: the only operation on a shared reference is `Debug`, which prints the type's name.
unsafe impl<T> Sync for Sender<T> {}
// SAFETY: the only operation on a shared reference is `Debug`, which prints the type's name.
unsafe impl<T> Sync for Receiver<T> {}

impl<T> UnwindSafe for Sender<T> {}
impl<T> RefUnwindSafe for Sender<T> {}
impl<T> UnwindSafe for Receiver<T> {}
impl<T> RefUnwindSafe for Receiver<T> {}

impl<T> Sender<T> {
    /// Sends the message. Never blocks.
    ///
    /// `Ok` means that the receiver still existed. It does not mean that the message will be
    /// received.
    ///
    /// # Errors
    ///
    /// If the receiver has been dropped. The error contains the message.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::oneshot::{SendError, channel};
    ///
    /// let (sender, receiver) = channel();
    /// drop(receiver);
    /// assert_eq!(sender.send(1), Err(SendError(1)));
    /// ```
    pub fn send(self, t: T) -> Result<(), SendError<T>> {
        // The buffer holds one message, so sending fails only if the receiver has been dropped.
        self.core.send(t, Timeout::Try).map_err(|failed| SendError(failed.into_message()))
    }
}

impl<T> Receiver<T> {
    /// Receives the message. Waits for it if need be.
    ///
    /// Blocks the calling thread, green or OS.
    ///
    /// # Errors
    ///
    /// If the sender has been dropped without sending a message.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::oneshot::channel, thread};
    ///
    /// let (sender, receiver) = channel();
    /// thread::spawn(move || sender.send(1).unwrap());
    /// assert_eq!(receiver.recv(), Ok(1));
    /// ```
    pub fn recv(self) -> Result<T, RecvError> {
        self.core.recv(Timeout::Wait(None)).map_err(|_| RecvError)
    }

    /// Receives the message if it has been sent. Never blocks.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`], which contains the receiver, if no message has been sent yet.
    /// [`TryRecvError::Disconnected`] if the sender has been dropped without sending a message.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::oneshot::{TryRecvError, channel};
    ///
    /// let (sender, receiver) = channel();
    /// let Err(TryRecvError::Empty(receiver)) = receiver.try_recv() else { unreachable!() };
    /// sender.send(1).unwrap();
    /// assert_eq!(receiver.try_recv().unwrap(), 1);
    /// ```
    pub fn try_recv(self) -> Result<T, TryRecvError<T>> {
        self.core.recv(Timeout::Try).map_err(|failed| match failed {
            RecvFailed::Empty => TryRecvError::Empty(self),
            RecvFailed::Closed => TryRecvError::Disconnected,
        })
    }

    /// Like [`recv`](Receiver::recv), but waits for at most `timeout`.
    ///
    /// # Errors
    ///
    /// [`RecvTimeoutError::Timeout`], which contains the receiver, if no message was sent in time.
    /// [`RecvTimeoutError::Disconnected`] if the sender has been dropped without sending a message.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::oneshot::{RecvTimeoutError, channel}, time::Duration};
    ///
    /// let (sender, receiver) = channel();
    /// let timeout = Duration::from_millis(5);
    /// let Err(RecvTimeoutError::Timeout(receiver)) = receiver.recv_timeout(timeout) else { unreachable!() };
    /// sender.send(1).unwrap();
    /// assert_eq!(receiver.recv_timeout(timeout).unwrap(), 1);
    /// ```
    pub fn recv_timeout(self, timeout: Duration) -> Result<T, RecvTimeoutError<T>> {
        self.recv_within(Timeout::within(timeout))
    }

    /// Like [`recv`](Receiver::recv), but waits until `deadline` at most.
    ///
    /// # Errors
    ///
    /// [`RecvTimeoutError::Timeout`], which contains the receiver, if no message was sent in time.
    /// [`RecvTimeoutError::Disconnected`] if the sender has been dropped without sending a message.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::oneshot::{RecvTimeoutError, channel}, time::{Duration, Instant}};
    ///
    /// let (_sender, receiver) = channel::<()>();
    /// let deadline = Instant::now() + Duration::from_millis(5);
    /// assert!(matches!(receiver.recv_deadline(deadline), Err(RecvTimeoutError::Timeout(_))));
    /// ```
    pub fn recv_deadline(self, deadline: Instant) -> Result<T, RecvTimeoutError<T>> {
        self.recv_within(Timeout::until(deadline))
    }

    fn recv_within(self, timeout: Timeout) -> Result<T, RecvTimeoutError<T>> {
        self.core.recv(timeout).map_err(|failed| match failed {
            RecvFailed::Empty => RecvTimeoutError::Timeout(self),
            RecvFailed::Closed => RecvTimeoutError::Disconnected,
        })
    }
}

impl<T> IntoFuture for Receiver<T> {
    type Output = Result<T, RecvError>;
    type IntoFuture = RecvFuture<T>;

    /// Awaits the message instead of blocking until it is there: see [`RecvFuture`].
    fn into_future(self) -> RecvFuture<T> {
        RecvFuture(awaiting::RecvFuture::new(self.core))
    }
}

/// A future that is ready when a [`Receiver`] has its message, or when the sender has been dropped.
/// `receiver.await` makes one, in a task of any executor. Polled again after that, it returns an
/// error.
///
/// # Examples
///
/// ```
/// use greenthread::{block_on, sync::oneshot, thread};
///
/// let (sender, receiver) = oneshot::channel();
/// thread::spawn(move || sender.send(6 * 7));
/// assert_eq!(block_on(async { receiver.await }), Ok(42));
/// ```
#[must_use = "a future does nothing unless it is polled"]
pub struct RecvFuture<T>(awaiting::RecvFuture<T, Rx<T>>);

impl<T> Future for RecvFuture<T> {
    type Output = Result<T, RecvError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(context.waker()).map_err(|_| RecvError)
    }
}

opaque_debug!(RecvFuture<T>);
opaque_debug!(Sender<T>, Receiver<T>);

/// The error of [`Receiver::try_recv`].
///
/// # Examples
///
/// ```
/// use greenthread::sync::oneshot::{TryRecvError, channel};
///
/// let (sender, receiver) = channel::<()>();
/// drop(sender);
/// assert!(matches!(receiver.try_recv(), Err(TryRecvError::Disconnected)));
/// ```
pub enum TryRecvError<T> {
    /// No message has been sent yet. This variant contains the receiver.
    Empty(Receiver<T>),
    /// The sender has been dropped without sending a message.
    Disconnected,
}

/// The error of [`Receiver::recv_timeout`] and [`Receiver::recv_deadline`].
///
/// # Examples
///
/// ```
/// use greenthread::{sync::oneshot::{RecvTimeoutError, channel}, time::Duration};
///
/// let (sender, receiver) = channel::<()>();
/// drop(sender);
/// let error = receiver.recv_timeout(Duration::from_secs(1));
/// assert!(matches!(error, Err(RecvTimeoutError::Disconnected)));
/// ```
pub enum RecvTimeoutError<T> {
    /// No message was sent in time. This variant contains the receiver.
    Timeout(Receiver<T>),
    /// The sender has been dropped without sending a message.
    Disconnected,
}

error! {
    TryRecvError<T>, RecvError, _ => Self::Disconnected,
    Self::Empty(_) => "receiving on an empty channel",
    Self::Disconnected => "receiving on a closed channel",
}
error! {
    RecvTimeoutError<T>, RecvError, _ => Self::Disconnected,
    Self::Timeout(_) => "timed out waiting on channel",
    Self::Disconnected => "receiving on a closed channel",
}
