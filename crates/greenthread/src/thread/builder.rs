//! Spawning threads.

use std::{io, panic::Location};

use super::{JoinHandle, LocalJoinHandle};
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
#[inline]
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    // SAFETY: nothing is borrowed, and both may be sent.
    unsafe { spawn::spawn(None, Request::plain(), f) }
        .map(JoinHandle)
        .expect("failed to spawn a green thread")
}

/// Spawns a green thread that stays on the worker of its parent, a green thread: so neither closure nor result need to be
/// `Send`, and the two may share what isn't (an `Rc`, a `Cell`). No other worker takes it, however busy this one is.
///
/// What is not `Send` is bound to an OS thread, not to a green one; a value of
/// [`greenthread::thread_local!`](crate::thread_local) remains its own thread's.
///
/// # Panics
///
/// On an OS thread; and if the thread can't be spawned. [`Builder::spawn_local`] gives the error instead.
///
/// # Examples
///
/// ```
/// use greenthread::thread;
/// use std::{cell::Cell, rc::Rc};
///
/// greenthread::run(|| {
///     let count = Rc::new(Cell::new(0));
///     let threads = [1, 2, 3].map(|n| {
///         let count = count.clone();
///         thread::spawn_local(move || count.set(count.get() + n))
///     });
///     threads.into_iter().for_each(|thread| thread.join().unwrap());
///     assert_eq!(count.get(), 6);
/// });
/// ```
#[track_caller]
pub fn spawn_local<F, T>(f: F) -> LocalJoinHandle<T>
where
    F: FnOnce() -> T + 'static,
    T: 'static,
{
    Builder::new()
        .spawn_local(f)
        .unwrap_or_else(|error| panic!("failed to spawn a local green thread: {error}"))
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
    ///
    /// # Examples
    ///
    /// ```
    /// let thread = greenthread::thread::Builder::new().spawn(|| 7)?;
    /// assert_eq!(thread.join().unwrap(), 7);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the thread, for panic messages, reports and [`Thread::name`](super::Thread::name). The name must not hold NUL
    /// bytes: to spawn such a thread panics.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::thread::{self, Builder};
    /// let named = Builder::new().name("fern".into()).spawn(|| thread::current().name() == Some("fern"))?;
    /// assert!(named.join().unwrap());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn name(mut self, name: String) -> Self {
        self.name = Some(name);
        self
    }

    /// The size of the thread's stack in bytes. It is rounded up to whole pages, and to what a panic needs.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::thread::Builder;
    /// let large = Builder::new().stack_size(8 << 20).spawn(|| std::hint::black_box([1_u8; 1 << 20]).len())?;
    /// assert_eq!(large.join().unwrap(), 1 << 20);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// Spawns the thread, as [`spawn`].
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a stack size of 0 or beyond reason, or a bad environment variable (the default runtime
    /// starts here, if need be). `OutOfMemory` if there is no memory for the thread's block, or no address space (`ulimit -v`)
    /// or map (`vm.max_map_count`) for its stack beside those of the threads that are there, started or not; while stacks
    /// can't be had, the system's reason. The closure is dropped. Limits of memory (cgroups) are no such limits: the system
    /// gives memory as it is touched.
    ///
    /// # Panics
    ///
    /// If the thread's name holds a NUL byte.
    ///
    /// # Examples
    ///
    /// ```
    /// let error = greenthread::thread::Builder::new().stack_size(0).spawn(|| ()).unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    /// ```
    #[inline]
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        // SAFETY: nothing is borrowed, and both may be sent.
        unsafe { spawn::spawn(None, self.request(), f) }.map(JoinHandle)
    }

    /// Spawns the thread, whatever it borrows.
    ///
    /// # Errors
    ///
    /// As [`spawn`](Self::spawn).
    ///
    /// # Panics
    ///
    /// As [`spawn`](Self::spawn).
    ///
    /// # Safety
    ///
    /// What the closure and its result borrow must be there until the thread has ended and its result has been taken or dropped:
    /// join it, or borrow `'static` only.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::thread;
    ///
    /// let number = 7;
    /// // SAFETY: joined before `number` goes.
    /// let thread = unsafe { thread::Builder::new().spawn_unchecked(|| number + 1) }?;
    /// assert_eq!(thread.join().unwrap(), 8);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub unsafe fn spawn_unchecked<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        // SAFETY: as the caller says; both may be sent.
        unsafe { spawn::spawn(None, self.request(), f) }.map(JoinHandle)
    }

    /// Spawns the thread on its parent's worker, where it stays; as [`spawn_local`].
    ///
    /// # Errors
    ///
    /// `Unsupported` on an OS thread; otherwise as [`spawn`](Self::spawn).
    ///
    /// # Panics
    ///
    /// As [`spawn`](Self::spawn).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::thread;
    /// use std::rc::Rc;
    ///
    /// let error = thread::Builder::new().spawn_local(|| Rc::new(7)).unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
    /// let seven = greenthread::run(|| {
    ///     let thread = thread::Builder::new().name("near".into()).spawn_local(|| Rc::new(7));
    ///     *thread.unwrap().join().unwrap()
    /// });
    /// assert_eq!(seven, 7);
    /// ```
    #[track_caller]
    pub fn spawn_local<F, T>(self, f: F) -> io::Result<LocalJoinHandle<T>>
    where
        F: FnOnce() -> T + 'static,
        T: 'static,
    {
        // SAFETY: nothing is borrowed.
        unsafe { spawn::spawn_local(self.request(), f) }.map(LocalJoinHandle)
    }

    #[inline]
    #[track_caller]
    pub(super) fn request(self) -> Request {
        let name = self.name.map(String::into_boxed_str);
        if let Some(name) = &name {
            check(name);
        }
        Request { name, stack_size: self.stack_size, scope: None, location: Location::caller() }
    }
}

/// Panics as std does. Out of line, since most threads have no name.
#[cold]
#[track_caller]
fn check(name: &str) {
    assert!(!name.contains('\0'), "thread name may not contain interior null bytes: {name:?}");
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
