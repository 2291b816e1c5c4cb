//! Workers, their queues, how they sleep and where threads start; and the [`Runtime`] that owns them.
//!
//! * `worker`: one worker's loop. `start`: how a thread begins on it, and ends. `placement`: where. `idle`: who
//!   searches, who is woken; `search`: how; `awake`: for how long.
//! * `shared`: what the workers of one runtime share, and how it ends. `deque`: each one's own queue; `injector`: the common one.
//! * `spawn`: how a thread comes to be; `lend`: how a joiner runs it; `credit`: the address space that it is promised.
//! * `trim`: what grows, and when it is given back.
//! * `blocking`: the door for blocking work, and the pool behind it. `metrics`: figures.
//! * `watchdog`, `hook`: what is said about hogs and panics; `report`: how.
//! * `process`: the default runtime, exits and forks. `config`: numbers from the program and the environment.

use core::sync::atomic;
use std::{
    fmt, io,
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_utils::CachePadded;

use crate::{
    driver::PollDriver,
    stack::overflow,
    sys::thread::OsThread,
    task::{local, remote::Remote, sleep},
};

mod awake;
mod blocking;
mod config;
mod credit;
mod deque;
mod hook;
mod idle;
mod injector;
mod lend;
mod look;
mod metrics;
mod placement;
mod process;
mod report;
mod room;
mod search;
mod shared;
pub(crate) mod spawn;
mod start;
mod trim;
mod watchdog;
mod worker;

use blocking::Pool;
pub(crate) use blocking::{unblock, unblock_disk, unblock_wait};
pub(crate) use lend::join;
pub use metrics::{LaneMetrics, RuntimeMetrics};
pub(crate) use process::default;
use shared::{Counts, Seat, Shared};
use watchdog::Watchdog;
use worker::Worker;

/// The driver of the calling green thread's worker; none on an OS thread, or where nothing may switch.
#[inline]
pub(crate) fn driver<'a>() -> Option<&'a PollDriver> {
    local::current()?;
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
            .field("workers", &self.shared.seats.len())
            .field("threads", &self.shared.alive())
            .finish_non_exhaustive()
    }
}

/// Makes a [`Runtime`].
///
/// What is not set comes from the environment, and else has a default:
///
/// | setting | variable | default |
/// | --- | --- | --- |
/// | [`workers`](Self::workers) | `GREENTHREAD_WORKERS` | one for each processor |
/// | [`stack_size`](Self::stack_size) | `GREENTHREAD_STACK_SIZE`, else `RUST_MIN_STACK` | 256 KiB; 1 MiB with debug assertions |
/// | [`disk_threads`](Self::disk_threads) | `GREENTHREAD_DISK_THREADS` | 64 |
/// | [`blocking_threads`](Self::blocking_threads) | `GREENTHREAD_BLOCKING_THREADS` | 10,000 |
/// | [`watchdog`](Self::watchdog) | `GREENTHREAD_WATCHDOG` (0 or 1) | on with debug assertions |
/// | how I/O is done | `GREENTHREAD_IO`: `poll` for no io_uring, `uring` for an error where it can't be had | io_uring where it can be had |
///
/// Two more are for tests. `GREENTHREAD_STACK_GUARD=mprotect` guards stacks as on kernels before Linux 6.13, where each
/// guard takes two of the process's maps. `GREENTHREAD_IO_COMPANY` is the number of threads ready to run from which on
/// sends are handed to io_uring together.
///
/// A program that forbids io_uring to itself once it runs (by seccomp) had better be started with `GREENTHREAD_IO=poll`: threads
/// whose operations are under way at that moment are never told how these end.
///
/// # Examples
///
/// ```
/// let runtime = greenthread::Runtime::builder().workers(1).stack_size(128 * 1024).build()?;
/// assert_eq!(runtime.run(|| 6 * 7), 42);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "call build"]
pub struct RuntimeBuilder {
    workers: Option<usize>,
    stack_size: Option<usize>,
    disk_threads: Option<usize>,
    blocking_threads: Option<usize>,
    name: Option<String>,
    watchdog: Option<bool>,
}

impl RuntimeBuilder {
    /// How many OS threads run the green threads, from 1 to 4096.
    ///
    /// A worker takes up to three descriptors. Where all of them would take more than an eighth of the process's limit
    /// (`RLIMIT_NOFILE`), the soft limit is raised by as many, up to the hard one; children of
    /// [`process::Command`](crate::process::Command) begin with the limit as it was, those of std's inherit the raised one. The
    /// default is fewer than one worker for each processor where these would take more than half of the hard limit.
    ///
    /// # Examples
    ///
    /// ```
    /// let runtime = greenthread::Runtime::builder().workers(2).build()?;
    /// assert_eq!(runtime.run(|| 6 * 7), 42);
    /// assert!(greenthread::Runtime::builder().workers(0).build().is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers);
        self
    }

    /// The stack size, in bytes, of threads that don't ask for one. Only what a thread touches costs memory.
    ///
    /// # Examples
    ///
    /// ```
    /// let runtime = greenthread::Runtime::builder().stack_size(1 << 20).build()?;
    /// let sum = runtime.spawn(|| [1u8; 500_000].iter().map(|one| u64::from(*one)).sum::<u64>());
    /// assert_eq!(sum.join().unwrap(), 500_000);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// How many OS threads at most make the calls of [`fs`](crate::fs) that are not handed to the
    /// kernel by io_uring, from 1 to 100,000. Further calls queue for them.
    ///
    /// They are started when they are needed, and end after 10 seconds without a call. While the
    /// system gives no OS thread at all, such a call is made on the spot, and keeps the other
    /// threads of its worker waiting.
    ///
    /// # Examples
    ///
    /// ```
    /// let runtime = greenthread::Runtime::builder().disk_threads(1).build()?;
    /// assert!(runtime.run(|| greenthread::fs::metadata("."))?.is_dir());
    /// assert_eq!(runtime.metrics().disk().limit(), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn disk_threads(mut self, threads: usize) -> Self {
        self.disk_threads = Some(threads);
        self
    }

    /// How many OS threads at most make calls that may block for as long as others please, from 1
    /// to 100,000: what is given to [`thread::unblock`](crate::thread::unblock), and calls of this
    /// crate that the system has in a blocking form only, such as the look-up of a name.
    ///
    /// When so many are in use, or the system gives no more, a further call of this crate returns
    /// an error of the kind [`QuotaExceeded`](io::ErrorKind::QuotaExceeded): queued, it might wait
    /// for a call that waits for it. `unblock` queues. The threads are started when they are
    /// needed, and end after 10 seconds without a call.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::thread;
    ///
    /// let runtime = greenthread::Runtime::builder().blocking_threads(2).build()?;
    /// let calls: Vec<_> = (0..10).map(|n| runtime.spawn(move || thread::unblock(|| n))).collect();
    /// assert_eq!(calls.into_iter().map(|call| call.join().unwrap()).sum::<u32>(), 45);
    /// assert!(runtime.metrics().blocking().threads() <= 2);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn blocking_threads(mut self, threads: usize) -> Self {
        self.blocking_threads = Some(threads);
        self
    }

    /// What the workers' OS threads are called, with a number behind: `name-0`. Those that make calls
    /// for green threads are `name-disk-0` and `name-block-0`. The kernel keeps 15 bytes. A name with NUL bytes is an error
    /// when the runtime is built.
    ///
    /// # Examples
    ///
    /// ```
    /// let runtime = greenthread::Runtime::builder().name("kitchen").workers(1).build()?;
    /// let name = runtime.run(|| std::fs::read_to_string("/proc/thread-self/comm"))?;
    /// assert_eq!(name, "kitchen-0\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Whether a thread that keeps its worker for more than 100 ms while others wait is named on standard
    /// error. So are threads that together hold up a worker for more than half of a second.
    ///
    /// # Examples
    ///
    /// ```
    /// // For a program that computes for long on purpose.
    /// let runtime = greenthread::Runtime::builder().watchdog(false).build()?;
    /// assert_eq!(runtime.run(|| 6 * 7), 42);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn watchdog(mut self, on: bool) -> Self {
        self.watchdog = Some(on);
        self
    }

    /// Starts the workers.
    ///
    /// # Errors
    ///
    /// `InvalidInput` names the setting or the environment variable that can't be used. Other errors come from the system:
    /// no OS thread, no file descriptor, no memory. Nothing is left behind then.
    ///
    /// # Examples
    ///
    /// ```
    /// let error = greenthread::Runtime::builder().workers(100_000).build().unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    /// ```
    pub fn build(self) -> io::Result<Runtime> {
        process::prepare()?;
        let name = config::name(self.name)?;
        let count = config::workers(self.workers)?;
        let stack_size = config::stack_size(self.stack_size)?;
        let limits = config::pool_limits(self.disk_threads, self.blocking_threads)?;
        let company = config::company()?;
        let watchdog = config::watchdog(self.watchdog)?.then(|| Watchdog::new(count));
        static RUNTIMES: atomic::AtomicUsize = atomic::AtomicUsize::new(0);
        let number = RUNTIMES.fetch_add(1, atomic::Ordering::Relaxed);

        room::make(count);
        let mut drivers = Vec::with_capacity(count);
        let mut seats = Vec::with_capacity(count);
        for _ in 0..count {
            let driver = PollDriver::new(company).map_err(|error| room::refusal(error, count))?;
            seats.push(Arc::new(Seat {
                remote: Arc::new(Remote::new(number, driver.waker())),
                queue: shared::Queue::new(count == 1),
                counts: CachePadded::new(Counts::default()),
            }));
            drivers.push(driver);
        }
        let pool = Pool::new(&name, limits);
        let shared = Arc::new(Shared::new(name, stack_size, seats.into(), pool, watchdog));

        let mut runtime = Runtime { shared, workers: Vec::with_capacity(count) };
        for (index, driver) in drivers.into_iter().enumerate() {
            let shared = runtime.shared.clone();
            let name = format!("{}-{index}", shared.name);
            match OsThread::spawn(&name, Box::new(move || work(shared, index, driver))) {
                Ok(thread) => runtime.workers.push(thread),
                Err(error) => {
                    // Those that have not started count as stopped; dropping the runtime stops the others.
                    (index..count).for_each(|_| runtime.shared.worker_stopped());
                    return Err(room::thread_refusal(error, count));
                }
            }
        }
        if runtime.shared.watchdog.is_some() {
            // Without it nothing else is amiss.
            runtime.workers.extend(Watchdog::start(&runtime.shared));
        }
        Ok(runtime)
    }
}

/// A worker's OS thread.
fn work(shared: Arc<Shared>, index: usize, driver: PollDriver) {
    // Without it an overflow can't be reported; everything else works.
    let _signals = overflow::SignalStack::new();
    let worker = Box::new(Worker::new(shared.clone(), index, driver));
    if let Some(watchdog) = &shared.watchdog {
        watchdog.watch(index, &raw const *worker);
    }
    worker.run();
    if let Some(watchdog) = &shared.watchdog {
        watchdog.watch(index, std::ptr::null());
    }
    drop(worker);
    shared.worker_stopped();
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
