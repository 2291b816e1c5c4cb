//! The builder of a runtime.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::{io, sync::Arc};

use super::{
    config, descriptor_limit,
    event_loop::{Start, Worker},
    owner::Runtime,
    prepare::prepare,
};
use crate::{
    blocking::Pool,
    driver::Driver,
    scheduler::{census::Census, registry, shared::Shared, watchdog::Watchdog},
    stack::overflow,
    sys::thread::OsThread,
    task::{clock::Clock, worker_handle::WorkerHandle},
};

#[cfg(test)]
use crate::task::clock::test_clock::TestClock;

/// Builds a [`Runtime`].
///
/// A setting that the program does not make is taken from an environment variable. Without the
/// variable it has a default:
///
/// | setting | variable | default |
/// | --- | --- | --- |
/// | [`workers`](Self::workers) | `GREENTHREAD_WORKERS` | one for each processor |
/// | [`stack_size`](Self::stack_size) | `GREENTHREAD_STACK_SIZE`, else `RUST_MIN_STACK` | 256 KiB; 1 MiB with debug assertions. On 32-bit machines half of that |
/// | [`disk_threads`](Self::disk_threads) | `GREENTHREAD_DISK_THREADS` | 64 |
/// | [`blocking_threads`](Self::blocking_threads) | `GREENTHREAD_BLOCKING_THREADS` | 10,000 |
/// | [`max_threads`](Self::max_threads) | `GREENTHREAD_MAX_THREADS` | no limit |
/// | [`watchdog`](Self::watchdog) | `GREENTHREAD_WATCHDOG` (0 or 1) | on with debug assertions |
/// | how I/O is done | `GREENTHREAD_IO`: `poll` for no io_uring, `uring` for an error where it can't be had | io_uring where it can be had |
///
/// Two more variables are for tests. `GREENTHREAD_STACK_GUARD=mprotect` guards stacks as on kernels
/// before Linux 6.13, where each guard takes two of the process's maps. `GREENTHREAD_IO_BATCH` is
/// the number of ready threads from which on a worker hands their sends to io_uring together.
///
/// A program that forbids itself io_uring while it runs (by seccomp) should be started with
/// `GREENTHREAD_IO=poll`. Otherwise a thread whose operation is under way at that moment waits for
/// its result for ever.
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
    max_threads: Option<usize>,
    cancellable: bool,
    watchdog: Option<bool>,
    event_loop: Option<Start>,
    #[cfg(test)]
    clock: Option<Clock>,
}

impl RuntimeBuilder {
    /// Sets how many OS threads run the green threads, from 1 to 4096.
    ///
    /// A worker takes up to three descriptors. If all workers together would take more than an
    /// eighth of the process's soft limit (`RLIMIT_NOFILE`), the soft limit is raised by that
    /// number, up to the hard limit. A child of [`process::Command`](crate::process::Command)
    /// begins with the limit as it was. A child of std's `Command` inherits the raised one. The
    /// default is one worker for each processor, or fewer if these would take more than half of the
    /// hard limit.
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

    /// Sets the stack size, in bytes, of threads that don't ask for one. It is rounded as
    /// [`thread::Builder::stack_size`](crate::thread::Builder::stack_size) says. A stack costs
    /// memory only as far as its thread touches it.
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

    /// Sets how many OS threads at most make the calls of [`fs`](crate::fs) that are not handed to
    /// the kernel by io_uring, from 1 to 100,000. Further calls wait in a queue for them.
    ///
    /// These OS threads are started when they are needed, and end after 10 seconds without a call.
    /// If there is none and the system gives none, the call is made on its own green thread, and
    /// keeps the other threads of the worker waiting.
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

    /// Sets how many OS threads at most make calls that may block until somebody else acts, from 1
    /// to 100,000. These are the calls given to [`thread::unblock`](crate::thread::unblock), and
    /// calls of this crate that the system has in a blocking form only, such as the look-up of a
    /// name.
    ///
    /// When that many are in use, or the system gives no more, a further call of this crate returns
    /// an error of the kind [`QuotaExceeded`](io::ErrorKind::QuotaExceeded). It does not queue,
    /// since it might then wait for a call that waits for it. Calls of `unblock` do queue. These OS
    /// threads are started when they are needed, and end after 10 seconds without a call.
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

    /// Sets the name of the runtime's OS threads; the default is `greenthread`. Workers are called
    /// `name-0`, `name-1` and so on. The OS threads that make blocking calls are called
    /// `name-disk-0`, `name-block-0` and so on. The kernel keeps the first 15 bytes.
    /// [`build`](Self::build) returns an error if the name holds a NUL byte.
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// let runtime = greenthread::Runtime::builder().name("kitchen").workers(1).build()?;
    /// let name = runtime.run(|| std::fs::read_to_string("/proc/thread-self/comm"))?;
    /// assert_eq!(name, "kitchen-0\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Limits the number of green threads that live at a time, unstarted ones included, from 1 to
    /// 2,147,483,647. At the limit, whatever spawns a thread waits until another one has ended. A
    /// green thread is parked, at a [cancellation point](crate::cancel#points), and an OS thread is
    /// blocked.
    ///
    /// It bounds the memory of a program whose threads come from outside: one for each connection,
    /// or each line of a file. It is not for threads that spawn and join others: a parent that
    /// waits for a child holds its place meanwhile. If all threads wait to spawn, no place can come
    /// free, and the last of them gets an error of the kind
    /// [`QuotaExceeded`](io::ErrorKind::QuotaExceeded) from
    /// [`thread::Builder::spawn`](crate::thread::Builder::spawn), while
    /// [`thread::spawn`](crate::thread::spawn) panics. If some of them wait to spawn and others to
    /// join these, they wait until they are cancelled. For such threads there is the limit of a
    /// scope ([`Scope::set_limit`](crate::cancel::Scope::set_limit)).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::thread;
    ///
    /// let runtime = greenthread::Runtime::builder().max_threads(100).build()?;
    /// for _ in 0..1000 {
    ///     // Waits here when there are 100.
    ///     runtime.spawn(thread::yield_now);
    /// }
    ///
    /// let alone = greenthread::Runtime::builder().max_threads(1).build()?;
    /// let error = alone.run(|| thread::Builder::new().spawn(|| ())).unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::QuotaExceeded);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn max_threads(mut self, threads: usize) -> Self {
        self.max_threads = Some(threads);
        self
    }

    /// Has the runtime keep a list of its threads, so that [`Runtime::shutdown_cancel`] can cancel
    /// them all. Then each birth and each death of a thread takes a lock of the runtime.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{thread, time::Duration};
    ///
    /// let runtime = greenthread::Runtime::builder().cancellable(true).build()?;
    /// runtime.spawn(|| thread::park());
    /// assert_eq!(runtime.shutdown_cancel(Duration::ZERO, Duration::from_secs(10)), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn cancellable(mut self, on: bool) -> Self {
        self.cancellable = on;
        self
    }

    /// Sets whether the watchdog runs. It names each thread on standard error that keeps its worker
    /// for more than 100 ms while others wait. It also names threads that together hold up a worker
    /// for more than half of a second. On Windows and macOS, where the system doesn't say whether
    /// an OS thread waits, the latter are found only among threads that compute.
    ///
    /// # Examples
    ///
    /// ```
    /// // This program computes for long on purpose.
    /// let runtime = greenthread::Runtime::builder().watchdog(false).build()?;
    /// assert_eq!(runtime.run(|| 6 * 7), 42);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn watchdog(mut self, on: bool) -> Self {
        self.watchdog = Some(on);
        self
    }

    /// Has each worker run inside an event loop of another library, in which it sleeps: see
    /// [`os::unix::event_loop`](crate::os::unix::event_loop).
    ///
    /// `start` is called on the OS thread of each worker, and runs the worker it is given. If it
    /// returns an error before that, so does [`build`](Self::build).
    ///
    /// # Examples
    ///
    /// ```
    /// let failing = greenthread::Runtime::builder().event_loop(|_| Err(std::io::Error::other("no")));
    /// assert_eq!(failing.build().unwrap_err().to_string(), "no");
    /// ```
    #[cfg(unix)]
    pub fn event_loop<F>(mut self, start: F) -> Self
    where
        F: Fn(Worker) -> io::Result<()> + Send + Sync + 'static,
    {
        self.event_loop = Some(Start::new(start));
        self
    }

    /// Gives the runtime a test clock, which is made for as many workers.
    #[cfg(test)]
    pub(super) fn test_clock(self, clock: Arc<TestClock>) -> Self {
        Self { clock: Some(Clock::of_test(clock)), ..self }
    }

    /// What the workers' clocks show.
    fn clock(&self) -> Clock {
        #[cfg(test)]
        if let Some(clock) = &self.clock {
            return clock.clone();
        }
        Clock::default()
    }

    /// Starts the workers and returns the runtime.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if a setting or an environment variable can't be used; the message names it.
    /// All other errors come from the system: there is no OS thread, no file descriptor or no
    /// memory left. After an error no worker is left behind.
    ///
    /// # Examples
    ///
    /// ```
    /// let error = greenthread::Runtime::builder().workers(100_000).build().unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    /// ```
    pub fn build(self) -> io::Result<Runtime> {
        prepare()?;
        let clock = self.clock();
        let name = config::name(self.name)?;
        let count = config::workers(self.workers)?;
        let stack_size = config::stack_size(self.stack_size)?;
        let limits = config::pool_limits(self.disk_threads, self.blocking_threads)?;
        let batch_threshold = config::batch_threshold()?;
        let census = Census::new(config::max_threads(self.max_threads)?, self.cancellable);
        let watchdog = config::watchdog(self.watchdog)?.then(|| Watchdog::new(count));
        static RUNTIMES: AtomicUsize = AtomicUsize::new(0);
        let number = RUNTIMES.fetch_add(1, Relaxed);

        descriptor_limit::make(count);
        let mut drivers = Vec::with_capacity(count);
        let mut handles = Vec::with_capacity(count);
        for _ in 0..count {
            let driver =
                Driver::new(batch_threshold).map_err(|error| descriptor_limit::refusal(error, count))?;
            handles.push(Arc::new(WorkerHandle::new(number, count == 1, driver.waker())));
            drivers.push(driver);
        }
        let pool = Pool::new(&name, limits);
        let shared = Arc::new(Shared::new(name, stack_size, handles.into(), pool, watchdog, clock, census));

        registry::add(&shared);
        let mut runtime = Runtime { shared, workers: Vec::with_capacity(count) };
        for (index, driver) in drivers.into_iter().enumerate() {
            let worker = Worker::new(runtime.shared.clone(), index, driver);
            if let Err(error) = runtime.start(worker, index, self.event_loop.clone()) {
                // Workers that have not started count as stopped, and this one has said so itself.
                // Dropping the runtime stops the others.
                (index + 1..count).for_each(|_| runtime.shared.worker_stopped());
                return Err(error);
            }
        }
        if runtime.shared.watchdog.is_some() {
            // The runtime works without its watchdog, so a failure to start this OS thread is
            // ignored.
            let shared = runtime.shared.clone();
            let watch = move || {
                if let Some(watchdog) = &shared.watchdog {
                    watchdog.run(&shared.workers, || shared.injector.len());
                }
            };
            runtime.workers.extend(OsThread::spawn("gt-watchdog", Box::new(watch)));
        }
        Ok(runtime)
    }
}

/// The body of an OS thread.
type Body = Box<dyn FnOnce() + Send>;

impl Runtime {
    /// Starts the OS thread of a worker. An event loop that fails is an error.
    fn start(&mut self, worker: Worker, index: usize, event_loop: Option<Start>) -> io::Result<()> {
        let (body, answers): (Body, _) = match event_loop {
            None => (Box::new(move || worker.work(None)), None),
            Some(start) => {
                let (body, answers) = start.body(worker);
                (Box::new(body), Some(answers))
            }
        };
        let body = move || {
            // Without a signal stack an overflow can't be reported. Everything else works.
            let _signals = overflow::SignalStack::new();
            body();
        };
        let name = format!("{}-{index}", self.shared.name);
        let refusal = |error| descriptor_limit::thread_refusal(error, self.shared.workers.len());
        self.workers.push(OsThread::spawn(&name, Box::new(body)).map_err(refusal)?);
        let Some(answers) = answers else { return Ok(()) };
        answers.recv().unwrap_or_else(|_| Err(io::Error::other("the event loop has not run its worker")))
    }

    /// Returns a builder that takes every setting from the environment or its default.
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
}
