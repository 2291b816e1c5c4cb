//! Spawning threads.

use std::{io, panic::Location};

use super::JoinHandle;
use crate::{
    Runtime,
    runtime::spawn::{self, Request},
};

/// Spawns a green thread on the current runtime; from an OS thread, on the default runtime, which starts if
/// need be. Signature and meaning are those of [`std::thread::spawn`].
///
/// # Panics
///
/// If the thread can't be spawned; [`Builder::spawn`] gives the error instead.
///
/// # Examples
///
/// ```
/// use greenthread::thread;
///
/// let thread = thread::spawn(|| "from a green thread");
/// assert_eq!(thread.join().unwrap(), "from a green thread");
/// ```
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Builder::new().spawn(f).expect("failed to spawn a green thread")
}

/// Spawns threads with a name or a stack size of their own: [`std::thread::Builder`].
///
/// # Examples
///
/// ```
/// use greenthread::thread;
///
/// let thread = thread::Builder::new().name("deep".into()).stack_size(4 << 20).spawn(|| {
///     assert_eq!(thread::current().name(), Some("deep"));
/// })?;
/// thread.join().unwrap();
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Default)]
#[must_use = "call spawn"]
pub struct Builder {
    name: Option<String>,
    stack_size: Option<usize>,
}

impl Builder {
    /// A thread without a name, with the runtime's stack size.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the thread, for panic messages, reports and [`Thread::name`](super::Thread::name).
    pub fn name(mut self, name: String) -> Self {
        self.name = Some(name);
        self
    }

    /// The size of the thread's stack in bytes. It is rounded up to whole pages, and to what a panic needs.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// Spawns the thread, as [`spawn`].
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a stack size of 0 or beyond reason, or a bad environment variable (the default runtime
    /// starts here, if need be). `OutOfMemory` if there is no memory for the thread's block or no address space for its
    /// stack; while stacks can't be had, the system's reason. The closure is dropped.
    ///
    /// # Differs from std
    ///
    /// A name may hold zero bytes; std panics.
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        // SAFETY: nothing is borrowed, and both may be sent.
        unsafe { spawn::spawn(None, self.request(), f) }.map(JoinHandle)
    }

    #[track_caller]
    pub(super) fn request(self) -> Request {
        Request { name: self.name, stack_size: self.stack_size, scope: None, location: Location::caller() }
    }
}

impl Runtime {
    /// Spawns a green thread on this runtime: [`thread::spawn`](spawn), from anywhere.
    ///
    /// # Panics
    ///
    /// If the thread can't be spawned.
    ///
    /// # Examples
    ///
    /// ```
    /// let runtime = greenthread::Runtime::builder().workers(1).build()?;
    /// let thread = runtime.spawn(|| 42);
    /// assert_eq!(thread.join().unwrap(), 42);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn spawn<F, T>(&self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        // SAFETY: nothing is borrowed, and both may be sent.
        unsafe { spawn::spawn(Some(&self.shared), Request::plain(), f) }
            .map(JoinHandle)
            .expect("failed to spawn a green thread")
    }
}
