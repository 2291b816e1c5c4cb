//! Channels: many senders, one receiver, first in, first out. This is [`std::sync::mpsc`] for green
//! threads.
//!
//! [`channel`] has room for any number of messages, so sending never blocks; [`sync_channel`] has a
//! bound, and sending waits for room. With a bound of 0 each message passes from hand to hand:
//! `send` returns when it was received.
//!
//! A green thread that waits lets its worker run others; an OS thread that waits blocks. Both may
//! be at the same channel, at either end. Threads that wait are served in the order in which they
//! came, and nobody overtakes them.
//!
//! When all senders are gone, the receiver gets what is in the channel, and then an error. When the
//! receiver is gone, what is in the channel is dropped, and sending fails and gives the message
//! back.
//!
//! # Memory
//!
//! A bounded channel allocates room for all its messages when it is made. An unbounded one
//! allocates a block for each 31 messages that nobody has received yet, and keeps one block for
//! later. Waiting allocates nothing. As with std, a failing allocation aborts the process.
//!
//! # Differs from std
//!
//! * A thread that waits is handed the message (or its message is taken over) by the thread that
//!   wakes it. What is sent just as a [`recv_timeout`](Receiver::recv_timeout) runs out is either
//!   received by it or stays in the channel, as with std.
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
    marker::PhantomData,
    panic::{RefUnwindSafe, UnwindSafe},
};

#[doc(no_inline)]
pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

use super::chan::{
    core::Timeout,
    ends::{iterators, recv_methods, send_methods},
    handle::{self, Rx, Tx},
};
use crate::opaque_debug::opaque_debug;

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

/// The receiving half of [`channel`] and [`sync_channel`]. There is one only, and it can't be
/// shared.
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

// SAFETY: a receiver is a counted core, which is `Send` and `Sync` if messages are `Send`; the
// marker only takes `Sync` away.
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
/// If `bound` messages are more than `isize::MAX` bytes. If the memory for them can't be had, the
/// process aborts.
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
        self.core.send(t, Timeout::Wait(None)).map_err(|failed| SendError(failed.into_message()))
    }
}

impl<T> SyncSender<T> {
    send_methods!("sync::mpsc", "sync_channel");
}

impl<T> Receiver<T> {
    recv_methods! {
        /// Takes a message if there is one at this moment. Never blocks.
        "sync::mpsc", "channel"
    }
}

iterators! {
    #[derive(Debug)]
    "sync::mpsc", "channel"
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

opaque_debug!(Sender<T>, SyncSender<T>, Receiver<T>);
