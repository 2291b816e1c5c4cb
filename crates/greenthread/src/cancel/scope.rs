//! Scopes whose threads fail together.

use core::{
    any::Any,
    fmt,
    marker::PhantomData,
    ptr::NonNull,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};
use std::{
    io,
    panic::resume_unwind,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use super::{Cancelled, caught};
use crate::{
    runtime::spawn::{self, Request},
    scheduler,
    sync::Semaphore,
    task::{
        cancel,
        cancel_node::{CancelNode, State},
        entered::{Attached, Entered},
        job::Handle,
        own_tls, scope,
        scope_count::ScopeCount,
    },
    thread::{Builder, Thread},
};

/// Runs `f` with a new scope, in which threads are spawned that may borrow, as with
/// [`thread::scope`](crate::thread::scope). They fail together: the first thread that returns an
/// error or panics cancels the others, and `f`. All of them have ended when this returns.
///
/// A scope has one type of error for all of its threads, and needs it also if none of them fails.
/// `Ok::<_, Infallible>(..)` names it. Then `let Ok(result) = cancel::scope(..)` is complete.
///
/// # Errors
///
/// The first error of a thread or of `f`.
///
/// # Panics
///
/// Panics with the first panic of a thread or of `f`, unless an error came before it.
///
/// # Examples
///
/// ```
/// use greenthread::{cancel, thread};
///
/// let sum = cancel::scope(|s| {
///     let one = s.spawn(|| Ok(1));
///     let two = s.spawn(|| Ok(2));
///     Ok::<_, String>(one.join()? + two.join()?)
/// });
/// assert_eq!(sum, Ok(3));
///
/// let failed = cancel::scope(|s| {
///     s.spawn(|| Ok(thread::park()));
///     s.spawn(|| Err::<(), _>("no"));
///     Ok(())
/// });
/// assert_eq!(failed, Err("no"));
///
/// let Ok(number) = cancel::scope(|s| s.spawn(|| Ok::<_, std::convert::Infallible>(7)).join());
/// assert_eq!(number, 7);
/// ```
#[track_caller]
pub fn scope<'env, F, T, E>(f: F) -> Result<T, E>
where
    F: for<'scope> FnOnce(Scope<'scope, 'env, E>) -> Result<T, E>,
{
    // The threads of a scope in a destructor are masked as `f` is.
    let mut node = CancelNode::new(cancel::innermost(), cancel::is_masked(), None);
    // SAFETY: the node stays in this frame until all threads have ended and the guard is dropped.
    let entered = unsafe { Entered::new(&mut node, None) };
    // It is below the scope of `f`, so that the threads can be cancelled without `f`.
    let threads = CancelNode::below(entered.node());
    // SAFETY: it stays in this frame until the guard is dropped, behind the wait for all threads.
    let attached = unsafe { Attached::new(&threads) };
    let mut frame = Frame {
        count: ScopeCount::new(),
        body: NonNull::from(entered.node()),
        threads: NonNull::from(&threads),
        failure: Mutex::new(None),
        spawned: AtomicUsize::new(0),
        places: OnceLock::new(),
        was_cancelled: AtomicBool::new(false),
    };
    scope::set_owner(&mut frame.count);
    let frame = &frame;
    let result = caught(|| f(Scope { frame, lifetimes: PhantomData }));
    if !matches!(result, Ok(Ok(_))) {
        cancel::cancel(entered.node());
    }
    let unhandled = scope::wait(&frame.count);
    drop(attached);
    drop(entered);
    let failure = frame.failure().take();
    match (result, failure.map(|failure| failure.what)) {
        (_, Some(What::Panic(payload))) => resume_unwind(payload),
        (Err(payload), Some(What::Error(error))) if payload.is::<Cancelled>() => Err(error),
        (Err(payload), _) => resume_unwind(payload),
        (Ok(Ok(_)), Some(What::Error(error))) => Err(error),
        (Ok(_), None) if unhandled => panic!("a thread of the scope could not be started"),
        // The work of `f` is not complete if a thread was cancelled from outside. A runtime cancels
        // its threads one after the other (`shutdown_cancel`), and this one may be yet to come.
        (Ok(Ok(_)), None)
            if frame.was_cancelled.load(Relaxed)
                && (threads.state() == State::Live || cancel::is_cancelled()) =>
        {
            cancel::unwind()
        }
        (Ok(result), _) => result,
    }
}

/// A scope whose threads fail together: see [`scope`]. It is a handle that can be copied, also into
/// the threads of the scope.
//
// It is not handed out as `&Scope`, as std does: that would say `E: 'scope`, and with an `E` that
// is `'static` the compiler then asks for borrows that are.
pub struct Scope<'scope, 'env: 'scope, E> {
    frame: *const Frame<E>,
    /// Both lifetimes are invariant, as those of `thread::Scope`.
    lifetimes: PhantomData<(&'scope mut &'scope (), &'env mut &'env ())>,
}

/// What `scope` has in its frame.
struct Frame<E> {
    count: ScopeCount,
    /// The scope that `f` runs in.
    body: NonNull<CancelNode>,
    /// The scope above all threads.
    threads: NonNull<CancelNode>,
    failure: Mutex<Option<Failure<E>>>,
    spawned: AtomicUsize,
    /// With a limit: how many more threads may live.
    places: OnceLock<Semaphore>,
    /// Whether a thread was unwound since it was cancelled.
    was_cancelled: AtomicBool,
}

// SAFETY: the nodes outlive the frame, and are shared by atomics and locks. An error goes from the
// thread that fails to the one that takes it.
unsafe impl<E: Send> Sync for Frame<E> {}

// SAFETY: it is a reference to the frame, which lives for `'scope`.
unsafe impl<E: Send> Send for Scope<'_, '_, E> {}
// SAFETY: as above.
unsafe impl<E: Send> Sync for Scope<'_, '_, E> {}

impl<E> Clone for Scope<'_, '_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Scope<'_, '_, E> {}

/// What was first to fail.
struct Failure<E> {
    thread: usize,
    what: What<E>,
}

enum What<E> {
    Error(E),
    Panic(Box<dyn Any + Send>),
}

impl<'scope, E> Scope<'scope, '_, E> {
    /// Spawns a thread that may borrow whatever outlives the scope. If it returns an error or
    /// panics, the scope fails. At the scope's [limit](Self::set_limit) it waits.
    ///
    /// # Panics
    ///
    /// Panics if the thread can't be spawned. [`spawn_with`](Self::spawn_with) returns the error
    /// instead.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::cancel;
    ///
    /// let text = String::from("borrowed");
    /// let length = cancel::scope(|s| s.spawn(|| Ok::<_, ()>(text.len())).join());
    /// assert_eq!(length, Ok(8));
    /// ```
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> ScopedJoinHandle<'scope, T, E>
    where
        F: FnOnce() -> Result<T, E> + Send + 'scope,
        T: Send + 'scope,
        E: Send + 'scope,
    {
        self.spawn_as(Request::plain(), false, f, |value| value).expect("failed to spawn a green thread")
    }

    /// Spawns a thread as [`spawn`](Self::spawn) does, with what the builder says.
    ///
    /// # Errors
    ///
    /// Those of [`Builder::spawn_scoped`].
    ///
    /// # Panics
    ///
    /// Panics if the thread's name holds a NUL byte.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{cancel, thread::{self, Builder}};
    ///
    /// let name = cancel::scope(|s| {
    ///     let name = || std::io::Result::Ok(thread::current().name().map(str::to_owned));
    ///     s.spawn_with(Builder::new().name("fern".into()), name)?.join()
    /// });
    /// assert_eq!(name?.as_deref(), Some("fern"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn spawn_with<F, T>(self, builder: Builder, f: F) -> io::Result<ScopedJoinHandle<'scope, T, E>>
    where
        F: FnOnce() -> Result<T, E> + Send + 'scope,
        T: Send + 'scope,
        E: Send + 'scope,
    {
        let own_tls = builder.own_tls;
        self.spawn_as(builder.request(), own_tls, f, |value| value)
    }

    /// Spawns a thread that calls `f`, and when that has ended `then`. This gets an error if `f`
    /// has failed or was cancelled: the scope knows of that by then.
    pub(super) fn spawn_as<F, T, G, U>(
        self,
        request: Request,
        own_tls: bool,
        f: F,
        then: G,
    ) -> io::Result<ScopedJoinHandle<'scope, U, E>>
    where
        F: FnOnce() -> Result<T, E> + Send + 'scope,
        G: FnOnce(Result<T, Option<E>>) -> Result<U, Option<E>> + Send + 'scope,
        U: Send + 'scope,
        E: Send + 'scope,
    {
        // SAFETY: the frame lives for `'scope`.
        let frame: &'scope Frame<E> = unsafe { &*self.frame };
        frame.count.refuse_if_foreign()?;
        let place = frame.places.get().map(|places| {
            places.acquire().forget();
            Place(places)
        });
        let thread = frame.spawned.fetch_add(1, Relaxed);
        let request = Request { scope: Some(NonNull::from(&frame.count)), ..request };
        let run = move || {
            let value = frame.run(thread, f);
            drop(place);
            then(value)
        };
        // SAFETY: `scope` does not return before the thread has left `count`, so all that is
        // borrowed for `'scope` outlives the thread. `F`, `G` and `U` are `Send`.
        let handle = unsafe {
            if own_tls {
                spawn::spawn(None, request, own_tls::wrap(run)?)?
            } else {
                spawn::spawn(None, request, run)?
            }
        };
        Ok(ScopedJoinHandle { handle, scope: self.frame, thread, lifetime: PhantomData })
    }

    /// Limits the number of the scope's threads that live at a time. At the limit
    /// [`spawn`](Self::spawn) waits until one of them has ended, which is a
    /// [cancellation point](super#points); on an OS thread it blocks.
    ///
    /// If the caller of `spawn` also takes the results of a [`Group`](super::Group), they come
    /// late. Its documentation has another way.
    ///
    /// A thread of the scope that spawns another one waits like others, and goes on living
    /// meanwhile. If all of them do that, or wait for threads that can't be spawned, they wait
    /// until they are cancelled: spawn from outside of the limit, or have a scope for each level.
    ///
    /// # Panics
    ///
    /// Panics if the limit is 0, and if the scope has a limit already or has spawned a thread.
    ///
    /// # Examples
    ///
    /// An accept loop that serves at most 64 connections at a time. The others wait in the
    /// listener's queue:
    ///
    /// ```
    /// use greenthread::{cancel, io::{self, Write}, net::{TcpListener, TcpStream}};
    ///
    /// fn serve(listener: TcpListener, handle: fn(TcpStream) -> io::Result<()>) -> io::Result<()> {
    ///     cancel::scope(|s| {
    ///         s.set_limit(64);
    ///         loop {
    ///             let (stream, _) = listener.accept()?;
    ///             s.spawn(move || Ok(_ = handle(stream)));
    ///         }
    ///     })
    /// }
    /// # use std::io::Read;
    /// # let listener = TcpListener::bind("127.0.0.1:0")?;
    /// # let address = listener.local_addr()?;
    /// # let server = greenthread::thread::spawn(|| serve(listener, |mut stream| stream.write_all(b"hello")));
    /// # for _ in 0..100 {
    /// #     let mut text = String::new();
    /// #     TcpStream::connect(address)?.read_to_string(&mut text)?;
    /// #     assert_eq!(text, "hello");
    /// # }
    /// # server.cancel();
    /// # Ok::<(), std::io::Error>(())
    /// ```
    //
    // It is a property of the scope, and no second kind of scope (`with_limit`): so there is one
    // count of threads, and `scope` keeps the signature of std's. That it comes before the first
    // thread leaves no question which threads count.
    #[track_caller]
    pub fn set_limit(&self, limit: usize) {
        let frame = self.frame();
        assert_ne!(limit, 0, "with a limit of 0 a scope can't spawn any thread; make it 1 or more");
        assert!(
            frame.spawned.load(Relaxed) == 0,
            "a scope's limit is set before its first thread is spawned"
        );
        let places = Semaphore::new(limit.min(Semaphore::MAX_PERMITS));
        assert!(frame.places.set(places).is_ok(), "the scope has a limit already");
    }

    fn frame(&self) -> &Frame<E> {
        // SAFETY: the frame lives for `'scope`, and `self` can't leave that.
        unsafe { &*self.frame }
    }

    /// Cancels all threads of the scope, those that are spawned later too. What called [`scope`]
    /// goes on.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{cancel, thread};
    ///
    /// let done = cancel::scope(|s| {
    ///     s.spawn(|| Ok(thread::park()));
    ///     s.cancel();
    ///     Ok::<_, ()>("done")
    /// });
    /// assert_eq!(done, Ok("done"));
    /// ```
    pub fn cancel(&self) {
        // SAFETY: the node is in the scope's frame, and `self` is borrowed from there.
        cancel::cancel(unsafe { self.frame().threads.as_ref() });
    }
}

/// A living thread's place below the limit. It is given back when `f` has ended, or is dropped
/// unused.
struct Place<'scope>(&'scope Semaphore);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

impl<E> Frame<E> {
    /// What a thread does. If it has failed, and was not the first, its error is left for its
    /// joiner.
    fn run<T>(&self, thread: usize, f: impl FnOnce() -> Result<T, E>) -> Result<T, Option<E>> {
        let mut node = CancelNode::new(self.threads.as_ptr(), false, None);
        // SAFETY: the node stays in this frame until the guard is dropped.
        let entered = unsafe { Entered::new(&mut node, None) };
        let result = caught(f);
        let was_cancelled = cancel::is_cancelled();
        drop(entered);
        let what = match result {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => What::Error(error),
            Err(payload) if was_cancelled && payload.is::<Cancelled>() => {
                self.was_cancelled.store(true, Relaxed);
                return Err(None);
            }
            Err(payload) => What::Panic(payload),
        };
        let mut failure = self.failure();
        let late = match &*failure {
            None => failure.replace(Failure { thread, what }),
            Some(_) => Some(Failure { thread, what }),
        };
        drop(failure);
        // SAFETY: the scope's frame waits for this thread.
        cancel::cancel(unsafe { self.body.as_ref() });
        // Not under the lock: a panic's destructor may wait.
        Err(late.and_then(|late| match late.what {
            What::Error(error) => Some(error),
            What::Panic(_) => None,
        }))
    }

    fn failure(&self) -> MutexGuard<'_, Option<Failure<E>>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E> fmt::Debug for Scope<'_, '_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("count", &self.frame().count).finish_non_exhaustive()
    }
}

/// The handle of a thread of a [`Scope`].
pub struct ScopedJoinHandle<'scope, T, E> {
    handle: Handle<Result<T, Option<E>>>,
    scope: *const Frame<E>,
    thread: usize,
    lifetime: PhantomData<&'scope ()>,
}

// SAFETY: the handle gives its `T` to the thread that joins, and `spawn`, the only function that
// makes one, requires `T: Send`. The frame is `Sync`, and lives for `'scope`.
unsafe impl<T, E: Send> Send for ScopedJoinHandle<'_, T, E> {}
// SAFETY: a shared handle gives no access to the `T`.
unsafe impl<T, E: Send> Sync for ScopedJoinHandle<'_, T, E> {}

impl<T, E> ScopedJoinHandle<'_, T, E> {
    /// Returns a handle to the thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{cancel, thread};
    /// let done = cancel::scope(|s| Ok::<_, ()>(s.spawn(|| Ok(thread::park())).thread().unpark()));
    /// assert_eq!(done, Ok(()));
    /// ```
    #[must_use]
    pub fn thread(&self) -> &Thread {
        Thread::from_ref(&self.handle.block)
    }

    /// Returns whether the thread has ended, as
    /// [`JoinHandle::is_finished`](crate::thread::JoinHandle::is_finished) does.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{cancel, thread};
    /// let done = cancel::scope(|s| {
    ///     let thread = s.spawn(|| Ok::<_, ()>(()));
    ///     while !thread.is_finished() {
    ///         thread::yield_now();
    ///     }
    ///     Ok(())
    /// });
    /// assert_eq!(done, Ok(()));
    /// ```
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }

    /// Waits for the thread's end, and returns what it has returned. If the scope fails, whatever
    /// thread has failed, the caller is unwound to the scope's edge, as at any other point.
    ///
    /// # Errors
    ///
    /// The thread's error, if it was the first to fail, and the caller is the thread that called
    /// [`scope`]. From others the scope keeps its error. With `panic = "abort"` no caller can be
    /// unwound, and each gets it.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::cancel;
    /// assert_eq!(cancel::scope(|s| s.spawn(|| Err::<(), _>(7)).join()), Err(7));
    /// ```
    pub fn join(self) -> Result<T, E> {
        let left = match scheduler::join(self.handle) {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(left)) => left,
            // There was no stack for it.
            Err(payload) => resume_unwind(payload),
        };
        // SAFETY: the frame lives for `'scope`, and so does the node.
        let (frame, body) = unsafe { (&*self.scope, (*self.scope).body.as_ref()) };
        let is_body = cfg!(panic = "abort") || cancel::has_entered(body);
        let mut failure = frame.failure();
        match failure.take() {
            Some(Failure { thread, what: What::Error(error) }) if is_body && thread == self.thread => {
                Err(error)
            }
            other => {
                *failure = other;
                drop(failure);
                match left {
                    Some(error) if cfg!(panic = "abort") => Err(error),
                    _ => cancel::unwind(),
                }
            }
        }
    }
}

impl<T, E> fmt::Debug for ScopedJoinHandle<'_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedJoinHandle").field("thread", self.thread()).finish_non_exhaustive()
    }
}
