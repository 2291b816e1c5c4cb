//! Channels with many senders, many receivers and a `select!`: the interface of
//! `crossbeam-channel`, for green threads.
//!
//! An [`unbounded`] channel holds any number of messages, so sending never blocks. A [`bounded`]
//! channel holds at most the given number of messages, and sending waits while it is full. With a
//! capacity of 0 the channel holds none: the sender waits until a receiver takes the message (a
//! rendezvous). [`after`], [`at`] and [`tick`] make receivers that deliver the time, and
//! [`never()`] makes one that delivers nothing. They are meant for [`select!`].
//!
//! A green thread that waits lets its worker run other threads. An OS thread that waits blocks.
//! Green and OS threads may use the same channel, at either end, and the same select. Waiting
//! threads are served in the order in which they began to wait.
//!
//! When all senders have been dropped, receivers first get the messages that are still in the
//! channel, and then an error. When all receivers have been dropped, the messages in the channel
//! are dropped too; sending fails, and the error returns the message.
//!
//! # Select
//!
//! [`select!`] waits until one of several operations can proceed, and does exactly that one. No
//! message is lost, received twice or sent twice, whichever operation is chosen, and whether or not
//! a timeout expires at the same time. If several operations are ready, `select!` chooses one of
//! them at random, with equal odds; [`select_biased!`] chooses the first. The `default` arm is
//! chosen only if there was a moment at which no operation was ready. [`Select`] does the same with
//! a list that is built at run time.
//!
//! # Memory
//!
//! A bounded channel allocates memory for all its messages when it is made. An unbounded channel
//! allocates one block for every 31 messages that have not been received yet, and keeps one emptied
//! block for reuse. Waiting allocates nothing, and neither does waiting in a `select!`: it keeps a
//! queue node for each operation on its own stack. [`after`], [`at`] and [`tick`] start no thread.
//! As with std, the process aborts if an allocation fails.
//!
//! # Coming from Go
//!
//! * A nil channel is [`never()`].
//! * A channel is closed by dropping its last sender.
//! * Receiving from a closed channel returns an `Err`, where Go returns a zero value.
//! * Sending to a channel without receivers returns an `Err`, where Go waits for ever. No send
//!   panics, as one to a closed channel does in Go.
//! * `select!` evaluates the message of a `send` only if that operation has been chosen.
//!
//! # Differs from crossbeam-channel
//!
//! * [`after`], [`at`], [`tick`] and the methods that take a deadline use
//!   [`greenthread::time::Instant`](crate::time::Instant).
//! * `default` in `select!`, and `try_select`, look at all channels at one moment, not at one after
//!   the other.
//! * If evaluating the message of a chosen `send` panics, or leaves the `select!` by `return`,
//!   `break` or `?`, the operation is undone, and the receiver that was to get the message
//!   continues to wait. (In crossbeam-channel the process aborts.)
//! * A [`SelectedOperation`] that is dropped during unwinding is undone in the same way, without a
//!   second panic.
//! * `select!` takes any number of operations, where crossbeam-channel's takes at most 32.
//! * [`TryReadyError`] and [`ReadyTimeoutError`] implement `Error`, with the same texts as
//!   [`TrySelectError`] and [`SelectTimeoutError`].
//!
//! # Examples
//!
//! ```
//! use greenthread::{channel::{after, bounded, select, unbounded}, thread, time::Duration};
//!
//! let (work, jobs) = bounded(0);
//! let (done, results) = unbounded();
//! for _ in 0..4 {
//!     let (jobs, done) = (jobs.clone(), done.clone());
//!     thread::spawn(move || jobs.iter().for_each(|n: u64| done.send(n * n).unwrap()));
//! }
//!
//! let timeout = after(Duration::from_secs(60));
//! let (mut next, mut sum, mut count) = (0, 0, 0);
//! while count < 100 {
//!     select! {
//!         send(work, next) -> sent => {
//!             sent.unwrap();
//!             next += 1;
//!         }
//!         recv(results) -> square => {
//!             sum += square.unwrap();
//!             count += 1;
//!         }
//!         recv(timeout) -> _ => panic!("so slow?"),
//!     }
//! }
//! assert!(sum >= (0..100).map(|n| n * n).sum());
//! ```

mod arms;
mod err;
mod macros;
mod receiver;
mod select;
mod selected;
mod sender;

use std::{sync::Arc, time};

#[doc(inline)]
pub use crate::{__channel_select as select, __channel_select_biased as select_biased};
pub use err::{
    ReadyTimeoutError, RecvError, RecvTimeoutError, SelectTimeoutError, SendError, SendTimeoutError,
    TryReadyError, TryRecvError, TrySelectError, TrySendError,
};
pub use receiver::{IntoIter, Iter, Receiver, TryIter};
pub use select::Select;
pub use selected::SelectedOperation;
pub use sender::Sender;

use crate::{
    sync::chan::{handle, timer::Timer},
    task::time::deadline_after,
    time::{Duration, Instant},
};
use receiver::Flavor;

/// The items that the expansions of `select!` and `select_biased!` use.
#[doc(hidden)]
pub mod internal {
    pub use super::arms::{RecvArm, Selection, SendArm, run};
    pub use crate::sync::chan::{
        core::Timeout,
        select::{Choice, Operation},
    };
}

/// Creates a channel that holds any number of messages.
///
/// # Examples
///
/// ```
/// use greenthread::{channel::unbounded, thread};
///
/// let (s, r) = unbounded();
/// thread::spawn(move || (0..100).for_each(|n| s.send(n).unwrap()));
/// assert_eq!(r.iter().sum::<i32>(), 99 * 100 / 2);
/// ```
#[must_use]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    new(None)
}

/// Creates a channel that holds at most `cap` messages. If `cap` is 0, `send` waits until its
/// message has been received.
///
/// # Panics
///
/// If `cap` messages take more than `isize::MAX` bytes. If their memory cannot be allocated, the
/// process aborts.
///
/// # Examples
///
/// ```
/// use greenthread::{channel::bounded, thread};
///
/// let (s, r) = bounded(1);
/// s.send(1).unwrap(); // The channel has room.
/// thread::spawn(move || s.send(2).unwrap()); // Waits until the first one has been received.
/// assert!(r.iter().eq([1, 2]));
/// ```
#[must_use]
pub fn bounded<T>(cap: usize) -> (Sender<T>, Receiver<T>) {
    new(Some(cap))
}

fn new<T>(capacity: Option<usize>) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = handle::channel(capacity);
    (Sender { core: sender }, Receiver { core: Flavor::Channel(receiver) })
}

/// Creates a receiver that gets one message: the time at which `duration` has elapsed.
///
/// If the receiver is cloned, one of the clones gets the message. After that the channel stays
/// empty; it never disconnects.
///
/// # Examples
///
/// ```
/// use greenthread::{channel::{after, select, unbounded}, time::Duration};
///
/// let (_s, r) = unbounded::<i32>();
/// select! {
///     recv(r) -> message => panic!("{message:?}"),
///     recv(after(Duration::from_millis(5))) -> _ => println!("timed out"),
/// }
/// ```
#[must_use]
pub fn after(duration: Duration) -> Receiver<Instant> {
    timer(deadline_after(duration), None)
}

/// Creates a receiver that gets one message, `when` itself, once that time has come.
///
/// If the receiver is cloned, one of the clones gets the message. After that the channel stays
/// empty; it never disconnects.
///
/// # Examples
///
/// ```
/// use greenthread::{channel::at, time::{Duration, Instant}};
///
/// let when = Instant::now() + Duration::from_millis(5);
/// assert_eq!(at(when).recv(), Ok(when));
/// assert!(Instant::now() >= when);
/// ```
#[must_use]
pub fn at(when: Instant) -> Receiver<Instant> {
    timer(Some(when.into()), None)
}

/// Creates a receiver that gets the time again and again, at intervals of `duration`.
///
/// The channel holds at most one message. While that has not been received, no further message is
/// made. If it is received more than `duration` late, the next message comes `duration` after it
/// was received. The channel never disconnects.
///
/// # Examples
///
/// ```
/// use greenthread::{channel::tick, time::{Duration, Instant}};
///
/// let start = Instant::now();
/// let ticks = tick(Duration::from_millis(2));
/// ticks.iter().take(3).for_each(|at| println!("after {:?}", at - start));
/// assert!(start.elapsed() >= Duration::from_millis(6));
/// ```
#[must_use]
pub fn tick(duration: Duration) -> Receiver<Instant> {
    timer(deadline_after(duration), Some(duration))
}

fn timer(first: Option<time::Instant>, period: Option<Duration>) -> Receiver<Instant> {
    match first {
        Some(first) => Receiver { core: Flavor::Timer(Arc::new(Timer::new(first, period)), |due| due) },
        // `first` is later than the clock can represent.
        None => never(),
    }
}

/// Creates a receiver that never gets a message and never disconnects.
///
/// # Examples
///
/// ```
/// use greenthread::{channel::{never, select, unbounded}, time::Duration};
///
/// let (s, r) = unbounded();
/// s.send(1).unwrap();
/// let other: Option<&greenthread::channel::Receiver<i32>> = None;
/// select! {
///     recv(r) -> message => assert_eq!(message, Ok(1)),
///     recv(other.unwrap_or(&never())) -> message => unreachable!("{message:?}"),
/// }
/// ```
#[must_use]
pub const fn never<T>() -> Receiver<T> {
    Receiver { core: Flavor::Never }
}
