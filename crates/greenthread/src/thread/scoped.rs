//! Threads that borrow from their parent.

use core::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    ptr::NonNull,
    task::{Context, Poll},
};
use std::{
    io,
    panic::{AssertUnwindSafe, RefUnwindSafe, catch_unwind},
};

use super::{Builder, Result, Thread};
use crate::{
    opaque_debug::opaque_debug,
    runtime::spawn::{self, Request},
    scheduler,
    task::{cancel, job::Handle, join_future::JoinFuture, own_tls, scope, scope_count::ScopeCount},
};

/// Runs `f` with a new scope, and waits for all threads that were spawned in the scope:
/// [`std::thread::scope`]. These threads may borrow whatever outlives this call. The wait also
/// takes place when `f` panics, and nothing can interrupt it. It includes the destructors of the
/// threads' [thread-locals](super::LocalKey).
///
/// # Panics
///
/// Panics with the panic of `f`, if `f` panics. Otherwise panics if a thread panicked that was not
/// joined. In the child of a [fork](crate#fork), panics if the scope has threads of the parent that
/// had not ended.
///
/// # Examples
///
/// ```
/// use greenthread::thread;
///
/// let mut left = vec![1, 2];
/// let mut right = vec![3];
/// greenthread::run(|| {
///     thread::scope(|s| {
///         s.spawn(|| left.push(10));
///         s.spawn(|| right.push(20));
///     })
/// });
/// assert_eq!((left, right), (vec![1, 2, 10], vec![3, 20]));
/// ```
#[track_caller]
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let mut scope = Scope { count: ScopeCount::new(), scope: PhantomData, env: PhantomData };
    scope::set_owner(&mut scope.count);
    let result = catch_unwind(AssertUnwindSafe(|| f(&scope)));
    let unhandled = scope::wait(&scope.count);
    match result {
        Err(payload) => std::panic::resume_unwind(payload),
        Ok(_) if unhandled => {
            // Both were cancelled: that is no panic to report.
            cancel::check();
            panic!("a scoped thread panicked")
        }
        Ok(value) => value,
    }
}

/// A scope, in which threads are spawned that may borrow: [`std::thread::Scope`].
///
/// # Examples
///
/// ```
/// use greenthread::thread::{self, Scope};
///
/// fn both<'scope>(scope: &'scope Scope<'scope, '_>, text: &'scope str) -> usize {
///     let upper = scope.spawn(|| text.chars().filter(|c| c.is_uppercase()).count());
///     let lower = scope.spawn(|| text.chars().filter(|c| c.is_lowercase()).count());
///     upper.join().unwrap() + lower.join().unwrap()
/// }
///
/// let text = String::from("Green Threads 7");
/// assert_eq!(thread::scope(|scope| both(scope, &text)), 12);
/// ```
pub struct Scope<'scope, 'env: 'scope> {
    count: ScopeCount,
    /// Both lifetimes are invariant. A longer or a shorter one would let a borrow end too early.
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

// A scope is a count, which each thread changes in one step. A panic leaves nothing half changed.
impl RefUnwindSafe for Scope<'_, '_> {}

impl<'scope> Scope<'scope, '_> {
    /// Spawns a thread that may borrow whatever outlives the scope.
    ///
    /// # Panics
    ///
    /// Panics if the thread can't be spawned. [`Builder::spawn_scoped`] returns the error instead.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::thread;
    /// let text = String::from("borrowed");
    /// let length = thread::scope(|scope| scope.spawn(|| text.len()).join().unwrap());
    /// assert_eq!(length, 8);
    /// ```
    #[track_caller]
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        self.spawn_as(Request::plain(), f).expect("failed to spawn a green thread")
    }

    #[inline]
    fn spawn_as<F, T>(&'scope self, request: Request, f: F) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        self.count.refuse_if_foreign()?;
        let request = Request { scope: Some(NonNull::from(&self.count)), ..request };
        // SAFETY: `scope` does not return before the thread has left `count`, so all that is
        // borrowed for `'scope` outlives the thread. The thread drops its closure, and a result
        // that no handle wants, before it leaves `count`. `F` and `T` are `Send`.
        unsafe { spawn::spawn(None, request, f) }
            .map(|handle| ScopedJoinHandle { handle, scope: PhantomData })
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("count", &self.count).finish_non_exhaustive()
    }
}

impl Builder {
    /// Spawns a thread in a scope, as [`Scope::spawn`] does, with the builder's name and stack
    /// size.
    ///
    /// # Errors
    ///
    /// `Unsupported` in the child of a [fork](crate#fork), if the scope is the parent's. All other
    /// errors are those of [`Builder::spawn`].
    ///
    /// # Panics
    ///
    /// Panics if the thread's name holds a NUL byte.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::thread;
    ///
    /// let text = String::from("borrowed");
    /// let length = greenthread::run(|| {
    ///     thread::scope(|s| thread::Builder::new().spawn_scoped(s, || text.len()).unwrap().join().unwrap())
    /// });
    /// assert_eq!(length, 8);
    /// ```
    #[track_caller]
    pub fn spawn_scoped<'scope, F, T>(
        self,
        scope: &'scope Scope<'scope, '_>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        if self.own_tls {
            return scope.spawn_as(self.request(), own_tls::wrap(f)?);
        }
        scope.spawn_as(self.request(), f)
    }
}

/// The handle of a scoped thread: [`std::thread::ScopedJoinHandle`]. Dropping it detaches the
/// thread from the handle, but the scope still waits for it.
///
/// # Examples
///
/// ```
/// use greenthread::thread;
///
/// let words = ["green", "thread"];
/// let lengths = greenthread::run(|| {
///     thread::scope(|s| {
///         let threads = words.each_ref().map(|word| s.spawn(|| word.len()));
///         threads.map(|thread| thread.join().unwrap())
///     })
/// });
/// assert_eq!(lengths, [5, 6]);
/// ```
pub struct ScopedJoinHandle<'scope, T> {
    handle: Handle<T>,
    scope: PhantomData<&'scope ()>,
}

// SAFETY: the handle gives its `T` to the thread that joins, and `spawn_as`, the only function that
// makes one, requires `T: Send`.
unsafe impl<T> Send for ScopedJoinHandle<'_, T> {}
// SAFETY: a shared handle shows the thread's block and whether the thread has ended. It gives no
// access to the `T`.
unsafe impl<T> Sync for ScopedJoinHandle<'_, T> {}

impl<T> ScopedJoinHandle<'_, T> {
    /// Returns a handle to the thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::thread;
    /// thread::scope(|scope| scope.spawn(thread::park).thread().unpark());
    /// ```
    #[must_use]
    pub fn thread(&self) -> &Thread {
        Thread::from_ref(&self.handle.block)
    }

    /// Waits for the thread's end and returns its result.
    ///
    /// # Errors
    ///
    /// The same as those of [`JoinHandle::join`](super::JoinHandle::join).
    ///
    /// # Panics
    ///
    /// The same as those of [`JoinHandle::join`](super::JoinHandle::join).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::thread;
    /// let numbers = [1, 2, 3];
    /// let sum = thread::scope(|scope| scope.spawn(|| numbers.iter().sum::<i32>()).join().unwrap());
    /// assert_eq!(sum, 6);
    /// ```
    pub fn join(self) -> Result<T> {
        scheduler::join(self.handle)
    }

    /// Returns whether the thread has ended, as
    /// [`JoinHandle::is_finished`](super::JoinHandle::is_finished) does.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::thread;
    /// thread::scope(|scope| {
    ///     let thread = scope.spawn(|| ());
    ///     while !thread.is_finished() {
    ///         thread::yield_now();
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedJoinHandle").field("thread", self.thread()).finish_non_exhaustive()
    }
}

impl<'scope, T> IntoFuture for ScopedJoinHandle<'scope, T> {
    type Output = Result<T>;
    type IntoFuture = ScopedJoinFuture<'scope, T>;

    /// Awaits the thread's end instead of blocking until it: see
    /// [`JoinFuture`](super::JoinFuture).
    fn into_future(self) -> ScopedJoinFuture<'scope, T> {
        ScopedJoinFuture { future: JoinFuture::new(self.handle), scope: PhantomData }
    }
}

/// The [`JoinFuture`](super::JoinFuture) of a scoped thread. If it is dropped or forgotten, the
/// scope still waits for the thread.
///
/// # Examples
///
/// ```
/// use greenthread::{block_on, thread};
///
/// let words = ["green", "thread"];
/// let lengths = thread::scope(|s| {
///     let threads = words.each_ref().map(|word| s.spawn(|| word.len()));
///     block_on(async move {
///         let [one, two] = threads;
///         [one.await.unwrap(), two.await.unwrap()]
///     })
/// });
/// assert_eq!(lengths, [5, 6]);
/// ```
#[must_use = "a future does nothing unless it is polled"]
pub struct ScopedJoinFuture<'scope, T> {
    future: JoinFuture<T>,
    scope: PhantomData<&'scope ()>,
}

impl<T> Future for ScopedJoinFuture<'_, T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        self.future.poll(context)
    }
}

opaque_debug!(ScopedJoinFuture<'_, T>);
