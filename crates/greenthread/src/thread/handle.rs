//! Waiting for the end of a thread.

use core::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use super::{Result, Thread};
use crate::{
    opaque_debug::opaque_debug,
    scheduler,
    task::{job::Handle, join_future},
};

/// The right to wait for a thread's end and to take its result: [`std::thread::JoinHandle`].
///
/// Dropping the handle detaches the thread: it goes on, and its result is dropped when it ends.
///
/// # Examples
///
/// ```
/// use greenthread::thread;
///
/// let sum = greenthread::run(|| thread::spawn(|| 1 + 2).join().unwrap());
/// assert_eq!(sum, 3);
/// ```
pub struct JoinHandle<T>(pub(super) Handle<T>);

// SAFETY: the handle gives its `T` to the thread that joins, and every function that makes a
// `JoinHandle<T>` requires `T: Send`.
unsafe impl<T> Send for JoinHandle<T> {}
// SAFETY: a shared handle shows the thread's block and whether the thread has ended. It gives no
// access to the `T`.
unsafe impl<T> Sync for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    /// Returns a handle to the thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::thread;
    /// let parked = thread::spawn(thread::park);
    /// parked.thread().unpark();
    /// parked.join().unwrap();
    /// ```
    #[must_use]
    pub fn thread(&self) -> &Thread {
        Thread::from_ref(&self.0.block)
    }

    /// Waits for the thread's end and returns its result. The destructors of its thread-locals have
    /// run by then.
    ///
    /// A green thread that joins a thread which has not started yet may run it at once, on its own
    /// stack.
    ///
    /// # Errors
    ///
    /// Returns the panic's payload if the thread panicked. If the thread could get no stack and no
    /// other thread's end can free one, the payload is an [`std::io::Error`] with the reason, and
    /// the closure has not run.
    ///
    /// # Panics
    ///
    /// Panics if the wait could never end:
    ///
    /// * A thread joins itself, or joins a thread that waits for the caller's end, directly or
    ///   through others, by joins or at the end of a scope. If several threads close such a cycle
    ///   at the same time, one of them panics and the others go on. A cycle of more than 64 threads
    ///   is not found, and its threads wait for ever.
    /// * In the child of a [fork](crate#fork), the thread is one of the parent and had not ended.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::thread;
    /// assert_eq!(thread::spawn(|| 7).join().unwrap(), 7);
    /// let panic = thread::spawn(|| std::panic::resume_unwind(Box::new("why"))).join().unwrap_err();
    /// assert_eq!(panic.downcast_ref(), Some(&"why"));
    /// ```
    pub fn join(self) -> Result<T> {
        scheduler::join(self.0)
    }

    /// Cancels the thread: at its next [cancellation point](crate::cancel#points), or in the wait
    /// in which it is, it is unwound, and [`join`](Self::join) returns a
    /// [`Cancelled`](crate::cancel::Cancelled) as the error. With it all threads are cancelled that
    /// it has spawned in scopes of [`cancel`](crate::cancel). Does not wait for that, and does
    /// nothing if the thread has ended. The idea is that of tokio's `abort`.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{cancel::Cancelled, thread};
    ///
    /// let thread = thread::spawn(|| thread::park());
    /// thread.cancel();
    /// assert!(thread.join().unwrap_err().is::<Cancelled>());
    /// ```
    pub fn cancel(&self) {
        scheduler::registry::cancel_thread(&self.0.block);
    }

    /// Returns whether the thread has ended. That is so once its closure has returned or panicked
    /// and its thread-locals are destroyed. Does not block.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::thread;
    /// let thread = thread::spawn(|| ());
    /// while !thread.is_finished() {
    ///     thread::yield_now();
    /// }
    /// ```
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("thread", self.thread()).finish_non_exhaustive()
    }
}

/// The handle of a thread that [`spawn_local`](super::spawn_local) has spawned. It is a
/// [`JoinHandle`] that is `Send` only if the result is.
///
/// Dropping the handle detaches the thread.
///
/// # Examples
///
/// ```
/// use greenthread::thread;
/// use std::rc::Rc;
///
/// greenthread::run(|| {
///     let thread = thread::spawn_local(|| Rc::new("not Send"));
///     assert_eq!(*thread.join().unwrap(), "not Send");
/// });
/// ```
///
/// ```compile_fail
/// use greenthread::thread;
/// use std::rc::Rc;
///
/// fn send<T: Send>(_: T) {}
/// send(thread::spawn_local(|| Rc::new("not Send")));
/// ```
pub struct LocalJoinHandle<T>(pub(super) Handle<T>);

impl<T> LocalJoinHandle<T> {
    /// Returns a handle to the thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::thread;
    /// greenthread::run(|| {
    ///     let parked = thread::spawn_local(thread::park);
    ///     parked.thread().unpark();
    ///     parked.join().unwrap();
    /// });
    /// ```
    #[must_use]
    pub fn thread(&self) -> &Thread {
        Thread::from_ref(&self.0.block)
    }

    /// Waits for the thread's end and returns its result.
    ///
    /// # Errors
    ///
    /// The same as those of [`JoinHandle::join`].
    ///
    /// # Panics
    ///
    /// The same as those of [`JoinHandle::join`].
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::thread;
    /// let seven = greenthread::run(|| thread::spawn_local(|| 7).join().unwrap());
    /// assert_eq!(seven, 7);
    /// ```
    pub fn join(self) -> Result<T> {
        self.0.join()
    }

    /// Returns whether the thread has ended, as [`JoinHandle::is_finished`] does.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::thread;
    /// greenthread::run(|| {
    ///     let thread = thread::spawn_local(|| ());
    ///     while !thread.is_finished() {
    ///         thread::yield_now();
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

impl<T> fmt::Debug for LocalJoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalJoinHandle").field("thread", self.thread()).finish_non_exhaustive()
    }
}

impl<T> IntoFuture for JoinHandle<T> {
    type Output = Result<T>;
    type IntoFuture = JoinFuture<T>;

    /// Awaits the thread's end instead of blocking until it: see [`JoinFuture`].
    fn into_future(self) -> JoinFuture<T> {
        JoinFuture(join_future::JoinFuture::new(self.0))
    }
}

impl<T> IntoFuture for LocalJoinHandle<T> {
    type Output = Result<T>;
    type IntoFuture = JoinFuture<T>;

    /// Awaits the thread's end instead of blocking until it: see [`JoinFuture`].
    fn into_future(self) -> JoinFuture<T> {
        JoinFuture(join_future::JoinFuture::new(self.0))
    }
}

/// A future that is ready when a thread has ended, with what [`JoinHandle::join`] returns: the
/// thread's result, or its panic's payload. `handle.await` makes one, in a task of any executor.
/// Dropping it detaches the thread.
///
/// # Panics
///
/// Polling it panics in the child of a [fork](crate#fork), if the thread is one of the parent and
/// had not ended. A cycle of threads that await each other is not found: they wait for ever.
///
/// # Examples
///
/// ```
/// use greenthread::{block_on, thread};
///
/// let thread = thread::spawn(|| 7);
/// assert_eq!(block_on(async { thread.await.unwrap() }), 7);
///
/// let panic = thread::spawn(|| std::panic::resume_unwind(Box::new("why")));
/// let payload = block_on(panic).unwrap_err();
/// assert_eq!(payload.downcast_ref(), Some(&"why"));
/// ```
#[must_use = "a future does nothing unless it is polled"]
pub struct JoinFuture<T>(join_future::JoinFuture<T>);

impl<T> JoinFuture<T> {
    /// Cancels the thread, as [`JoinHandle::cancel`] does. Does nothing once the result was taken.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{block_on, cancel::Cancelled, thread};
    ///
    /// let end = thread::spawn(|| thread::park()).into_future();
    /// end.cancel();
    /// assert!(block_on(end).unwrap_err().is::<Cancelled>());
    /// ```
    pub fn cancel(&self) {
        if let Some(thread) = self.0.thread() {
            scheduler::registry::cancel_thread(thread);
        }
    }
}

impl<T> Future for JoinFuture<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        self.0.poll(context)
    }
}

opaque_debug!(JoinFuture<T>);
