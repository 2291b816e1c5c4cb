//! What can go wrong at a channel.

use core::{error::Error, fmt};

use crate::sync::chan::ends::error;

/// A message was not sent: there is no receiver any more. It holds the message.
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

/// A message was not sent by [`try_send`](super::Sender::try_send). It holds the message.
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
    /// There is no room; with a capacity of 0, no receiver that waits.
    Full(T),
    /// There is no receiver any more.
    Disconnected(T),
}

/// A message was not sent in time, or can't be any more. It holds the message.
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
    /// There was no room in time; with a capacity of 0, no receiver.
    Timeout(T),
    /// There is no receiver any more.
    Disconnected(T),
}

/// There is no message, and no sender any more.
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

/// No message was received by [`try_recv`](super::Receiver::try_recv).
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
    /// There is no message.
    Empty,
    /// There is no message, and no sender any more.
    Disconnected,
}

/// No message was received in time, or can be any more.
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
    /// No message came in time.
    Timeout,
    /// There is no message, and no sender any more.
    Disconnected,
}

/// None of the operations is ready; of [`try_select`](super::Select::try_select).
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

/// None of the operations was ready in time; of [`select_timeout`](super::Select::select_timeout).
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

/// None of the operations is ready; of [`try_ready`](super::Select::try_ready).
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

/// None of the operations was ready in time; of [`ready_timeout`](super::Select::ready_timeout).
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
    /// The message.
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
    /// The message.
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

    /// Whether there was no room.
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

    /// Whether there is no receiver any more.
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
    /// The message.
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

    /// Whether there was no room in time.
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

    /// Whether there is no receiver any more.
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
    /// Whether there may be a message later.
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

    /// Whether there is no sender any more.
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
    /// Whether no message came in time.
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

    /// Whether there is no sender any more.
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

// The messages themselves need not be `Debug`.

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

// The texts are those of crossbeam-channel, which programs may compare.

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
