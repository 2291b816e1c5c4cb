//! Spawning of threads.

use std::{io, panic::Location};

use super::{JoinHandle, LocalJoinHandle};
use crate::{
    Runtime,
    runtime::spawn::{self, Request},
    task::own_tls,
};

/// Spawns a green thread on the current runtime. On an OS thread, spawns it on the default runtime,
/// which is started first if it does not run yet. The signature and the meaning are those of
/// [`std::thread::spawn`].
///
/// Does not wait for the new thread to start, but for its place, if the runtime has a
/// [limit of threads](crate::RuntimeBuilder::max_threads) and has reached it. Dropping the handle
/// detaches the thread.
///
/// # Panics
///
/// Panics if the thread can't be spawned. [`Builder::spawn`] returns the error instead.
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
    // SAFETY: `F` and `T` are `'static`, so they borrow nothing that can go, and `Send`.
    unsafe { spawn::spawn(None, Request::plain(), f) }
        .map(JoinHandle)
        .expect("failed to spawn a green thread")
}

/// Spawns a green thread that stays on the worker of the calling green thread. Neither the closure
/// nor the result needs to be `Send`, and both threads may share values that are not (an `Rc`, a
/// `Cell`). No other worker takes the new thread, however busy this one is.
///
/// The two threads share an OS thread, not a green thread: each still has its own value of a
/// [`greenthread::thread_local!`](crate::thread_local).
///
/// # Panics
///
/// Panics on an OS thread, and if the thread can't be spawned. [`Builder::spawn_local`] returns the
/// error instead.
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
    pub(crate) own_tls: bool,
}

impl Builder {
    /// Returns a builder for a thread without a name and with the runtime's stack size.
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

    /// Names the thread. The name appears in panic messages and reports, and
    /// [`Thread::name`](super::Thread::name) returns it. [`spawn`](Self::spawn) panics if the name
    /// holds a NUL byte.
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

    /// Sets the size of the thread's stack, in bytes.
    ///
    /// The size is rounded up to whole pages and to the minimum that a panic with a backtrace
    /// needs: 32 KiB, or 64 KiB with debug assertions. The stack takes address space, but memory
    /// only as the thread touches it. A size of 0, or one beyond the address space, is an error
    /// when the thread is spawned. Without this call, the thread gets the [runtime's stack
    /// size](crate::RuntimeBuilder::stack_size).
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

    /// Gives the thread thread-locals of its own, as an OS thread has them. Without this call, the
    /// values of `std::thread_local!` belong to the worker, and its threads share them.
    ///
    /// The thread is then to *all* code what an OS thread is, also to crates and C libraries that
    /// know nothing of green threads: `std::thread::current`, `std::thread_local!` with its
    /// destructors, `errno`, the owners of reentrant locks (`stdout().lock()`), what crates keep in
    /// thread-locals across a blocking call. Of the [exceptions](crate#soundness) to the crate's
    /// axiom none holds for it. What *blocks* there still blocks the worker, unless it is a call of
    /// this crate.
    ///
    /// Such a thread takes some 5 KiB more memory while it runs, which is kept for the next one,
    /// and a switch to it or away from it some tens of nanoseconds more. The values are destroyed
    /// before a joiner goes on. The result of a thread that was detached is dropped later, when
    /// the worker's thread-locals are back.
    ///
    /// It is available on Linux with glibc from 2.34 on, on x86-64 (from Linux 5.9 on) and AArch64.
    /// Elsewhere, and under sanitizers and Valgrind, spawning fails with `Unsupported`. Things that
    /// belong to the OS thread and not to its thread-locals stay shared with the siblings: the
    /// signal mask, the number (`gettid`) and the name that the system shows, scheduling and
    /// affinity, clocks of processor time. Also:
    ///
    /// * `pthread_kill` and `pthread_setschedparam` don't find the thread, and `pthread_getattr_np`
    ///   does not know its stack. A `pthread_mutex_t` with priority inheritance can't be waited
    ///   for, and a robust one is not recovered.
    /// * `setuid` and its like hang. Call them elsewhere, or in an executable that has
    ///   `greenthread_foreign::install!`.
    /// * `pthread_exit` and `pthread_cancel` abort the process, as they do on any Rust thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::thread;
    /// use std::cell::Cell;
    ///
    /// thread_local!(static COUNT: Cell<u32> = const { Cell::new(0) });
    ///
    /// let counts = greenthread::run(|| {
    ///     let count = || {
    ///         COUNT.set(COUNT.get() + 1);
    ///         thread::yield_now();
    ///         COUNT.get()
    ///     };
    ///     let threads = [0, 1, 2].map(|_| thread::Builder::new().own_tls(true).spawn(count));
    ///     threads.into_iter().map(|thread| Ok(thread?.join().unwrap())).collect::<std::io::Result<Vec<_>>>()
    /// });
    /// match counts {
    ///     Ok(counts) => assert_eq!(counts, [1, 1, 1]),
    ///     Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::Unsupported),
    /// }
    /// ```
    pub fn own_tls(mut self, own_tls: bool) -> Self {
        self.own_tls = own_tls;
        self
    }

    /// Spawns the thread, as [`spawn`] does.
    ///
    /// # Errors
    ///
    /// The closure is dropped when an error is returned. The kinds are:
    ///
    /// * `InvalidInput`: the stack size is 0 or larger than the address space.
    /// * `OutOfMemory`: there is no memory for the thread's record, or no address space
    ///   (`ulimit -v`) or no map (`vm.max_map_count`) for its stack, beside the stacks of all other
    ///   threads, started or not. The same goes while threads that were spawned earlier wait for
    ///   stacks of this size or a smaller one. A memory limit of a control group does not lead to
    ///   an error here, since the system gives memory as it is touched.
    /// * `QuotaExceeded`: the runtime has a [limit](crate::RuntimeBuilder::max_threads), at which
    ///   this function waits, and the wait would never end.
    /// * `Unsupported`: the thread can't have [thread-locals of its own](Self::own_tls) here.
    /// * The errors of [`RuntimeBuilder::build`](crate::RuntimeBuilder::build), if the default
    ///   runtime has to be started first.
    ///
    /// # Panics
    ///
    /// Panics if the thread's name holds a NUL byte.
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
        if self.own_tls {
            // SAFETY: as below.
            return unsafe { self.spawn_with_own_tls(f) };
        }
        // SAFETY: `F` and `T` are `'static`, so they borrow nothing that can go, and `Send`.
        unsafe { spawn::spawn(None, self.request(), f) }.map(JoinHandle)
    }

    /// Spawns the thread without the requirement that the closure and its result are `'static`.
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
    /// Everything that the closure and its result borrow must outlive the thread and its result:
    /// join the thread before a borrowed value goes, or borrow only `'static` values.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::thread;
    ///
    /// let number = 7;
    /// // SAFETY: the thread is joined before `number` goes out of scope.
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
        if self.own_tls {
            // SAFETY: this is the function's contract.
            return unsafe { self.spawn_with_own_tls(f) };
        }
        // SAFETY: the caller keeps what `F` and `T` borrow for as long as the thread and its result
        // are there (this function's contract), and both are `Send`.
        unsafe { spawn::spawn(None, self.request(), f) }.map(JoinHandle)
    }

    /// Spawns the thread on the worker of the calling green thread, where it stays, as
    /// [`spawn_local`] does.
    ///
    /// # Errors
    ///
    /// `Unsupported` on an OS thread, on a thread with [thread-locals of its own](Self::own_tls),
    /// and for such a thread. All other errors are those of [`spawn`](Self::spawn).
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
        if self.own_tls {
            let message = "a local thread shares the thread-locals of its worker, and can't have its own";
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
        // SAFETY: `F` and `T` are `'static`, so they borrow nothing that can go.
        unsafe { spawn::spawn_local(self.request(), f) }.map(LocalJoinHandle)
    }

    /// # Safety
    /// As for [`spawn_unchecked`](Self::spawn_unchecked).
    #[cold]
    #[inline(never)]
    #[track_caller]
    unsafe fn spawn_with_own_tls<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        // SAFETY: the caller vouches for what `F` and `T` borrow, and both are `Send`.
        unsafe { spawn::spawn(None, self.request(), own_tls::wrap(f)?) }.map(JoinHandle)
    }

    #[inline]
    #[track_caller]
    pub(crate) fn request(self) -> Request {
        let name = self.name.map(String::into_boxed_str);
        if let Some(name) = &name {
            check(name);
        }
        Request { name, stack_size: self.stack_size, scope: None, location: Location::caller() }
    }
}

/// Panics as std does. It is out of line because most threads have no name.
#[cold]
#[track_caller]
fn check(name: &str) {
    assert!(!name.contains('\0'), "thread name may not contain interior null bytes: {name:?}");
}

impl Runtime {
    /// Spawns a green thread on this runtime, as [`thread::spawn`](spawn) does on the current one.
    /// The caller may be any thread.
    ///
    /// # Panics
    ///
    /// Panics if the thread can't be spawned. That is also so in the child of a [fork](crate#fork),
    /// if the runtime is the parent's.
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
        // SAFETY: `F` and `T` are `'static`, so they borrow nothing that can go, and `Send`.
        unsafe { spawn::spawn(Some(&self.shared), Request::plain(), f) }
            .map(JoinHandle)
            .expect("failed to spawn a green thread")
    }
}
