//! The [`Runtime`] that owns the workers, and how a thread comes to be on it.
//!
//! * `builder`: how it is made. `config`: numbers from the program and the environment. `descriptor_limit`: what it takes of the system.
//! * `spawn`: how a thread comes to be.
//! * `unblock`: the door for blocking work. `metrics`: figures.
//! * `panic_hook`: what is said about panics.
//! * `process`: the default runtime, exits and forks.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    driver::Driver,
    scheduler::{shared::Shared, worker},
    sys::thread::OsThread,
    task::worker_core,
};

mod builder;
mod config;
mod descriptor_limit;
mod metrics;
mod panic_hook;
mod process;
pub(crate) mod spawn;
mod unblock;

pub use builder::RuntimeBuilder;
pub use metrics::{LaneMetrics, RuntimeMetrics};
pub(crate) use process::default;
pub(crate) use unblock::{unblock, unblock_disk, unblock_wait};

/// The driver of the calling green thread's worker; none on an OS thread, or where nothing may switch.
#[inline]
pub(crate) fn driver<'a>() -> Option<&'a Driver> {
    worker_core::current()?;
    worker::current().map(|worker| &worker.driver)
}

/// Workers, and the green threads that live on them.
///
/// Most programs need none of their own: [`thread::spawn`](crate::thread::spawn) and [`run`] use a default runtime
/// that starts with its first thread, and lasts until the process ends. A runtime of one's own has its own workers,
/// and its own OS threads for blocking calls, which end with it.
///
/// # Dropping
///
/// Dropping a runtime waits until all of its threads have ended, parked ones too: see that they do. Dropped during
/// a panic, or on one of its own threads (which can't wait for itself), it does not wait: its threads go on,
/// and its workers end after the last of them. [`shutdown_timeout`](Runtime::shutdown_timeout) waits for a while. In a
/// [forked](crate#fork) child, whose parent it belongs to, it does not wait either: there it has no threads.
///
/// When the process exits, threads that are parked or running just stop, as OS threads do: nothing of theirs is
/// dropped.
///
/// # Examples
///
/// ```
/// let runtime = greenthread::Runtime::builder().workers(2).name("demo").build()?;
/// let sum = runtime.run(|| {
///     let threads: Vec<_> = (0..100).map(|n| greenthread::thread::spawn(move || n)).collect();
///     threads.into_iter().map(|thread| thread.join().unwrap()).sum::<u32>()
/// });
/// assert_eq!(sum, 4950);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Runtime {
    pub(crate) shared: Arc<Shared>,
    /// Their OS threads, and the watchdog's.
    workers: Vec<OsThread>,
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("name", &self.shared.name)
            .field("workers", &self.shared.workers.len())
            .field("threads", &self.shared.alive())
            .finish_non_exhaustive()
    }
}

impl Runtime {
    /// A builder, with everything as the environment and the defaults have it.
    ///
    /// # Examples
    ///
    /// ```
    /// let runtime = greenthread::Runtime::builder().build()?;
    /// assert_eq!(runtime.run(|| 6 * 7), 42);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn builder() -> RuntimeBuilder {
        RuntimeBuilder::default()
    }

    /// Runs `f` as a green thread of this runtime, waits for it, and returns what it returns. Its stack is 8 MiB, and its name
    /// is the caller's.
    ///
    /// The caller may be an OS thread or a green thread, of this runtime too. Threads that `f` has spawned and not joined
    /// go on after it, as with `std::thread`.
    ///
    /// # Panics
    ///
    /// If `f` panics, with its panic; and if the thread can't be spawned.
    ///
    /// # Examples
    ///
    /// ```
    /// let runtime = greenthread::Runtime::builder().workers(1).build()?;
    /// let mut words = vec!["green"];
    /// runtime.run(|| words.push("thread"));
    /// assert_eq!(words, ["green", "thread"]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn run<F, T>(&self, f: F) -> T
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        spawn::run(&self.shared, f)
    }

    /// Waits until all threads have ended, for at most `timeout`. `false` if some are left: they go on, and the workers
    /// end after the last of them.
    ///
    /// On one of the runtime's own threads it does not wait, nor in a process that was forked after the runtime had been
    /// made.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// let runtime = greenthread::Runtime::builder().workers(1).build()?;
    /// runtime.spawn(|| greenthread::thread::park());
    /// assert!(!runtime.shutdown_timeout(Duration::from_millis(10)));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn shutdown_timeout(mut self, timeout: Duration) -> bool {
        if self.shared.is_foreign() {
            return false;
        }
        let ended = self.close(Instant::now().checked_add(timeout));
        // What `drop` would do is done.
        if ended {
            self.workers.drain(..).for_each(OsThread::join)
        } else {
            self.workers.clear()
        }
        ended
    }

    /// Closes, and waits if the caller can. Whether the workers have stopped.
    fn close(&self, deadline: Option<Instant>) -> bool {
        self.shared.close();
        let own = worker::current().is_some_and(|worker| Arc::ptr_eq(&worker.shared, &self.shared));
        !own && self.shared.wait_stopped(deadline)
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if self.workers.is_empty() {
            return;
        }
        if self.shared.is_foreign() {
            // They are the parent's; here their handles name nothing.
            return self.workers.drain(..).for_each(std::mem::forget);
        }
        if std::thread::panicking() {
            self.shared.close();
        } else if self.close(None) {
            self.workers.drain(..).for_each(OsThread::join);
        }
    }
}

/// Runs `f` as a green thread of the current runtime (on an OS thread: the default one), waits for it, and returns what
/// it returns.
///
/// This is how a program's `main` steps onto a green thread. The calling thread is parked meanwhile; `f` may borrow from
/// it. Threads that `f` has spawned and not joined go on after it, as with `std::thread`. The stack is 8 MiB, like that
/// of a process's main thread, and the name is the caller's: `main`, if that is the main thread.
///
/// In a test, what `f` prints is not captured by the test harness, nor is the report of its panic: see
/// [`io::Stdout`](crate::io::Stdout).
///
/// # Panics
///
/// If `f` panics, with its panic; and if the runtime can't be started or the thread can't be spawned.
///
/// # Examples
///
/// ```
/// use greenthread::thread;
///
/// let answer = greenthread::run(|| {
///     let six = thread::spawn(|| 6);
///     let seven = thread::spawn(|| 7);
///     six.join().unwrap() * seven.join().unwrap()
/// });
/// assert_eq!(answer, 42);
/// ```
#[track_caller]
pub fn run<F, T>(f: F) -> T
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    match worker::current() {
        Some(worker) => spawn::run(&worker.shared, f),
        None => match default() {
            Ok(shared) => spawn::run(shared, f),
            Err(error) => panic!("the greenthread runtime can't start: {error}"),
        },
    }
}
