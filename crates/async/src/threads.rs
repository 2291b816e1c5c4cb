//! Green threads as an executor and as a timer.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use greenthread::{
    block_on,
    thread::{self, JoinFuture, JoinHandle},
    time::Instant,
};

/// An executor that runs each future on a green thread of its own, and a timer. With the feature
/// `hyper` it has hyper's traits for that.
///
/// # Examples
///
/// ```
/// use greenthread_async::Threads;
/// assert_eq!(Threads.spawn(async { 7 }).join().unwrap(), 7);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Threads;

impl Threads {
    /// Runs a future on a new green thread.
    ///
    /// # Panics
    ///
    /// If the thread can't be spawned.
    ///
    /// # Examples
    ///
    /// See [`Threads`].
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        thread::spawn(move || block_on(future))
    }

    /// A future that is ready at `deadline`.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{block_on, time::{Duration, Instant}};
    /// use greenthread_async::Threads;
    ///
    /// let deadline = Instant::now() + Duration::from_millis(2);
    /// block_on(Threads.sleep_until(deadline));
    /// assert!(Instant::now() >= deadline);
    /// ```
    pub fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep { deadline, thread: None }
    }
}

/// A future that is ready at a certain time, made by [`Threads::sleep_until`]. Once it was polled,
/// a green thread sleeps for it, which is cancelled when this is dropped.
///
/// # Examples
///
/// ```
/// use greenthread::{block_on, time::Instant};
/// use greenthread_async::Threads;
/// block_on(Threads.sleep_until(Instant::now()));
/// ```
#[must_use = "a future does nothing unless it is polled"]
pub struct Sleep {
    deadline: Instant,
    thread: Option<JoinFuture<()>>,
}

impl Sleep {
    /// Changes the time at which it is ready.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{block_on, time::{Duration, Instant}};
    /// use greenthread_async::Threads;
    ///
    /// let mut sleep = Threads.sleep_until(Instant::now() + Duration::from_secs(3600));
    /// sleep.reset(Instant::now());
    /// block_on(sleep);
    /// ```
    pub fn reset(&mut self, deadline: Instant) {
        // A thread that wakes up too early is replaced.
        if deadline < self.deadline {
            self.cancel();
        }
        self.deadline = deadline;
    }

    fn cancel(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.cancel();
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let deadline = self.deadline;
            if Instant::now() >= deadline {
                self.cancel();
                return Poll::Ready(());
            }
            let thread = self
                .thread
                .get_or_insert_with(|| thread::spawn(move || thread::sleep_until(deadline)).into_future());
            if Pin::new(thread).poll(context).is_pending() {
                return Poll::Pending;
            }
            self.thread = None;
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}
