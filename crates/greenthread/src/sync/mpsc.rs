//! First-in, first-out channels with many senders and one receiver. This is [`std::sync::mpsc`] for
//! green threads.
//!
//! [`channel`] creates an unbounded channel, to which sending never blocks. [`sync_channel`]
//! creates a bounded channel. Sending to a full channel waits until a message has been received. A
//! channel with the bound 0 has no buffer: `send` returns when the receiver has received the
//! message.
//!
//! A green thread that waits lets its worker run other threads. An OS thread that waits blocks.
//! Both kinds of thread may use the same channel, at either end. Waiting threads are served in the
//! order in which they came, and no other thread overtakes them.
//!
//! When all senders have been dropped, the receiver receives the messages that are left, and then
//! an error. When the receiver has been dropped, the messages that are left are dropped. Sending
//! then fails, and the error contains the message.
//!
//! # Memory
//!
//! A bounded channel allocates memory for all its messages when it is created. An unbounded channel
//! allocates one block for every 31 messages that have not been received, and keeps one empty block
//! for reuse. Waiting does not allocate. As with std, a failing allocation aborts the process.
//!
//! # Differs from std
//!
//! * A waking thread hands the message to the waiting receiver, or takes the message of the waiting
//!   sender. A message that is sent just as a [`recv_timeout`](Receiver::recv_timeout) times out is
//!   either received by that call or stays in the channel, as with std.
//! * The iterators and handles are types of this crate. The errors are std's.
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

/// The sending half of [`channel`]. Clones of it send to the same channel.
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

/// The sending half of [`sync_channel`]. Clones of it send to the same channel.
///
/// # Examples
///
/// ```
/// use greenthread::{sync::mpsc::sync_channel, thread};
///
/// let (sender, receiver) = sync_channel(1);
/// thread::spawn(move || {
///     for n in 0..10 {
///         sender.send(n).unwrap(); // Waits while the channel is full.
///     }
/// });
/// assert!(receiver.iter().eq(0..10));
/// ```
pub struct SyncSender<T> {
    core: Tx<T>,
}

/// The receiving half of [`channel`] and [`sync_channel`]. A channel has only one receiver, which
/// can be moved to another thread but not shared.
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
    /// Makes the receiver `!Sync`, as std's is: one thread at a time receives.
    _not_sync: PhantomData<*const ()>,
}

// SAFETY: `Rx<T>` is `Send` if `T: Send`. The marker has no data: it is there to remove `Sync`
// only.
unsafe impl<T: Send> Send for Receiver<T> {}

impl<T> UnwindSafe for Sender<T> {}
impl<T> RefUnwindSafe for Sender<T> {}
impl<T> UnwindSafe for SyncSender<T> {}
impl<T> RefUnwindSafe for SyncSender<T> {}
impl<T> UnwindSafe for Receiver<T> {}
impl<T> RefUnwindSafe for Receiver<T> {}

/// Creates an unbounded channel. Sending to it never blocks.
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

/// Creates a channel that holds up to `bound` messages. If `bound` is 0, `send` waits until its
/// message has been received.
///
/// # Panics
///
/// If `bound` messages are larger than `isize::MAX` bytes. If their memory can't be allocated, the
/// process aborts.
///
/// # Examples
///
/// ```
/// use greenthread::{sync::mpsc::sync_channel, thread};
///
/// let (sender, receiver) = sync_channel(1);
/// sender.send(1).unwrap(); // The channel is empty: returns at once.
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
    /// use greenthread::sync::mpsc::channel;
    ///
    /// let (sender, receiver) = channel();
    /// sender.send(1).unwrap();
    /// drop(receiver);
    /// assert_eq!(sender.send(2).unwrap_err().0, 2);
    /// ```
    pub fn send(&self, t: T) -> Result<(), SendError<T>> {
        // An unbounded channel is never full, so this never waits.
        self.core.send(t, Timeout::Wait(None)).map_err(|failed| SendError(failed.into_message()))
    }
}

impl<T> SyncSender<T> {
    send_methods!("sync::mpsc", "sync_channel");
}

impl<T> Receiver<T> {
    recv_methods! {
        /// Receives a message if there is one at this moment. Never blocks.
        "sync::mpsc", "channel"
    }
}

iterators! {
    #[derive(Debug)]
    "sync::mpsc", "channel"
}

impl<T> Clone for Sender<T> {
    /// Creates another sender for the same channel.
    fn clone(&self) -> Self {
        Self { core: self.core.clone() }
    }
}

impl<T> Clone for SyncSender<T> {
    /// Creates another sender for the same channel.
    fn clone(&self) -> Self {
        Self { core: self.core.clone() }
    }
}

opaque_debug!(Sender<T>, SyncSender<T>, Receiver<T>);
