//! The sending end.

use core::{
    fmt,
    panic::{RefUnwindSafe, UnwindSafe},
    time::Duration,
};

use super::{SendError, SendTimeoutError, TrySendError};
use crate::{
    sync::chan::{
        core::{SendFailed, Timeout},
        handle::Tx,
    },
    time::Instant,
};

/// The sending end of a channel. Clone it, or share it, for more senders.
///
/// # Examples
///
/// ```
/// use greenthread::{sync::mpmc::channel, thread};
///
/// let (s1, r) = channel();
/// let s2 = s1.clone();
/// thread::spawn(move || s1.send(1).unwrap());
/// thread::spawn(move || s2.send(2).unwrap());
/// assert_eq!(r.recv().unwrap() + r.recv().unwrap(), 3);
/// ```
pub struct Sender<T> {
    pub(super) core: Tx<T>,
}

impl<T> UnwindSafe for Sender<T> {}
impl<T> RefUnwindSafe for Sender<T> {}

impl<T> Sender<T> {
    /// Sends a message if there is room at this moment, or a receiver waiting. Never blocks.
    ///
    /// # Errors
    ///
    /// There is no room, or no receiver any more; the error holds the message.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::mpmc::{TrySendError, sync_channel};
    ///
    /// let (s, r) = sync_channel(1);
    /// assert_eq!(s.try_send(1), Ok(()));
    /// assert_eq!(s.try_send(2), Err(TrySendError::Full(2)));
    /// drop(r);
    /// assert_eq!(s.try_send(3), Err(TrySendError::Disconnected(3)));
    /// ```
    pub fn try_send(&self, msg: T) -> Result<(), TrySendError<T>> {
        self.core.send(msg, Timeout::Try).map_err(|failed| match failed {
            SendFailed::Full(message) => TrySendError::Full(message),
            SendFailed::Closed(message) => TrySendError::Disconnected(message),
        })
    }

    /// Sends a message, and waits for room if there is none; with a capacity of 0, until it is received.
    ///
    /// Blocks the calling thread, green or OS.
    ///
    /// # Errors
    ///
    /// There is no receiver any more; the error holds the message.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::mpmc::{SendError, sync_channel}, thread};
    ///
    /// let (s, r) = sync_channel(1);
    /// assert_eq!(s.send(1), Ok(()));
    /// let receiver = thread::spawn(move || (r.recv(), r));
    /// assert_eq!(s.send(2), Ok(())); // Waits for the first message to be received.
    /// assert_eq!(receiver.join().unwrap().0, Ok(1));
    /// assert_eq!(s.send(3), Err(SendError(3)));
    /// ```
    pub fn send(&self, msg: T) -> Result<(), SendError<T>> {
        self.core.send(msg, Timeout::Wait(None)).map_err(|failed| {
            // Without a deadline it fails in one way only.
            let (SendFailed::Closed(message) | SendFailed::Full(message)) = failed;
            SendError(message)
        })
    }

    /// As [`send`](Sender::send), waiting for `timeout` at most.
    ///
    /// # Errors
    ///
    /// There was no room in time, or there is no receiver any more; the error holds the message.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::mpmc::{SendTimeoutError, sync_channel}, time::Duration};
    ///
    /// let (s, r) = sync_channel(0);
    /// let timeout = Duration::from_millis(5);
    /// assert_eq!(s.send_timeout(1, timeout), Err(SendTimeoutError::Timeout(1)));
    /// drop(r);
    /// assert_eq!(s.send_timeout(1, timeout), Err(SendTimeoutError::Disconnected(1)));
    /// ```
    pub fn send_timeout(&self, msg: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        self.send_within(msg, Timeout::within(timeout))
    }

    /// As [`send`](Sender::send), waiting until `deadline` at most.
    ///
    /// # Errors
    ///
    /// There was no room in time, or there is no receiver any more; the error holds the message.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::mpmc::{SendTimeoutError, sync_channel}, time::{Duration, Instant}};
    ///
    /// let (s, _r) = sync_channel(0);
    /// let deadline = Instant::now() + Duration::from_millis(5);
    /// assert_eq!(s.send_deadline(1, deadline), Err(SendTimeoutError::Timeout(1)));
    /// ```
    pub fn send_deadline(&self, msg: T, deadline: Instant) -> Result<(), SendTimeoutError<T>> {
        self.send_within(msg, Timeout::until(deadline))
    }

    fn send_within(&self, message: T, timeout: Timeout) -> Result<(), SendTimeoutError<T>> {
        self.core.send(message, timeout).map_err(|failed| match failed {
            SendFailed::Full(message) => SendTimeoutError::Timeout(message),
            SendFailed::Closed(message) => SendTimeoutError::Disconnected(message),
        })
    }

    /// Whether there is no message in the channel; with a capacity of 0, always.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::mpmc::channel;
    ///
    /// let (s, _r) = channel();
    /// assert!(s.is_empty());
    /// s.send(1).unwrap();
    /// assert!(!s.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.core.is_empty()
    }

    /// Whether there are as many messages in the channel as may be; with a capacity of 0, always.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::mpmc::sync_channel;
    ///
    /// let (s, _r) = sync_channel(1);
    /// assert!(!s.is_full());
    /// s.send(1).unwrap();
    /// assert!(s.is_full());
    /// ```
    pub fn is_full(&self) -> bool {
        self.core.is_full()
    }

    /// How many messages are in the channel.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::mpmc::channel;
    ///
    /// let (s, _r) = channel();
    /// s.send(1).unwrap();
    /// s.send(2).unwrap();
    /// assert_eq!(s.len(), 2);
    /// ```
    pub fn len(&self) -> usize {
        self.core.len()
    }

    /// How many messages there may be in the channel; `None` if there is no limit.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::mpmc::{channel, sync_channel};
    ///
    /// assert_eq!(channel::<()>().0.capacity(), None);
    /// assert_eq!(sync_channel::<()>(5).0.capacity(), Some(5));
    /// ```
    pub fn capacity(&self) -> Option<usize> {
        self.core.capacity()
    }

    /// Whether both send to one channel.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::mpmc::channel;
    ///
    /// let (s, _r) = channel::<()>();
    /// assert!(s.same_channel(&s.clone()));
    /// assert!(!s.same_channel(&channel().0));
    /// ```
    pub fn same_channel(&self, other: &Sender<T>) -> bool {
        self.core.same_channel(&other.core)
    }
}

impl<T> Clone for Sender<T> {
    /// One more sender for the same channel.
    fn clone(&self) -> Self {
        Self { core: self.core.clone() }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}
