//! The [`Runtime`], which owns the workers, and how it ends.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    scheduler::{shared::Shared, worker},
    sys::thread::OsThread,
    task::time::deadline_after,
};

/// Workers, and the green threads that live on them.
///
/// Most programs don't make one: [`thread::spawn`](crate::thread::spawn) and [`run`](crate::run)
/// use a default runtime, which starts with its first thread and lasts until the process ends. A
/// runtime that a program makes has workers and OS threads for blocking calls of its own, which end
/// with it.
///
/// # Dropping
///
/// Dropping a runtime blocks until all of its threads have ended, parked ones too: make sure that
/// they end. The drop does not wait during a panic, nor on one of the runtime's own threads, which
/// can't wait for itself. The runtime's threads then go on, and its workers end after the last of
/// them. In the child of a [fork](crate#fork) the parent's runtime has no threads, and the drop
/// does not wait either. [`shutdown_timeout`](Runtime::shutdown_timeout) waits for a limited time.
///
/// When the process exits, threads that have not ended just stop, as OS threads do, and nothing of
/// theirs is dropped.
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
    /// The OS threads of the workers and of the watchdog.
    pub(super) workers: Vec<OsThread>,
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
    /// Waits until all threads have ended, for at most `timeout`. Returns whether they have. If
    /// not, they go on, and the workers end after the last of them.
    ///
    /// Returns `false` at once on one of the runtime's own threads, and in a process that was
    /// forked after the runtime had been made.
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
        let ended = self.close(deadline_after(timeout));
        // `drop` does nothing when `workers` is empty.
        if ended {
            self.workers.drain(..).for_each(OsThread::join)
        } else {
            self.workers.clear()
        }
        ended
    }

    /// Has the workers stop after the last thread, and waits for that unless the caller is one of
    /// the runtime's threads. Returns whether the workers have stopped.
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
            // These OS threads are the parent's. In this process their handles name no thread.
            return self.workers.drain(..).for_each(std::mem::forget);
        }
        if std::thread::panicking() {
            self.shared.close();
        } else if self.close(None) {
            self.workers.drain(..).for_each(OsThread::join);
        }
    }
}
