//! Green threads and tokio on the same OS threads.
//!
//! Crates that are built on tokio (hyper, axum, reqwest, tonic, sqlx and others) expect its
//! runtime: its sockets and timers, `tokio::spawn`, `Handle::current()`. On the workers of a
//! runtime that is built with [`RuntimeExt::tokio`] a green thread finds all of these in its plain
//! code, and waits for futures by [`greenthread::block_on`].
//!
//! ```
//! use greenthread::{block_on, thread};
//! use tokio::{io::{AsyncReadExt, AsyncWriteExt}, net::{TcpListener, TcpStream}};
//!
//! greenthread_tokio::run(|| {
//!     let listener = block_on(TcpListener::bind("127.0.0.1:0"))?;
//!     let address = listener.local_addr()?;
//!     // One end is a task of tokio's, the other one a green thread.
//!     tokio::spawn(async move {
//!         let (mut stream, _) = listener.accept().await?;
//!         stream.write_all(b"hello").await
//!     });
//!     let client = thread::spawn(move || {
//!         let mut text = String::new();
//!         let mut stream = block_on(TcpStream::connect(address))?;
//!         block_on(stream.read_to_string(&mut text))?;
//!         std::io::Result::Ok(text)
//!     });
//!     assert_eq!(client.join().unwrap()?, "hello");
//!     std::io::Result::Ok(())
//! })?;
//! # std::io::Result::Ok(())
//! ```
//!
//! # How it works
//!
//! Each worker has a current-thread runtime of tokio's, and runs inside its `block_on`. Where the
//! worker would sleep, tokio's tasks run, and tokio sleeps, with the worker's descriptor among its
//! own. So one system call waits for everything, and a wake-up between a task and a green thread of
//! the same worker takes none. At each tick of a busy worker, every 100 us or so, tokio's tasks
//! have a turn (61 at most); and while tasks keep tokio busy without a pause, green threads have a
//! turn every 10 ms at the latest.
//!
//! # What works, and what doesn't
//!
//! * `tokio::spawn` and `tokio::task::spawn_local` make a task on the calling thread's worker. A
//!   task stays there. `spawn_blocking` uses tokio's own OS threads, as does `tokio::fs`.
//! * Tasks that are left when the runtime ends are dropped, as tokio does. Their green threads are
//!   waited for.
//! * A task must not block: neither by std's means, nor by this crate's. Then its worker stands
//!   still. Inside a task, await (`JoinHandle`s of green threads, `send_async` and its like).
//! * `Runtime::block_on`, `Handle::block_on`, `blocking_recv` and whatever else would block the
//!   worker panic on a green thread, as in a task: "Cannot start a runtime from within a runtime".
//!   Call [`greenthread::block_on`] instead; a line after the panic's report says so. A crate with
//!   a blocking interface that has a tokio inside (`reqwest::blocking`, `postgres`) is called in
//!   [`thread::unblock`], which has none around it.
//! * A future that never waits is interrupted by tokio's budget, as in a task. A green thread has a
//!   budget of its own for each poll.
//! * Timeouts of green threads on these workers have tokio's resolution of a millisecond.
//! * tokio's clock can be paused (`test-util`), on one worker. It then runs ahead of the system's
//!   whenever all wait, also for a green thread's timeout, whose length is the system's.
//! * A poll may find a little less than the whole of tokio's budget: its worker has used some.
//! * `EnterGuard`s must be dropped in the reverse order of their making. So a green thread must not
//!   wait while it holds one.
//!
//! Other runtimes of the process, the default one among them, have no tokio. For a future on a
//! thread of theirs, and for all systems where workers can't sleep in tokio (Windows), there is
//! [`background`].
//!
//! [`thread::unblock`]: greenthread::thread::unblock

#[cfg(unix)]
mod advice;
pub mod background;
#[cfg(unix)]
mod drive;

#[cfg(unix)]
use std::sync::OnceLock;

#[cfg(unix)]
use greenthread::Runtime;
use greenthread::RuntimeBuilder;

/// Adds tokio to a [`RuntimeBuilder`].
///
/// # Examples
///
/// ```
/// use greenthread::{Runtime, block_on, time::Duration};
/// use greenthread_tokio::RuntimeExt;
///
/// let runtime = Runtime::builder().workers(1).tokio().build()?;
/// runtime.run(|| block_on(tokio::time::sleep(Duration::from_millis(1))));
/// # std::io::Result::Ok(())
/// ```
pub trait RuntimeExt {
    /// Gives each worker a runtime of tokio's, with its sockets and timers.
    /// [`build`](RuntimeBuilder::build) returns an error if it can't be made. A worker then takes
    /// four more descriptors.
    ///
    /// # Examples
    ///
    /// See [`RuntimeExt`].
    #[cfg(unix)]
    #[must_use = "call build"]
    fn tokio(self) -> Self;

    /// As [`tokio`](Self::tokio). `configure` sets what else there is to be set, for example
    /// `max_blocking_threads`. It is called for each worker. It must not set `on_thread_park`,
    /// `on_thread_unpark`, nor disable sockets or timers.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::Runtime;
    /// use greenthread_tokio::RuntimeExt;
    ///
    /// let few = |tokio: &mut tokio::runtime::Builder| _ = tokio.max_blocking_threads(2);
    /// let runtime = Runtime::builder().workers(1).tokio_with(few).build()?;
    /// # std::io::Result::Ok(())
    /// ```
    #[cfg(unix)]
    #[must_use = "call build"]
    fn tokio_with(self, configure: impl Fn(&mut tokio::runtime::Builder) + Send + Sync + 'static) -> Self;
}

impl RuntimeExt for RuntimeBuilder {
    #[cfg(unix)]
    fn tokio(self) -> Self {
        self.tokio_with(|_| {})
    }

    #[cfg(unix)]
    fn tokio_with(self, configure: impl Fn(&mut tokio::runtime::Builder) + Send + Sync + 'static) -> Self {
        self.event_loop(move |worker| drive::run(worker, &configure))
    }
}

/// The runtime of [`run`], with a worker for each processor. It starts with the first call, and
/// lasts until the process ends.
///
/// # Panics
///
/// Panics if it can't be started.
///
/// # Examples
///
/// ```
/// use greenthread::block_on;
///
/// let thread = greenthread_tokio::runtime().spawn(|| block_on(tokio::task::yield_now()));
/// thread.join().unwrap();
/// ```
#[cfg(unix)]
pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| match Runtime::builder().name("green-tokio").tokio().build() {
        Ok(runtime) => runtime,
        Err(error) => panic!("the runtime with tokio can't start: {error}"),
    })
}

/// Runs `f` on a green thread that finds tokio, waits for it, and returns its result. A program's
/// `main` calls this, as it would call [`greenthread::run`]. Threads that `f` spawns find tokio
/// too.
///
/// # Panics
///
/// Panics with the panic of `f`, if `f` panics. Also panics if the runtime can't be started.
///
/// # Examples
///
/// ```
/// let value = greenthread_tokio::run(|| greenthread::block_on(tokio::spawn(async { 6 * 7 })));
/// assert_eq!(value.unwrap(), 42);
/// ```
#[cfg(unix)]
#[track_caller]
pub fn run<F, T>(f: F) -> T
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    runtime().run(f)
}
