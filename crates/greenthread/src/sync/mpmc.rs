//! Channels with many senders and many receivers. This is [`std::sync::mpmc`], on stable Rust and
//! for green threads.
//!
//! [`channel`] creates an unbounded channel, to which sending never blocks. [`sync_channel`]
//! creates a bounded channel. Sending to a full channel waits until a message has been received. A
//! channel with the bound 0 has no buffer: `send` returns when a receiver has received the message.
//! Each message is received by exactly one receiver.
//!
//! A green thread that waits lets its worker run other threads. An OS thread that waits blocks.
//! Waiting threads are served in the order in which they came. The channels of
//! [`greenthread::channel`](crate::channel) also work with `select!`.
//!
//! # Memory
//!
//! The same as for [`mpsc`](super::mpsc).
//!
//! # Differs from std
//!
//! * Deadlines are of the type [`greenthread::time::Instant`](crate::time::Instant).
//! * The handles, the iterators and [`SendTimeoutError`] are types of this crate. The other errors
//!   are those of `std::sync::mpsc`, as with std.
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

/// Creates an unbounded channel. Sending to it never blocks.
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

/// Creates a channel that holds up to `cap` messages. If `cap` is 0, `send` waits until its message
/// has been received.
///
/// # Panics
///
/// If `cap` messages are larger than `isize::MAX` bytes. If their memory can't be allocated, the
/// process aborts.
///
/// # Examples
///
/// ```
/// use greenthread::{sync::mpmc::sync_channel, thread};
///
/// let (sender, receiver) = sync_channel(1);
/// sender.send(1).unwrap(); // The channel is empty: returns at once.
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
    /// Receives a message if there is one at this moment. Never blocks.
    "sync::mpmc", "channel", "sync_channel", Rx<T>
}

/// The error of [`Sender::send_timeout`] and [`Sender::send_deadline`]. It contains the message.
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
    /// The channel stayed full, or with a bound of 0 no receiver came, until the time ran out.
    Timeout(T),
    /// All receivers have been dropped.
    Disconnected(T),
}

error! {
    SendTimeoutError<T>, SendError<T>, error => Self::Disconnected(error.0),
    Self::Timeout(_) => "timed out waiting on send operation",
    Self::Disconnected(_) => "sending on a disconnected channel",
}
