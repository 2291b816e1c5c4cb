//! How a runtime is made.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::{io, sync::Arc};

use super::{config, descriptor_limit, owner::Runtime, prepare::prepare};
use crate::{
    blocking::Pool,
    driver::Driver,
    scheduler::{shared::Shared, watchdog::Watchdog, worker::Worker, worker_loop},
    stack::overflow,
    sys::thread::OsThread,
    task::worker_handle::WorkerHandle,
};

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
/// guard takes two of the process's maps. `GREENTHREAD_IO_BATCH` is the number of threads ready to run from which on
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
        prepare()?;
        let name = config::name(self.name)?;
        let count = config::workers(self.workers)?;
        let stack_size = config::stack_size(self.stack_size)?;
        let limits = config::pool_limits(self.disk_threads, self.blocking_threads)?;
        let batch_threshold = config::batch_threshold()?;
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
        let shared = Arc::new(Shared::new(name, stack_size, handles.into(), pool, watchdog));

        let mut runtime = Runtime { shared, workers: Vec::with_capacity(count) };
        for (index, driver) in drivers.into_iter().enumerate() {
            let shared = runtime.shared.clone();
            let name = format!("{}-{index}", shared.name);
            match OsThread::spawn(&name, Box::new(move || work(shared, index, driver))) {
                Ok(thread) => runtime.workers.push(thread),
                Err(error) => {
                    // Those that have not started count as stopped; dropping the runtime stops the others.
                    (index..count).for_each(|_| runtime.shared.worker_stopped());
                    return Err(descriptor_limit::thread_refusal(error, count));
                }
            }
        }
        if runtime.shared.watchdog.is_some() {
            // Without it nothing else is amiss.
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
}

/// A worker's OS thread.
fn work(shared: Arc<Shared>, index: usize, driver: Driver) {
    // Without it an overflow can't be reported; everything else works.
    let _signals = overflow::SignalStack::new();
    let worker = Box::new(Worker::new(shared.clone(), index, driver));
    if let Some(watchdog) = &shared.watchdog {
        watchdog.watch(index, &raw const worker.core);
    }
    worker_loop::run(&worker);
    if let Some(watchdog) = &shared.watchdog {
        watchdog.watch(index, std::ptr::null());
    }
    drop(worker);
    shared.worker_stopped();
}
