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
/// does not wait either. [`shutdown_timeout`](Runtime::shutdown_timeout) waits for a limited time,
/// and [`shutdown_cancel`](Runtime::shutdown_cancel) cancels what is left.
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
    pub fn shutdown_timeout(self, timeout: Duration) -> bool {
        if self.shared.is_foreign() {
            return false;
        }
        let ended = self.close(deadline_after(timeout));
        self.leave(ended);
        ended
    }

    /// Waits until all threads have ended, for at most `timeout`. Then cancels those that are left,
    /// as [`JoinHandle::cancel`](crate::thread::JoinHandle::cancel) does, and waits for at most
    /// `grace` until they have ended. Returns how many threads are left. If there are any, they go
    /// on, and the workers end after the last of them.
    ///
    /// Threads that have not started are cancelled at their first [point](crate::cancel#points),
    /// and so are those that are spawned during the grace, but for those of a
    /// [scope](crate::cancel::scope) in a shield or a destructor. A call of
    /// [`thread::unblock`](crate::thread::unblock) that an OS thread makes is waited for.
    ///
    /// On one of the runtime's own threads, cancels the threads at once, itself too, and does not
    /// wait. In a process that was forked after the runtime had been made, does nothing.
    ///
    /// # Panics
    ///
    /// Panics if the runtime does not know its threads: it has to be built with
    /// [`cancellable(true)`](crate::RuntimeBuilder::cancellable). With `panic = "abort"` only
    /// calls that return an `io::Result` [are cancelled](crate::cancel#programs-that-cant-unwind).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{thread, time::Duration};
    ///
    /// let runtime = greenthread::Runtime::builder().cancellable(true).build()?;
    /// for _ in 0..10 {
    ///     runtime.spawn(|| thread::sleep(Duration::from_secs(3600)));
    /// }
    /// let left = runtime.shutdown_cancel(Duration::from_millis(1), Duration::from_secs(60));
    /// assert_eq!(left, 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn shutdown_cancel(self, timeout: Duration, grace: Duration) -> usize {
        assert!(
            self.shared.census.is_cancellable(),
            "this runtime can't cancel its threads: build it with `RuntimeBuilder::cancellable(true)`"
        );
        if self.shared.is_foreign() {
            return self.shared.alive();
        }
        let ended = self.close(deadline_after(timeout)) || {
            self.shared.cancel_all();
            self.close(deadline_after(grace))
        };
        let left = if ended { 0 } else { self.shared.alive() };
        self.leave(ended);
        left
    }

    /// Lets go of the workers, which have stopped if all threads have `ended`.
    fn leave(mut self, ended: bool) {
        // `drop` does nothing when `workers` is empty.
        if ended { self.workers.drain(..).for_each(OsThread::join) } else { self.workers.clear() }
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
