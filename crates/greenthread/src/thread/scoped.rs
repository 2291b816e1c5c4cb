//! Threads that borrow from their parent.

use core::{fmt, marker::PhantomData, ptr::NonNull};
use std::{
    io,
    panic::{AssertUnwindSafe, RefUnwindSafe, catch_unwind},
};

use super::{Builder, Result, Thread};
use crate::{
    runtime::spawn::{self, Request},
    scheduler,
    task::{job::Handle, scope, scope_count::ScopeCount},
};

/// Runs `f`, which may spawn threads that borrow what outlives this call, and waits for all of them:
/// [`std::thread::scope`]. It waits also when `f` panics, and that wait can't be interrupted.
///
/// # Panics
///
/// With the panic of `f`; else, if a thread panicked that was not joined.
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
        Ok(_) if unhandled => panic!("a scoped thread panicked"),
        Ok(value) => value,
    }
}

/// Where scoped threads are spawned: [`std::thread::Scope`].
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
    /// Invariant in both: a longer or a shorter one would let a borrow end too early.
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

// It only counts: a panic leaves nothing half done.
impl RefUnwindSafe for Scope<'_, '_> {}

impl<'scope> Scope<'scope, '_> {
    /// Spawns a thread that may borrow what outlives the scope.
    ///
    /// # Panics
    ///
    /// If the thread can't be spawned; [`Builder::spawn_scoped`] gives the error instead.
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
        if self.count.is_foreign() {
            let message = "this scope's threads run in the process that has forked this one";
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
        let request = Request { scope: Some(NonNull::from(&self.count)), ..request };
        // SAFETY: the scope waits for the thread before what `'scope` outlives can go; the closure and an unwanted result
        // are dropped before the thread leaves the scope's count. Both may be sent.
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
    /// Spawns a thread in a scope, as [`Scope::spawn`], with this name and stack size.
    ///
    /// # Errors
    ///
    /// As [`Builder::spawn`].
    ///
    /// # Panics
    ///
    /// As [`Builder::spawn`].
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
        scope.spawn_as(self.request(), f)
    }
}

/// The handle of a scoped thread: [`std::thread::ScopedJoinHandle`].
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

// SAFETY: as for `JoinHandle`.
unsafe impl<T> Send for ScopedJoinHandle<'_, T> {}
// SAFETY: as for `JoinHandle`.
unsafe impl<T> Sync for ScopedJoinHandle<'_, T> {}

impl<T> ScopedJoinHandle<'_, T> {
    /// The thread.
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

    /// Waits for the thread's end.
    ///
    /// # Errors
    ///
    /// The thread's panic; as [`JoinHandle::join`](super::JoinHandle::join).
    ///
    /// # Panics
    ///
    /// As [`JoinHandle::join`](super::JoinHandle::join).
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

    /// Whether the thread has ended, as [`JoinHandle::is_finished`](super::JoinHandle::is_finished).
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
