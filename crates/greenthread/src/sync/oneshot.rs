//! A channel for one message. This is [`std::sync::oneshot`], on stable Rust and for green threads.
//!
//! Both ends are used up: sending consumes the sender and never blocks, receiving consumes the
//! receiver.
//!
//! A green thread that waits lets its worker run others; an OS thread that waits blocks.
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
    time::Duration,
};

#[doc(no_inline)]
pub use std::sync::mpsc::{RecvError, SendError};

use super::chan::{
    core::{RecvFailed, Timeout},
    ends::error,
    handle::{self, Rx, Tx},
};
use crate::{opaque_debug::opaque_debug, time::Instant};

/// A channel for one message.
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
/// // Without a message the receiver is told.
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

// SAFETY: by a shared reference nothing can be done with it but to print its name.
unsafe impl<T> Sync for Sender<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Receiver<T> {}

impl<T> UnwindSafe for Sender<T> {}
impl<T> RefUnwindSafe for Sender<T> {}
impl<T> UnwindSafe for Receiver<T> {}
impl<T> RefUnwindSafe for Receiver<T> {}

impl<T> Sender<T> {
    /// Sends the message. Never blocks.
    ///
    /// `Ok` means that the receiver was there, not that it will ever look at the message.
    ///
    /// # Errors
    ///
    /// The receiver is gone; the error holds the message.
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
        // There is room for the one message: it fails only if the receiver is gone.
        self.core.send(t, Timeout::Try).map_err(|failed| SendError(failed.into_message()))
    }
}

impl<T> Receiver<T> {
    /// Takes the message, and waits for it if need be.
    ///
    /// Blocks the calling thread, green or OS.
    ///
    /// # Errors
    ///
    /// The sender is gone and has sent nothing.
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

    /// Takes the message if it is there. Never blocks.
    ///
    /// # Errors
    ///
    /// It is not there: the error gives the receiver back. Or it can't come any more.
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

    /// As [`recv`](Receiver::recv), waiting for `timeout` at most.
    ///
    /// # Errors
    ///
    /// The message didn't come in time: the error gives the receiver back. Or it can't come any
    /// more.
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

    /// As [`recv`](Receiver::recv), waiting until `deadline` at most.
    ///
    /// # Errors
    ///
    /// The message didn't come in time: the error gives the receiver back. Or it can't come any
    /// more.
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

opaque_debug!(Sender<T>, Receiver<T>);

/// Why [`Receiver::try_recv`] returned no message.
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
    /// It is not there yet. Here is the receiver again.
    Empty(Receiver<T>),
    /// The sender is gone and has sent nothing.
    Disconnected,
}

/// Why [`Receiver::recv_timeout`] and [`Receiver::recv_deadline`] returned no message.
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
    /// It didn't come in time. Here is the receiver again.
    Timeout(Receiver<T>),
    /// The sender is gone and has sent nothing.
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
