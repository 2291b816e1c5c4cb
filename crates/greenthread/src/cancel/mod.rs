//! Cancellation: scopes that fail together, deadlines, tokens, and threads that are told to stop.
//!
//! A green thread has a stack, and a stack can be unwound at the place where it waits. So plain
//! blocking code is cancelled from outside, by the language's own mechanism: its destructors run,
//! its locks are released, and what has completed is never thrown away.
//!
//! ```
//! use greenthread::{cancel, channel, thread, time::Duration};
//!
//! // A deadline for whatever is inside.
//! let (_sender, receiver) = channel::bounded::<u32>(1);
//! let late = cancel::timeout(Duration::from_millis(1), || receiver.recv());
//! assert!(late.is_err());
//!
//! // Threads that fail together: the first error ends the others, and is returned.
//! let result = cancel::scope(|s| {
//!     let page = s.spawn(|| Ok(thread::sleep(Duration::from_secs(60))));
//!     let other = s.spawn(|| Err::<(), _>("no route"));
//!     page.join()?;
//!     other.join()
//! });
//! assert_eq!(result, Err("no route"));
//!
//! // The first of several.
//! let ask = |mirror: u64| {
//!     move || {
//!         thread::sleep(Duration::from_millis(mirror * 1000));
//!         mirror
//!     }
//! };
//! assert_eq!(cancel::race([ask(60), ask(0)]), 0);
//! ```
//!
//! # How it goes
//!
//! Cancellation is a state of a scope, and no event: once a scope is cancelled, every *cancellation
//! point* inside unwinds the thread to the edge of that scope, and does so again if code in between
//! has caught it. It unwinds with a [`Cancelled`] by [`resume_unwind`]:
//! the panic hook is not called, and nothing is printed. Scopes form a tree, across threads: a
//! thread that was spawned in a [`scope`] is below it. [`thread::spawn`](crate::thread::spawn) and
//! [`thread::scope`](crate::thread::scope) begin threads that are in no scope of this module.
//!
//! Exactly one of completion, timeout and cancellation ends a wait. If it is cancellation, the
//! other two have no effect: no message, permit, token, connection or byte is lost.
//!
//! # Limits
//!
//! A scope can have a limit of threads that live at a time ([`Scope::set_limit`]). At the limit
//! [`spawn`](Scope::spawn) waits. So a loop that accepts connections, or reads a list of addresses,
//! goes no faster than its threads end. A runtime can have one, too
//! ([`max_threads`](crate::RuntimeBuilder::max_threads)).
//!
//! # Results as they come
//!
//! A [`Group`] gives the results of its threads in the order in which they end, each with the
//! thread's name and the place where it was spawned. It is tokio's `JoinSet`.
//!
//! # The end of a program
//!
//! A token that a Ctrl-C cancels ends what runs under it, in three lines
//! ([`signal`](crate::signal) has them as a program). What is left of a runtime is cancelled by
//! [`Runtime::shutdown_cancel`](crate::Runtime::shutdown_cancel).
//!
//! ```ignore-windows
//! use greenthread::{cancel::Token, signal, thread};
//!
//! fn until_ctrl_c(serve: impl FnOnce()) {
//!     let token = Token::new();
//!     let stop = token.clone();
//!     thread::spawn(move || signal::ctrl_c().map(|()| stop.cancel()));
//!     _ = token.run(serve);
//! }
//! # until_ctrl_c(|| ());
//! ```
//!
//! # Points
//!
//! A thread is cancelled where it waits, or is about to wait:
//!
//! * spawning at the limit of a [`Scope`](Scope::set_limit) or of a
//!   [runtime](crate::RuntimeBuilder::max_threads), and waiting for a [`Group`]'s next result;
//! * `park`, `sleep`, `join`, and [`yield_now`](crate::thread::yield_now) when the worker has its
//!   turn, which is at least once in 256 yields;
//! * sending to a channel that is full, receiving from one that is empty, and `select!`, of
//!   [`channel`](crate::channel) and [`sync`](crate::sync); condition variables, barriers,
//!   semaphores, wait groups;
//! * calls on sockets, pipes, terminals, child processes and signals, also before they begin;
//! * [`unblock`](crate::thread::unblock), calls on files and paths that don't find what they need
//!   in the system's cache, and lookups of names: before an OS thread of the pool has taken them;
//! * [`checkpoint`].
//!
//! A call that has moved bytes, or has got a connection, a file or a value, returns it. A write
//! that has begun returns how much it has written. A call that is cancelled has done nothing: a
//! `connect` closes its socket, an `accept` leaves the connection in the queue, a call that waited
//! for a thread of the pool never runs. Operations of io_uring are cancelled in the kernel, and
//! awaited.
//!
//! These are no points: `Mutex`, `RwLock`, `Once` and their like, as with POSIX, since they are
//! short and the code behind them relies on being there; the end of a scope, which waits for its
//! threads; on an OS thread, calls on files that don't wait for others. An operation of a channel
//! or a file that need not wait is done, and does not look whether its thread is cancelled.
//!
//! # Masked
//!
//! No thread is cancelled inside a [`shield`]; while it unwinds, also in destructors that wait; in
//! the destructors of its thread-locals; inside [`without_yield`](crate::thread::without_yield). It
//! is, at its next point after that. The threads of a [`scope`] that is begun in a shield or in a
//! destructor complete as well.
//!
//! # What can't be cancelled
//!
//! * A thread that joins another one before that has started may run it on its own stack. It is
//!   cancelled when that other thread has ended. (A thread that is in a scope of this module does
//!   not do so.)
//! * A call that an OS thread of the pool makes, once it has begun. It is waited for, and its
//!   result returned. Such are: closures of [`unblock`](crate::thread::unblock); lookups of names;
//!   opening a FIFO whose other end is closed; connecting to a Unix listener whose queue is full;
//!   waiting for a child before Linux 5.3 and on macOS; locking a file; a terminal, and on macOS a
//!   pipe, that was ready when its data or room was taken by others (on Linux, only a FIFO, and
//!   before Linux 6.5 a pipe, that is another user's or in packet mode, or if there is no `/proc`);
//!   on Windows, consoles, writes to pipes, and a read of a pipe that waits behind another
//!   thread's.
//! * A disk that has begun to read or write.
//! * On an OS thread, the same calls, which it makes itself, and calls in foreign code.
//!
//! An OS thread in a scope waits for sockets and pipes by itself, and not in the kernel's call. For
//! that it has a pipe, from its first such wait to its end. On Windows it looks every 50 ms
//! instead, and another OS thread reads from pipes for it.
//!
//! # Coroutines
//!
//! A coroutine (of `greenthread-context`, or of another crate) that is suspended inside a scope
//! leaves its resumer in that scope. It has to leave the scope on the thread that has entered it,
//! before a scope around that is left and before the thread ends. Otherwise the process aborts.
//!
//! # Programs that can't unwind
//!
//! With `panic = "abort"` a thread can't be unwound. Then calls on sockets, pipes, terminals, child
//! processes and lookups of names are the only points. They fail with an error of the kind
//! [`Other`](std::io::ErrorKind::Other), after which no loop tries again, and whose
//! [`get_ref`](std::io::Error::get_ref) is a [`Cancelled`]; an iterator of signals ends. All other
//! waits go on. What the closure of a scope or a [`timeout`] returns is returned as ever, so a
//! timeout of a read is `Ok(Err(..))`. [`is_cancelled`] tells as ever.
//!
//! ```
//! use greenthread::cancel::Cancelled;
//!
//! fn was_cancelled(error: &std::io::Error) -> bool {
//!     error.get_ref().is_some_and(|error| error.is::<Cancelled>())
//! }
//! assert!(!was_cancelled(&std::io::ErrorKind::TimedOut.into()));
//! ```
//!
//! # Poison
//!
//! A guard of a mutex that is held by a thread which is unwound poisons the mutex, as any panic
//! does.
//!
//! # Compared
//!
//! | | here | tokio | Go | Loom (Java 25, preview) |
//! | --- | --- | --- | --- | --- |
//! | who cooperates | nobody: it is in every wait | whatever is an `.await` | each function passes a `Context` on, and each wait selects on it | every wait, by an exception that each caller declares, and may swallow once and for all |
//! | what runs | destructors, by unwinding | destructors, as the future is dropped | `defer`, if the function returns | `finally`, by unwinding |
//! | code that isn't polled | goes on, since it is a thread | keeps its locks, and others wait for ever | goes on | goes on |
//! | half a message | what was read is in the caller's buffer | is lost if the future had it | the caller's business | an interrupted read closes its socket |
//! | blocking code of others | as any code | in threads that can't be cancelled | as any code, if it takes a `Context` | as any code |
//!
//! Two fetches that end together, at the first error or after two seconds. Here, where `fetch` is
//! any function that returns a result:
//!
//! ```
//! use greenthread::{cancel::{self, Elapsed}, time::Duration};
//! use std::io;
//!
//! # fn fetch(path: &str) -> io::Result<String> { Ok(path.to_owned()) }
//! fn page() -> Result<io::Result<String>, Elapsed> {
//!     cancel::timeout(Duration::from_secs(2), || {
//!         cancel::scope(|s| {
//!             let (head, body) = (s.spawn(|| fetch("/head")), s.spawn(|| fetch("/body")));
//!             Ok(head.join()? + &body.join()?)
//!         })
//!     })
//! }
//! # assert_eq!(page().unwrap().unwrap(), "/head/body");
//! ```
//!
//! With tokio it is as short, if `fetch` is a future that may be dropped at each of its `.await`s,
//! and both run on one task. (Two tasks need a `JoinSet`, since a task outlives what has spawned
//! it.)
//!
//! ```text
//! async fn page() -> Result<io::Result<String>, Elapsed> {
//!     timeout(Duration::from_secs(2), async {
//!         let (head, body) = try_join!(fetch("/head"), fetch("/body"))?;
//!         Ok(head + &body)
//!     })
//!     .await
//! }
//! ```
//!
//! In Go each function between here and the socket takes the context, and looks at it:
//!
//! ```text
//! func page(ctx context.Context) (string, error) {
//!     ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
//!     defer cancel()
//!     group, ctx := errgroup.WithContext(ctx)
//!     var head, body string
//!     group.Go(func() (err error) { head, err = fetch(ctx, "/head"); return })
//!     group.Go(func() (err error) { body, err = fetch(ctx, "/body"); return })
//!     err := group.Wait()
//!     return head + body, err
//! }
//! ```
//!
//! With Loom, `fetch` declares that it may be interrupted, and catches that nowhere:
//!
//! ```text
//! String page() throws Exception {
//!     try (var scope = StructuredTaskScope.open(
//!             Joiner.awaitAllSuccessfulOrThrow(), config -> config.withTimeout(Duration.ofSeconds(2)))) {
//!         var head = scope.fork(() -> fetch("/head"));
//!         var body = scope.fork(() -> fetch("/body"));
//!         scope.join();
//!         return head.get() + body.get();
//!     }
//! }
//! ```
//!
//! The ideas are those of Trio (cancel scopes, levels, shields) and Eio (a tree of contexts, points
//! at waits); the choice for locks is POSIX's.

use core::fmt;
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::Duration,
};

use crate::task::{
    cancel,
    cancel_node::State,
    coop::{CALL, consume_budget},
    entered::Entered,
    time::deadline_after,
};

mod group;
mod scope;
mod token;

pub use crate::task::cancel::Cancelled;
pub use group::{Done, Group};
pub use scope::{Scope, ScopedJoinHandle, scope};
pub use token::Token;

/// The deadline of a [`timeout`] has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed(());

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the deadline has passed")
    }
}

impl std::error::Error for Elapsed {}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cancelled")
    }
}

impl std::error::Error for Cancelled {}

/// Calls `f` in a scope that is cancelled when `duration` has passed.
///
/// # Errors
///
/// [`Elapsed`] if `f` was unwound since the time was up. What `f` returns counts even if it is
/// late.
///
/// # Examples
///
/// ```
/// use greenthread::{cancel, thread};
/// use std::time::Duration;
///
/// assert_eq!(cancel::timeout(Duration::from_secs(5), || 7), Ok(7));
/// assert!(cancel::timeout(Duration::from_millis(1), || thread::park()).is_err());
/// ```
pub fn timeout<T>(duration: Duration, f: impl FnOnce() -> T) -> Result<T, Elapsed> {
    within(deadline_after(duration), f)
}

/// Calls `f` in a scope that is cancelled at `deadline`. Otherwise as [`timeout`].
///
/// # Errors
///
/// As for [`timeout`].
///
/// # Examples
///
/// ```
/// use greenthread::{cancel, thread, time::Instant};
/// assert!(cancel::deadline(Instant::now(), || thread::park()).is_err());
/// ```
pub fn deadline<T>(deadline: crate::time::Instant, f: impl FnOnce() -> T) -> Result<T, Elapsed> {
    within(Some(deadline.into()), f)
}

fn within<T>(deadline: Option<std::time::Instant>, f: impl FnOnce() -> T) -> Result<T, Elapsed> {
    let (result, state) = Entered::run(false, deadline, None, f);
    result.or_else(|payload| match state {
        State::Elapsed if is_ours(&*payload) => Err(Elapsed(())),
        _ => resume_unwind(payload),
    })
}

/// Whether a thread was unwound with this since it was cancelled, and the edge where it arrives is
/// the edge of the scope that was cancelled: no scope outside is.
fn is_ours(payload: &(dyn Any + Send)) -> bool {
    payload.is::<Cancelled>() && !cancel::is_cancelled()
}

/// Calls `f` so that no cancellation from outside reaches it. Scopes inside can be cancelled as
/// ever. A thread that was cancelled meanwhile is unwound at its next point behind the shield.
///
/// # Examples
///
/// ```
/// use greenthread::{cancel, thread};
///
/// let thread = thread::spawn(|| {
///     cancel::shield(|| thread::park());
///     thread::park();
/// });
/// thread.cancel();
/// thread.thread().unpark();
/// assert!(thread.join().is_err());
/// ```
pub fn shield<T>(f: impl FnOnce() -> T) -> T {
    match Entered::run(true, None, None, f).0 {
        Ok(value) => value,
        Err(payload) => resume_unwind(payload),
    }
}

/// A cancellation point, for a long computation: unwinds the calling thread if it is cancelled. Now
/// and then it lets other threads of the worker run, as [`yield_now`](crate::thread::yield_now)
/// does. With `panic = "abort"` it unwinds nothing; ask [`is_cancelled`].
///
/// # Examples
///
/// ```
/// use greenthread::{cancel, time::Duration};
///
/// let result = cancel::timeout(Duration::from_millis(1), || loop { cancel::checkpoint() });
/// assert!(result.is_err());
/// ```
pub fn checkpoint() {
    consume_budget(CALL);
    cancel::check();
}

/// Returns whether the calling thread is cancelled: whether its next point would unwind it.
///
/// # Examples
///
/// ```
/// assert!(!greenthread::cancel::is_cancelled());
/// ```
#[must_use]
pub fn is_cancelled() -> bool {
    cancel::is_cancelled()
}

/// Runs the contenders as threads, and returns what the first of them returns. The others are
/// cancelled, and have ended when this returns.
///
/// # Panics
///
/// Panics with the first panic of a contender, if that comes first, and if there is no contender.
///
/// # Examples
///
/// ```
/// use greenthread::{cancel, thread, time::Duration};
///
/// let quick = || 1;
/// let slow = || {
///     thread::sleep(Duration::from_secs(60));
///     2
/// };
/// assert_eq!(cancel::race([quick as fn() -> i32, slow]), 1);
/// ```
pub fn race<I, F, T>(contenders: I) -> T
where
    I: IntoIterator<Item = F>,
    F: FnOnce() -> T + Send,
    T: Send,
{
    // To fail is to win: the first to fail cancels the others. The scope waits for them.
    let result: Result<(), T> = scope(|scope| {
        let mut count = 0;
        for contender in contenders {
            count += 1;
            scope.spawn(move || Err::<(), T>(contender()));
        }
        assert_ne!(count, 0, "a race needs a contender");
        Ok(())
    });
    match result {
        // All contenders were cancelled, and so is this thread.
        Ok(()) => unreachable!("a contender has returned, or this thread was unwound"),
        Err(first) => first,
    }
}

/// Calls `f`, and catches what it is unwound with.
fn caught<T>(f: impl FnOnce() -> T) -> std::thread::Result<T> {
    catch_unwind(AssertUnwindSafe(f))
}
