//! Figures of a runtime, for people and for monitoring.

use super::owner::Runtime;
use crate::{
    blocking::Figures,
    scheduler::{shared::Shared, worker},
};

/// Figures of a [`Runtime`] at one moment, which [`Runtime::metrics`] returns.
///
/// # Examples
///
/// ```
/// let runtime = greenthread::Runtime::builder().workers(2).build()?;
/// let metrics = runtime.metrics();
/// assert_eq!((metrics.workers(), metrics.alive_threads()), (2, 0));
/// println!("{metrics:?}");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RuntimeMetrics {
    workers: usize,
    alive_threads: usize,
    disk: LaneMetrics,
    blocking: LaneMetrics,
}

impl RuntimeMetrics {
    /// Returns the figures of the calling green thread's runtime, or `None` on an OS thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::RuntimeMetrics;
    ///
    /// assert!(RuntimeMetrics::current().is_none());
    /// let metrics = greenthread::run(RuntimeMetrics::current).unwrap();
    /// assert!(metrics.workers() >= 1);
    /// ```
    #[must_use]
    pub fn current() -> Option<Self> {
        worker::current().map(|worker| Self::of(&worker.shared))
    }

    fn of(shared: &Shared) -> Self {
        let [disk, blocking] = shared.pool.figures().map(LaneMetrics::from);
        Self { workers: shared.workers.len(), alive_threads: shared.alive(), disk, blocking }
    }

    /// Returns how many OS threads run the runtime's green threads.
    ///
    /// # Examples
    ///
    /// ```
    /// let runtime = greenthread::Runtime::builder().workers(3).build()?;
    /// assert_eq!(runtime.metrics().workers(), 3);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// Returns how many green threads have been spawned and have not ended. Threads that have not
    /// started are among them.
    ///
    /// # Examples
    ///
    /// ```
    /// let runtime = greenthread::Runtime::builder().workers(1).build()?;
    /// assert_eq!(runtime.run(|| runtime.metrics().alive_threads()), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn alive_threads(&self) -> usize {
        self.alive_threads
    }

    /// Returns the figures of the OS threads for file operations, see
    /// [`disk_threads`](crate::RuntimeBuilder::disk_threads).
    ///
    /// # Examples
    ///
    /// ```
    /// let runtime = greenthread::Runtime::builder().disk_threads(4).build()?;
    /// assert_eq!(runtime.metrics().disk().limit(), 4);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn disk(&self) -> &LaneMetrics {
        &self.disk
    }

    /// Returns the figures of the OS threads for calls that may wait for others, see
    /// [`blocking_threads`](crate::RuntimeBuilder::blocking_threads).
    ///
    /// # Examples
    ///
    /// ```
    /// let runtime = greenthread::Runtime::builder().blocking_threads(100).build()?;
    /// assert_eq!(runtime.metrics().blocking().limit(), 100);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn blocking(&self) -> &LaneMetrics {
        &self.blocking
    }
}

/// Figures of the OS threads for one kind of blocking calls, in [`RuntimeMetrics`].
///
/// # Examples
///
/// ```
/// let runtime = greenthread::Runtime::builder().workers(1).build()?;
/// let busy = runtime.run(|| {
///     greenthread::thread::unblock(|| runtime.metrics().blocking().clone())
/// });
/// assert_eq!((busy.threads(), busy.idle_threads(), busy.queued()), (1, 0, 0));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LaneMetrics {
    threads: usize,
    idle_threads: usize,
    queued: usize,
    limit: usize,
}

impl LaneMetrics {
    /// Returns how many OS threads there are: busy, idle, or being started.
    ///
    /// # Examples
    ///
    /// ```
    /// let runtime = greenthread::Runtime::builder().build()?;
    /// assert_eq!(runtime.metrics().blocking().threads(), 0);
    /// runtime.run(|| greenthread::thread::unblock(|| ()));
    /// assert_eq!(runtime.metrics().blocking().threads(), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Returns how many of the OS threads have no call to make. An OS thread ends after 10 idle
    /// seconds.
    ///
    /// # Examples
    ///
    /// ```
    /// let runtime = greenthread::Runtime::builder().build()?;
    /// runtime.run(|| greenthread::thread::unblock(|| ()));
    /// assert_eq!(runtime.metrics().blocking().idle_threads(), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn idle_threads(&self) -> usize {
        self.idle_threads
    }

    /// Returns how many calls wait for an OS thread.
    ///
    /// # Examples
    ///
    /// ```
    /// let runtime = greenthread::Runtime::builder().build()?;
    /// assert_eq!(runtime.metrics().disk().queued(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queued
    }

    /// Returns how many OS threads there may be.
    ///
    /// # Examples
    ///
    /// ```
    /// let runtime = greenthread::Runtime::builder().disk_threads(8).build()?;
    /// assert_eq!(runtime.metrics().disk().limit(), 8);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }
}

impl From<Figures> for LaneMetrics {
    fn from(figures: Figures) -> Self {
        let Figures { threads, idle, queued, limit } = figures;
        Self { threads, idle_threads: idle, queued, limit }
    }
}

impl Runtime {
    /// Returns the figures of this moment. The workers go on meanwhile, so the figures may be out
    /// of date by the time that the caller reads them.
    ///
    /// # Examples
    ///
    /// ```
    /// let runtime = greenthread::Runtime::builder().workers(1).build()?;
    /// assert_eq!(runtime.metrics().workers(), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn metrics(&self) -> RuntimeMetrics {
        RuntimeMetrics::of(&self.shared)
    }
}
