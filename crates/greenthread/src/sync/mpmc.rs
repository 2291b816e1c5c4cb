//! Channels with many senders and many receivers. This is [`std::sync::mpmc`], on stable Rust and
//! for green threads.
//!
//! [`channel`] has room for any number of messages, so sending never blocks; [`sync_channel`] has a
//! bound, and sending waits for room. With a bound of 0 each message passes from hand to hand. Each
//! message is received by one of the receivers.
//!
//! A green thread that waits lets its worker run others; an OS thread that waits blocks. Threads
//! that wait are served in the order in which they came. [`greenthread::channel`](crate::channel)
//! has such channels with `select!`.
//!
//! # Memory
//!
//! As with [`mpsc`](super::mpsc).
//!
//! # Differs from std
//!
//! * Deadlines are [`greenthread::time::Instant`](crate::time::Instant).
//! * The handles, the iterators and [`SendTimeoutError`] are types of our own; the other errors are
//!   those of std's `mpsc`, as with std.
//!
//! # Examples
//!
//! ```
//! use greenthread::{sync::mpmc, thread};
//!
//! let (sender, receiver) = mpmc::channel();
//! let workers: Vec<_> = (0..3)
//!     .map(|_| {
//!         let receiver = receiver.clone();
//!         thread::spawn(move || receiver.iter().sum::<i32>())
//!     })
//!     .collect();
//! (0..10).for_each(|n| sender.send(n).unwrap());
//! drop(sender);
//! assert_eq!(workers.into_iter().map(|worker| worker.join().unwrap()).sum::<i32>(), 45);
//! ```

#[doc(no_inline)]
pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

use super::chan::{
    ends::{error, receiver, sender},
    handle::{self, Rx},
};

/// A channel with room for any number of messages.
///
/// # Examples
///
/// ```
/// use greenthread::{sync::mpmc::channel, thread};
///
/// let (sender, receiver) = channel();
/// thread::spawn(move || sender.send(10).unwrap());
/// assert_eq!(receiver.recv().unwrap(), 10);
/// ```
#[must_use]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    new(None)
}

/// A channel with room for `cap` messages; with 0, `send` waits until its message is received.
///
/// # Panics
///
/// If `cap` messages are more than `isize::MAX` bytes. If the memory for them can't be had, the
/// process aborts.
///
/// # Examples
///
/// ```
/// use greenthread::{sync::mpmc::sync_channel, thread};
///
/// let (sender, receiver) = sync_channel(1);
/// sender.send(1).unwrap(); // There is room.
/// thread::spawn(move || sender.send(2).unwrap()); // Waits for the first one to be received.
/// assert!(receiver.iter().eq([1, 2]));
/// ```
#[must_use]
pub fn sync_channel<T>(cap: usize) -> (Sender<T>, Receiver<T>) {
    new(Some(cap))
}

fn new<T>(capacity: Option<usize>) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = handle::channel(capacity);
    (Sender { core: sender }, Receiver { core: receiver })
}

sender!("sync::mpmc", "channel", "sync_channel");
receiver! {
    /// Takes a message if there is one at this moment. Never blocks.
    "sync::mpmc", "channel", "sync_channel", Rx<T>
}

/// Why [`Sender::send_timeout`] and [`Sender::send_deadline`] sent nothing. It holds the message.
///
/// # Examples
///
/// ```
/// use greenthread::{sync::mpmc::{SendTimeoutError, sync_channel}, time::Duration};
///
/// let (sender, _receiver) = sync_channel(0);
/// assert_eq!(sender.send_timeout(1, Duration::from_millis(5)), Err(SendTimeoutError::Timeout(1)));
/// ```
#[derive(PartialEq, Eq, Clone, Copy)]
pub enum SendTimeoutError<T> {
    /// There was no room in time.
    Timeout(T),
    /// There is no receiver any more.
    Disconnected(T),
}

error! {
    SendTimeoutError<T>, SendError<T>, error => Self::Disconnected(error.0),
    Self::Timeout(_) => "timed out waiting on send operation",
    Self::Disconnected(_) => "sending on a disconnected channel",
}
