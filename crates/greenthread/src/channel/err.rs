//! The errors of channel operations.

use core::{error::Error, fmt};

use crate::sync::chan::ends::error;

/// The error of [`send`](super::Sender::send): all receivers have been dropped. It holds the
/// message.
///
/// # Examples
///
/// ```
/// use greenthread::channel::{SendError, unbounded};
///
/// let (s, r) = unbounded();
/// drop(r);
/// assert_eq!(s.send(1), Err(SendError(1)));
/// ```
#[derive(PartialEq, Eq, Clone, Copy)]
pub struct SendError<T>(pub T);

/// The error of [`try_send`](super::Sender::try_send). It holds the message.
///
/// # Examples
///
/// ```
/// use greenthread::channel::bounded;
///
/// let (s, _r) = bounded(0);
/// let error = s.try_send(1).unwrap_err();
/// assert!(error.is_full() && !error.is_disconnected());
/// assert_eq!(error.into_inner(), 1);
/// ```
#[derive(PartialEq, Eq, Clone, Copy)]
pub enum TrySendError<T> {
    /// The channel is full; with a capacity of 0, no receiver is waiting.
    Full(T),
    /// All receivers have been dropped.
    Disconnected(T),
}

/// The error of [`send_timeout`](super::Sender::send_timeout) and
/// [`send_deadline`](super::Sender::send_deadline). It holds the message.
///
/// # Examples
///
/// ```
/// use greenthread::{channel::bounded, time::Duration};
///
/// let (s, _r) = bounded(0);
/// let error = s.send_timeout(1, Duration::from_millis(1)).unwrap_err();
/// assert!(error.is_timeout() && !error.is_disconnected());
/// assert_eq!(error.into_inner(), 1);
/// ```
#[derive(PartialEq, Eq, Clone, Copy)]
pub enum SendTimeoutError<T> {
    /// The channel was full until the time was up; with a capacity of 0, no receiver took the
    /// message.
    Timeout(T),
    /// All receivers have been dropped.
    Disconnected(T),
}

/// The error of [`recv`](super::Receiver::recv): the channel is empty, and all senders have been
/// dropped.
///
/// # Examples
///
/// ```
/// use greenthread::channel::{RecvError, unbounded};
///
/// let (s, r) = unbounded::<()>();
/// drop(s);
/// assert_eq!(r.recv(), Err(RecvError));
/// ```
#[derive(PartialEq, Eq, Clone, Copy, Debug)]
pub struct RecvError;

/// The error of [`try_recv`](super::Receiver::try_recv).
///
/// # Examples
///
/// ```
/// use greenthread::channel::unbounded;
///
/// let (_s, r) = unbounded::<()>();
/// assert!(r.try_recv().unwrap_err().is_empty());
/// ```
#[derive(PartialEq, Eq, Clone, Copy, Debug)]
pub enum TryRecvError {
    /// The channel is empty.
    Empty,
    /// The channel is empty, and all senders have been dropped.
    Disconnected,
}

/// The error of [`recv_timeout`](super::Receiver::recv_timeout) and
/// [`recv_deadline`](super::Receiver::recv_deadline).
///
/// # Examples
///
/// ```
/// use greenthread::{channel::unbounded, time::Duration};
///
/// let (_s, r) = unbounded::<()>();
/// assert!(r.recv_timeout(Duration::from_millis(1)).unwrap_err().is_timeout());
/// ```
#[derive(PartialEq, Eq, Clone, Copy, Debug)]
pub enum RecvTimeoutError {
    /// No message arrived in time.
    Timeout,
    /// The channel is empty, and all senders have been dropped.
    Disconnected,
}

/// The error of [`try_select`](super::Select::try_select): no operation is ready.
///
/// # Examples
///
/// ```
/// use greenthread::channel::{Select, TrySelectError};
///
/// assert_eq!(Select::new().try_select().unwrap_err(), TrySelectError);
/// ```
#[derive(PartialEq, Eq, Clone, Copy, Debug)]
pub struct TrySelectError;

/// The error of [`select_timeout`](super::Select::select_timeout) and
/// [`select_deadline`](super::Select::select_deadline): no operation became ready in time.
///
/// # Examples
///
/// ```
/// use greenthread::{channel::{Select, SelectTimeoutError}, time::Duration};
///
/// let timeout = Duration::from_millis(1);
/// assert_eq!(Select::new().select_timeout(timeout).unwrap_err(), SelectTimeoutError);
/// ```
#[derive(PartialEq, Eq, Clone, Copy, Debug)]
pub struct SelectTimeoutError;

/// The error of [`try_ready`](super::Select::try_ready): no operation is ready.
///
/// # Examples
///
/// ```
/// use greenthread::channel::{Select, TryReadyError};
///
/// assert_eq!(Select::new().try_ready(), Err(TryReadyError));
/// ```
#[derive(PartialEq, Eq, Clone, Copy, Debug)]
pub struct TryReadyError;

/// The error of [`ready_timeout`](super::Select::ready_timeout) and
/// [`ready_deadline`](super::Select::ready_deadline): no operation became ready in time.
///
/// # Examples
///
/// ```
/// use greenthread::{channel::{ReadyTimeoutError, Select}, time::Duration};
///
/// assert_eq!(Select::new().ready_timeout(Duration::from_millis(1)), Err(ReadyTimeoutError));
/// ```
#[derive(PartialEq, Eq, Clone, Copy, Debug)]
pub struct ReadyTimeoutError;

impl<T> SendError<T> {
    /// Returns the message that was not sent.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::unbounded;
    ///
    /// let (s, r) = unbounded();
    /// drop(r);
    /// assert_eq!(s.send("a letter").unwrap_err().into_inner(), "a letter");
    /// ```
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> TrySendError<T> {
    /// Returns the message that was not sent.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::bounded;
    ///
    /// let (s, _r) = bounded(1);
    /// s.send(1).unwrap();
    /// assert_eq!(s.try_send(2).unwrap_err().into_inner(), 2);
    /// ```
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(message) | Self::Disconnected(message) => message,
        }
    }

    /// Whether the channel was full.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::bounded;
    ///
    /// let (s, _r) = bounded(1);
    /// s.send(1).unwrap();
    /// assert!(s.try_send(2).unwrap_err().is_full());
    /// ```
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Whether all receivers have been dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::unbounded;
    ///
    /// let (s, r) = unbounded();
    /// drop(r);
    /// assert!(s.try_send(1).unwrap_err().is_disconnected());
    /// ```
    pub fn is_disconnected(&self) -> bool {
        matches!(self, Self::Disconnected(_))
    }
}

impl<T> SendTimeoutError<T> {
    /// Returns the message that was not sent.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{channel::bounded, time::Duration};
    ///
    /// let (s, _r) = bounded(0);
    /// assert_eq!(s.send_timeout(1, Duration::from_millis(1)).unwrap_err().into_inner(), 1);
    /// ```
    pub fn into_inner(self) -> T {
        match self {
            Self::Timeout(message) | Self::Disconnected(message) => message,
        }
    }

    /// Whether the time was up.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{channel::bounded, time::Duration};
    ///
    /// let (s, _r) = bounded(0);
    /// assert!(s.send_timeout(1, Duration::from_millis(1)).unwrap_err().is_timeout());
    /// ```
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout(_))
    }

    /// Whether all receivers have been dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{channel::bounded, time::Duration};
    ///
    /// let (s, r) = bounded(0);
    /// drop(r);
    /// assert!(s.send_timeout(1, Duration::from_secs(60)).unwrap_err().is_disconnected());
    /// ```
    pub fn is_disconnected(&self) -> bool {
        matches!(self, Self::Disconnected(_))
    }
}

impl TryRecvError {
    /// Whether the channel was empty, but not disconnected: a message may arrive later.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::unbounded;
    ///
    /// let (_s, r) = unbounded::<()>();
    /// assert!(r.try_recv().unwrap_err().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        *self == Self::Empty
    }

    /// Whether the channel was empty and all senders have been dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::channel::unbounded;
    ///
    /// let (s, r) = unbounded::<()>();
    /// drop(s);
    /// assert!(r.try_recv().unwrap_err().is_disconnected());
    /// ```
    pub fn is_disconnected(&self) -> bool {
        *self == Self::Disconnected
    }
}

impl RecvTimeoutError {
    /// Whether the time was up.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{channel::unbounded, time::Duration};
    ///
    /// let (_s, r) = unbounded::<()>();
    /// assert!(r.recv_timeout(Duration::from_millis(1)).unwrap_err().is_timeout());
    /// ```
    pub fn is_timeout(&self) -> bool {
        *self == Self::Timeout
    }

    /// Whether the channel was empty and all senders have been dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{channel::unbounded, time::Duration};
    ///
    /// let (s, r) = unbounded::<()>();
    /// drop(s);
    /// assert!(r.recv_timeout(Duration::from_secs(60)).unwrap_err().is_disconnected());
    /// ```
    pub fn is_disconnected(&self) -> bool {
        *self == Self::Disconnected
    }
}

impl<T> From<SendError<T>> for TrySendError<T> {
    fn from(error: SendError<T>) -> Self {
        Self::Disconnected(error.0)
    }
}

impl From<RecvError> for TryRecvError {
    fn from(_: RecvError) -> Self {
        Self::Disconnected
    }
}

impl From<RecvError> for RecvTimeoutError {
    fn from(_: RecvError) -> Self {
        Self::Disconnected
    }
}

// The `Debug` output leaves the message out, so that `T` need not be `Debug`.

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendError(..)")
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_full() { "Full(..)" } else { "Disconnected(..)" })
    }
}

// The texts are those of crossbeam-channel, since programs may compare them.

const NO_RECEIVER: &str = "sending on a disconnected channel";
const NO_SENDER: &str = "receiving on an empty and disconnected channel";

macro_rules! display {
    ($($error:ident $(<$message:ident>)?, $this:pat => $text:expr;)*) => { $(
        impl $(<$message>)? fmt::Display for $error $(<$message>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let $this = self;
                f.pad($text)
            }
        }

        impl $(<$message>)? Error for $error $(<$message>)? {}
    )* };
}

display! {
    SendError<T>, _ => NO_RECEIVER;
    TrySendError<T>, it => if it.is_full() { "sending on a full channel" } else { NO_RECEIVER };
    RecvError, _ => NO_SENDER;
    TryRecvError, it => if it.is_empty() { "receiving on an empty channel" } else { NO_SENDER };
    RecvTimeoutError, it => if it.is_timeout() {
        "timed out waiting on receive operation"
    } else {
        "channel is empty and disconnected"
    };
    TrySelectError, _ => "all operations in select would block";
    SelectTimeoutError, _ => "timed out waiting on select";
    TryReadyError, _ => "all operations in select would block";
    ReadyTimeoutError, _ => "timed out waiting on select";
}

error! {
    SendTimeoutError<T>, SendError<T>, error => Self::Disconnected(error.0),
    Self::Timeout(_) => "timed out waiting on send operation",
    Self::Disconnected(_) => NO_RECEIVER,
}
