//! Waiting for a thread's end.

use core::fmt;

use super::{Result, Thread};
use crate::{scheduler, task::job::Handle};

/// The right to wait for a thread's end and to take its result: [`std::thread::JoinHandle`]. Dropping it detaches the
/// thread.
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

// SAFETY: a handle gives its `T` to whoever joins; `spawn` has asked for `T: Send`. As in std.
unsafe impl<T> Send for JoinHandle<T> {}
// SAFETY: by reference it shows the thread's handle and whether it has ended, nothing of `T`.
unsafe impl<T> Sync for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    /// The thread.
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

    /// Waits for the thread's end.
    ///
    /// # Errors
    ///
    /// The thread's panic, if it panicked. If no stack could be had for it and none ever will, an [`std::io::Error`] in
    /// the box says so; the closure has not run then.
    ///
    /// # Panics
    ///
    /// If a thread joins itself, or one that waits for its end: by joins, or at the end of a scope. Several threads that join
    /// each other at the same time wait in a circle; one of them panics then, and the others go on. Longer circles than of 64
    /// threads are not found. Also in the child of a [fork](crate#fork), if the thread is the parent's and has not ended.
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

    /// Whether the thread has ended: its closure has returned or panicked, and its thread-locals are destroyed. Does not
    /// block.
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

/// The handle of a thread that [`spawn_local`](super::spawn_local) has spawned: [`JoinHandle`], but it is `Send` only if the
/// result is.
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
    /// The thread.
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

    /// Waits for the thread's end.
    ///
    /// # Errors
    ///
    /// As [`JoinHandle::join`].
    ///
    /// # Panics
    ///
    /// As [`JoinHandle::join`].
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

    /// Whether the thread has ended, as [`JoinHandle::is_finished`].
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
