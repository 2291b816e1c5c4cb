//! Channels with many senders, many receivers and a `select!`: the interface of
//! `crossbeam-channel`, for green threads.
//!
//! [`unbounded`] has room for any number of messages, so sending never blocks. [`bounded`] has room
//! for as many as it is told, and sending waits for room; with a capacity of 0 each message passes
//! from hand to hand. [`after`], [`at`] and [`tick`] deliver the time, [`never()`] delivers
//! nothing: for [`select!`].
//!
//! A green thread that waits lets its worker run others; an OS thread that waits blocks. Both may
//! be at the same channel, at either end, and in one select. Threads that wait are served in the
//! order in which they came.
//!
//! When all senders are gone, receivers get what is in the channel, and then an error. When all
//! receivers are gone, what is in the channel is dropped, and sending fails and gives the message
//! back.
//!
//! # Select
//!
//! [`select!`] waits for the first of several operations that can go on, and does that one and no
//! other: no message is lost, taken twice or sent twice, whichever wins, and whether or not a
//! timeout comes in between. Of those that are ready it takes any, with equal odds;
//! [`select_biased!`] takes the first. `default` is taken only if at one moment none was ready.
//! [`Select`] does the same with a list that is made at run time.
//!
//! # Memory
//!
//! A bounded channel allocates room for all its messages when it is made. An unbounded one
//! allocates a block for each 31 messages that nobody has received yet, and keeps one for later.
//! Waiting allocates nothing, in a select neither: a select has a node on its own stack for each
//! operation. No thread is made for [`after`], [`at`] and [`tick`]. As with std, a failing
//! allocation aborts the process.
//!
//! # Coming from Go
//!
//! A nil channel is [`never()`]; closing is dropping the last sender; a receive from a closed
//! channel is an `Err` where Go has a zero value; a send without receivers is an `Err` where Go
//! waits, and there is no panic for it. In `select!` the message of a `send` is computed only if
//! that operation has been chosen.
//!
//! # Differs from crossbeam-channel
//!
//! * The times that [`after`], [`at`], [`tick`] and the deadlines have are
//!   [`greenthread::time::Instant`](crate::time::Instant).
//! * `default` in `select!` and `try_select` look at all channels at one moment, not one after the
//!   other.
//! * If the message of a chosen `send` panics, or leaves the `select!` by `return`, `break` or `?`,
//!   the operation is undone, and the receiver that was to have the message goes on waiting. (There
//!   the process aborts.)
//! * A [`SelectedOperation`] that is dropped while unwinding is undone in the same way, without a
//!   second panic.
//! * `select!` takes any number of operations, not 32.
//! * [`TryReadyError`] and [`ReadyTimeoutError`] are errors with a text, that of [`TrySelectError`]
//!   and [`SelectTimeoutError`].
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

/// What the macros expand to.
#[doc(hidden)]
pub mod internal {
    pub use super::arms::{RecvArm, Selection, SendArm, run};
    pub use crate::sync::chan::{
        core::Timeout,
        select::{Choice, Operation},
    };
}

/// A channel with room for any number of messages.
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
/// use greenthread::{channel::bounded, thread};
///
/// let (s, r) = bounded(1);
/// s.send(1).unwrap(); // There is room.
/// thread::spawn(move || s.send(2).unwrap()); // Waits for the first one to be received.
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

/// A channel that delivers one message, the present time, after `duration`.
///
/// One of its receivers gets it. After that the channel is empty for ever; it never disconnects.
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

/// A channel that delivers one message, the time, at `when`.
///
/// One of its receivers gets it. After that the channel is empty for ever; it never disconnects.
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

/// A channel that delivers the time, again and again, a `duration` apart.
///
/// One message at most lies in it, and while nobody takes it there are no others: if it is taken
/// more than a `duration` late, the next one comes a `duration` after that. The channel never
/// disconnects.
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
        // Beyond what a clock can show.
        None => never(),
    }
}

/// A channel that never delivers anything, and never disconnects.
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
