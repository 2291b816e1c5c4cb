//! Channels: many senders, one receiver, first in, first out. This is [`std::sync::mpsc`] for green threads.
//!
//! [`channel`] has room for any number of messages, so sending never blocks; [`sync_channel`] has a bound,
//! and sending waits for room. With a bound of 0 each message passes from hand to hand: `send` returns when
//! it was received.
//!
//! A green thread that waits lets its worker run others; an OS thread that waits blocks. Both may be at the
//! same channel, at either end. Threads that wait are served in the order in which they came, and nobody
//! overtakes them.
//!
//! When all senders are gone, the receiver gets what is in the channel, and then an error. When the receiver
//! is gone, what is in the channel is dropped, and sending fails and gives the message back.
//!
//! # Memory
//!
//! A bounded channel allocates room for all its messages when it is made. An unbounded one allocates a block
//! for each 31 messages that nobody has received yet, and keeps one block for later. Waiting allocates
//! nothing. As with std, a failing allocation aborts the process.
//!
//! # Differs from std
//!
//! * A thread that waits is handed the message (or its message is taken over) by the thread that wakes it.
//!   What is sent just as a [`recv_timeout`](Receiver::recv_timeout) runs out is either received by it or
//!   stays in the channel, as with std.
//! * The iterators and handles are types of our own; the errors are std's.
//!
//! # Examples
//!
//! ```
//! use greenthread::{sync::mpsc, thread};
//!
//! let (sender, receiver) = mpsc::channel();
//! for n in 0..3 {
//!     let sender = sender.clone();
//!     thread::spawn(move || sender.send(n).unwrap());
//! }
//! drop(sender);
//! let mut all: Vec<i32> = receiver.iter().collect();
//! all.sort();
//! assert_eq!(all, [0, 1, 2]);
//! ```

use core::{
    fmt,
    marker::PhantomData,
    panic::{RefUnwindSafe, UnwindSafe},
    time::Duration,
};

#[doc(no_inline)]
pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

use super::chan::{
    core::{RecvFailed, SendFailed, Timeout},
    handle::{self, Rx, Tx},
};

/// The sending half of [`channel`]. Clone it for more senders.
///
/// # Examples
///
/// ```
/// use greenthread::{sync::mpsc::channel, thread};
///
/// let (sender, receiver) = channel();
/// let other = sender.clone();
/// thread::spawn(move || sender.send(1).unwrap());
/// thread::spawn(move || other.send(2).unwrap());
/// assert_eq!(receiver.iter().sum::<i32>(), 3);
/// ```
pub struct Sender<T> {
    core: Tx<T>,
}

/// The sending half of [`sync_channel`]. Clone it for more senders.
///
/// # Examples
///
/// ```
/// use greenthread::{sync::mpsc::sync_channel, thread};
///
/// let (sender, receiver) = sync_channel(1);
/// thread::spawn(move || {
///     for n in 0..10 {
///         sender.send(n).unwrap(); // Waits until there is room.
///     }
/// });
/// assert!(receiver.iter().eq(0..10));
/// ```
pub struct SyncSender<T> {
    core: Tx<T>,
}

/// The receiving half of [`channel`] and [`sync_channel`]. There is one only, and it can't be shared.
///
/// # Examples
///
/// ```
/// use greenthread::sync::mpsc::channel;
///
/// let (sender, receiver) = channel();
/// sender.send("hello").unwrap();
/// assert_eq!(receiver.recv().unwrap(), "hello");
/// ```
pub struct Receiver<T> {
    core: Rx<T>,
    /// One consumer at a time, as std promises: not `Sync`.
    _not_sync: PhantomData<*const ()>,
}

// SAFETY: a receiver is a counted core, which is `Send` and `Sync` if messages are `Send`; the marker
// only takes `Sync` away.
unsafe impl<T: Send> Send for Receiver<T> {}

impl<T> UnwindSafe for Sender<T> {}
impl<T> RefUnwindSafe for Sender<T> {}
impl<T> UnwindSafe for SyncSender<T> {}
impl<T> RefUnwindSafe for SyncSender<T> {}
impl<T> UnwindSafe for Receiver<T> {}
impl<T> RefUnwindSafe for Receiver<T> {}

/// A channel with room for any number of messages.
///
/// # Examples
///
/// ```
/// use greenthread::{sync::mpsc::channel, thread};
///
/// let (sender, receiver) = channel();
/// thread::spawn(move || sender.send(10).unwrap());
/// assert_eq!(receiver.recv().unwrap(), 10);
/// ```
#[must_use]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = handle::channel(None);
    (Sender { core: sender }, Receiver { core: receiver, _not_sync: PhantomData })
}

/// A channel with room for `bound` messages; with 0, `send` waits until its message is received.
///
/// # Panics
///
/// If `bound` messages are more than `isize::MAX` bytes. If the memory for them can't be had, the process
/// aborts.
///
/// # Examples
///
/// ```
/// use greenthread::{sync::mpsc::sync_channel, thread};
///
/// let (sender, receiver) = sync_channel(1);
/// sender.send(1).unwrap(); // There is room.
/// thread::spawn(move || sender.send(2).unwrap()); // Waits for the first one to be received.
/// assert_eq!(receiver.recv().unwrap(), 1);
/// assert_eq!(receiver.recv().unwrap(), 2);
/// ```
#[must_use]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let (sender, receiver) = handle::channel(Some(bound));
    (SyncSender { core: sender }, Receiver { core: receiver, _not_sync: PhantomData })
}

impl<T> Sender<T> {
    /// Sends a message. Never blocks.
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
    /// use greenthread::sync::mpsc::channel;
    ///
    /// let (sender, receiver) = channel();
    /// sender.send(1).unwrap();
    /// drop(receiver);
    /// assert_eq!(sender.send(2).unwrap_err().0, 2);
    /// ```
    pub fn send(&self, t: T) -> Result<(), SendError<T>> {
        // Without a bound there is always room.
        self.core.send(t, Timeout::Wait(None)).map_err(returned)
    }
}

fn returned<T>(failed: SendFailed<T>) -> SendError<T> {
    let (SendFailed::Closed(message) | SendFailed::Full(message)) = failed;
    SendError(message)
}

impl<T> SyncSender<T> {
    /// Sends a message, and waits for room if there is none.
    ///
    /// Blocks the calling thread, green or OS, while the channel is full; with a bound of 0, until the
    /// message is received.
    ///
    /// # Errors
    ///
    /// The receiver is gone, or goes while this waits; the error holds the message.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::mpsc::sync_channel, thread};
    ///
    /// let (sender, receiver) = sync_channel(0);
    /// thread::spawn(move || sender.send("from hand to hand").unwrap());
    /// assert_eq!(receiver.recv().unwrap(), "from hand to hand");
    /// ```
    pub fn send(&self, t: T) -> Result<(), SendError<T>> {
        self.core.send(t, Timeout::Wait(None)).map_err(returned)
    }

    /// Sends a message if there is room at this moment, or a receiver waiting. Never blocks.
    ///
    /// # Errors
    ///
    /// There is no room ([`TrySendError::Full`]) or no receiver ([`TrySendError::Disconnected`]); the error
    /// holds the message.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::mpsc::{TrySendError, sync_channel};
    ///
    /// let (sender, receiver) = sync_channel(1);
    /// sender.try_send(1).unwrap();
    /// assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    /// drop(receiver);
    /// assert_eq!(sender.try_send(3), Err(TrySendError::Disconnected(3)));
    /// ```
    pub fn try_send(&self, t: T) -> Result<(), TrySendError<T>> {
        self.core.send(t, Timeout::Try).map_err(|failed| match failed {
            SendFailed::Full(message) => TrySendError::Full(message),
            SendFailed::Closed(message) => TrySendError::Disconnected(message),
        })
    }
}

impl<T> Receiver<T> {
    /// Takes a message if there is one at this moment. Never blocks.
    ///
    /// # Errors
    ///
    /// There is none: [`TryRecvError::Empty`], or [`TryRecvError::Disconnected`] if there can be none any
    /// more.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::mpsc::{TryRecvError, channel};
    ///
    /// let (sender, receiver) = channel();
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    /// sender.send(1).unwrap();
    /// drop(sender);
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
    /// ```
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.core.recv(Timeout::Try).map_err(|failed| match failed {
            RecvFailed::Empty => TryRecvError::Empty,
            RecvFailed::Closed => TryRecvError::Disconnected,
        })
    }

    /// Takes the oldest message, and waits for one if there is none.
    ///
    /// Blocks the calling thread, green or OS.
    ///
    /// # Errors
    ///
    /// There is no message, and no sender any more. What was sent before the last sender went is received
    /// first.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::mpsc::{RecvError, channel}, thread};
    ///
    /// let (sender, receiver) = channel();
    /// thread::spawn(move || sender.send(1).unwrap());
    /// assert_eq!(receiver.recv(), Ok(1));
    /// assert_eq!(receiver.recv(), Err(RecvError));
    /// ```
    pub fn recv(&self) -> Result<T, RecvError> {
        self.core.recv(Timeout::Wait(None)).map_err(|_| RecvError)
    }

    /// As [`recv`](Receiver::recv), waiting for `timeout` at most.
    ///
    /// # Errors
    ///
    /// No message came in time ([`RecvTimeoutError::Timeout`]), or none can come any more
    /// ([`RecvTimeoutError::Disconnected`]).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use greenthread::sync::mpsc::{RecvTimeoutError, channel};
    ///
    /// let (sender, receiver) = channel::<()>();
    /// let timeout = Duration::from_millis(5);
    /// assert_eq!(receiver.recv_timeout(timeout), Err(RecvTimeoutError::Timeout));
    /// drop(sender);
    /// assert_eq!(receiver.recv_timeout(timeout), Err(RecvTimeoutError::Disconnected));
    /// ```
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.core.recv(Timeout::within(timeout)).map_err(|failed| match failed {
            RecvFailed::Empty => RecvTimeoutError::Timeout,
            RecvFailed::Closed => RecvTimeoutError::Disconnected,
        })
    }

    /// The messages as they come; it waits for each, and ends when there can be none any more.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::mpsc::channel, thread};
    ///
    /// let (sender, receiver) = channel();
    /// thread::spawn(move || (0..3).for_each(|n| sender.send(n).unwrap()));
    /// assert!(receiver.iter().eq(0..3));
    /// ```
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { receiver: self }
    }

    /// The messages that are there already; it never waits.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::mpsc::channel;
    ///
    /// let (sender, receiver) = channel();
    /// assert_eq!(receiver.try_iter().count(), 0);
    /// sender.send(1).unwrap();
    /// sender.send(2).unwrap();
    /// assert!(receiver.try_iter().eq([1, 2]));
    /// ```
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { receiver: self }
    }
}

impl<T> Clone for Sender<T> {
    /// One more sender for the same channel.
    fn clone(&self) -> Self {
        Self { core: self.core.clone() }
    }
}

impl<T> Clone for SyncSender<T> {
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

impl<T> fmt::Debug for SyncSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncSender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

/// The messages of a [`Receiver`], waited for; see [`Receiver::iter`].
///
/// # Examples
///
/// ```
/// use greenthread::sync::mpsc::channel;
///
/// let (s, r) = channel();
/// s.send(1).unwrap();
/// s.send(2).unwrap();
/// drop(s);
/// assert_eq!(r.iter().collect::<Vec<_>>(), [1, 2]);
/// ```
#[derive(Debug)]
pub struct Iter<'a, T: 'a> {
    receiver: &'a Receiver<T>,
}

/// The messages that a [`Receiver`] has already; see [`Receiver::try_iter`].
///
/// # Examples
///
/// ```
/// use greenthread::sync::mpsc::channel;
///
/// let (s, r) = channel();
/// s.send(1).unwrap();
/// assert_eq!(r.try_iter().collect::<Vec<_>>(), [1]);
/// assert_eq!(r.try_iter().next(), None);
/// drop(s);
/// ```
#[derive(Debug)]
pub struct TryIter<'a, T: 'a> {
    receiver: &'a Receiver<T>,
}

/// The messages of a [`Receiver`], waited for, with the receiver inside; `for message in receiver` makes it.
///
/// # Examples
///
/// ```
/// use greenthread::sync::mpsc::channel;
///
/// let (s, r) = channel();
/// s.send(1).unwrap();
/// drop(s);
/// let mut messages = r.into_iter();
/// assert_eq!((messages.next(), messages.next()), (Some(1), None));
/// ```
#[derive(Debug)]
pub struct IntoIter<T> {
    receiver: Receiver<T>,
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.try_recv().ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter { receiver: self }
    }
}
