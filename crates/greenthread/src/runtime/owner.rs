//! The [`Runtime`], which owns the workers, and how it ends.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    scheduler::{shared::Shared, worker},
    sys::thread::OsThread,
};

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
