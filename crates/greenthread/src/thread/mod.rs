//! Green threads, with the names and the meaning of [`std::thread`].
//!
//! Spawning a green thread costs one allocation. When the thread starts, it gets a stack of its
//! own: address space, and memory as far as the thread touches it. From then on it stays on the
//! worker, an OS thread, on which it started. A call that blocks it (a join, a lock, a channel, a
//! socket, a sleep) lets the other threads of that worker run.
//!
//! Everything in this module also works on OS threads, and blocks them.
//!
//! # Differs from std
//!
//! * A green thread that computes for long keeps the other threads of its worker waiting. Call
//!   [`yield_now`] now and then, or hand the work to [`unblock`]. The watchdog names such threads.
//! * The same goes for a loop that polls nothing but an atomic, the clock, or data behind a lock
//!   that is always free: it must call [`yield_now`]. Other loops that poll end as with std. The
//!   calls of this crate that don't wait (`try_recv`, `try_lock`,
//!   [`is_finished`](JoinHandle::is_finished), an unbounded `send`, ..) yield now and then, as
//!   [`yield_now`] does, except inside [`without_yield`].
//! * The values of a `std::thread_local!` belong to the worker, and its green threads share them.
//!   With [`greenthread::thread_local!`](crate::thread_local) each thread has its own values.
//! * A green thread is not a pthread. There is no `os::unix::thread::JoinHandleExt`.
//!
//! Beyond std there are [`spawn_local`], [`unblock`] and [`without_yield`]. [`sleep_until`], which
//! std keeps unstable, is available on stable Rust.
//!
//! # Examples
//!
//! ```
//! use greenthread::thread;
//!
//! let sum = greenthread::run(|| {
//!     let threads: Vec<_> = (1..=1000).map(|n| thread::spawn(move || n)).collect();
//!     threads.into_iter().map(|thread| thread.join().unwrap()).sum::<u64>()
//! });
//! assert_eq!(sum, 500_500);
//! ```

use std::{io, num::NonZero, time::Duration};

mod builder;
mod current;
mod handle;
mod local_key;
mod scoped;

pub use builder::{Builder, spawn, spawn_local};
pub use current::{Thread, ThreadId, current};
pub use handle::{JoinFuture, JoinHandle, LocalJoinHandle};
pub use local_key::{AccessError, LocalKey};
pub use scoped::{Scope, ScopedJoinFuture, ScopedJoinHandle, scope};
pub use std::thread::Result;

use crate::{
    runtime,
    task::{
        cancel,
        coop::polled,
        time::{block_until, deadline_after},
        wait::{Outcome, Reason, Waiter},
        worker_core,
    },
    time::Instant,
};

/// Lets other ready threads of this worker run first. On an OS thread, and inside
/// [`without_yield`], this is [`std::thread::yield_now`].
///
/// # Examples
///
/// ```
/// use greenthread::thread;
/// use std::sync::atomic::{AtomicBool, Ordering};
///
/// static READY: AtomicBool = AtomicBool::new(false);
/// greenthread::run(|| {
///     thread::spawn(|| READY.store(true, Ordering::Release));
///     while !READY.load(Ordering::Acquire) {
///         thread::yield_now();
///     }
/// });
/// ```
#[inline(always)]
pub fn yield_now() {
    match worker_core::current() {
        Some((core, task)) => {
            if core.yield_now(task) {
                cancel::check();
            }
        }
        None => {
            std::thread::yield_now();
            cancel::check();
        }
    }
}

/// Blocks this thread for at least `duration`. Other threads run meanwhile. A duration of zero
/// makes a green thread yield, as [`yield_now`] does.
///
/// # Examples
///
/// ```
/// use greenthread::{thread, time::Duration};
/// greenthread::run(|| thread::sleep(Duration::from_millis(1)));
/// ```
pub fn sleep(duration: Duration) {
    if worker_core::current().is_none() && cancel::innermost().is_null() {
        return block_until(None, |_| std::thread::sleep(duration));
    }
    if duration.is_zero() {
        return yield_now();
    }
    // A deadline that can't be represented is too far ahead to be reached, so there is none.
    wait_until(deadline_after(duration));
}

fn wait_until(deadline: Option<std::time::Instant>) {
    if Waiter::new().wait_cancellable(Reason::Sleep, deadline) == Outcome::Cancelled {
        cancel::unwind();
    }
}

/// Blocks this thread until `deadline`. Returns at once if that has passed. Other threads run
/// meanwhile. std's function is not stable yet.
///
/// # Examples
///
/// ```
/// use greenthread::{thread, time::{Duration, Instant}};
///
/// let deadline = Instant::now() + Duration::from_millis(2);
/// greenthread::run(|| thread::sleep_until(deadline));
/// assert!(Instant::now() >= deadline);
/// ```
pub fn sleep_until(deadline: Instant) {
    if polled(Instant::now() < deadline) {
        wait_until(Some(deadline.into()));
    }
}

/// Blocks this thread for at least `ms` milliseconds.
///
/// # Examples
///
/// ```
/// #![allow(deprecated)]
/// greenthread::run(|| greenthread::thread::sleep_ms(1));
/// ```
#[deprecated(note = "use `thread::sleep`, as with std")]
pub fn sleep_ms(ms: u32) {
    sleep(Duration::from_millis(ms.into()));
}

/// Blocks this thread until its token is available, and takes the token. [`Thread::unpark`] makes
/// it available. As with std, `park` may return without it: call `park` in a loop that checks the
/// awaited condition.
///
/// # Examples
///
/// ```
/// use greenthread::thread;
///
/// greenthread::run(|| {
///     let parked = thread::spawn(thread::park);
///     parked.thread().unpark();
///     parked.join().unwrap();
/// });
/// ```
pub fn park() {
    park_until(None);
}

/// Blocks as [`park`] does, for at most `timeout`.
///
/// # Examples
///
/// ```
/// use greenthread::{thread, time::Duration};
/// greenthread::run(|| thread::park_timeout(Duration::from_millis(1)));
/// ```
pub fn park_timeout(timeout: Duration) {
    park_until(deadline_after(timeout));
}

/// Blocks as [`park`] does, for at most `ms` milliseconds.
///
/// # Examples
///
/// ```
/// #![allow(deprecated)]
/// greenthread::run(|| greenthread::thread::park_timeout_ms(1));
/// ```
#[deprecated(note = "use `thread::park_timeout`, as with std")]
pub fn park_timeout_ms(ms: u32) {
    park_timeout(Duration::from_millis(ms.into()));
}

fn park_until(deadline: Option<std::time::Instant>) {
    current::with(|block| {
        let outcome = block.token.wait_cancellable(Reason::Park, deadline);
        let has_token = block.token.reset();
        // An `unpark` that came after the cancellation has not been in vain.
        if outcome == Outcome::Cancelled && !has_token {
            cancel::unwind();
        }
    });
}

/// Returns whether this thread is unwinding from a panic. This is [`std::thread::panicking`], which
/// is also right for the calling green thread.
///
/// std counts panics per OS thread. A green thread that waits during its unwinding, or in a panic
/// hook, takes its count with it. Its siblings therefore do not count as panicking, neither here
/// nor for `std::sync::Mutex`. The first such wait of a worker needs an OS thread for a moment. If
/// the OS refuses that thread for a whole second, the worker stands still for that second, and its
/// siblings count as panicking until the wait is over.
///
/// A panic hook may wait, as other code may. Two things differ from std. First, std holds its lock
/// of the hook while the hook waits, so [`std::panic::set_hook`] on another green thread blocks
/// that thread's worker until the hook has returned: set hooks early. Second, std aborts at a panic
/// in a hook, but does not recognise one after a wait. The library's own hook does, unless the
/// program has set another one after its first green thread.
///
/// # Examples
///
/// ```
/// assert!(!greenthread::run(greenthread::thread::panicking));
/// ```
#[must_use]
pub fn panicking() -> bool {
    std::thread::panicking()
}

/// Returns whether the caller is a green thread. It is none on an OS thread, and in a child that a
/// green thread has forked.
///
/// # Examples
///
/// ```
/// use greenthread::thread;
/// assert!(!thread::is_green() && greenthread::run(thread::is_green));
/// ```
#[must_use]
pub fn is_green() -> bool {
    worker_core::get().is_some_and(|core| core.running().is_some())
}

/// Returns how much parallelism the machine offers: [`std::thread::available_parallelism`]. A
/// runtime has that many workers by default
/// ([`RuntimeBuilder::workers`](crate::RuntimeBuilder::workers)).
///
/// # Errors
///
/// The errors are std's: the number is not known, or the program may not ask for it.
///
/// # Examples
///
/// ```
/// assert!(greenthread::thread::available_parallelism()?.get() >= 1);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn available_parallelism() -> io::Result<NonZero<usize>> {
    std::thread::available_parallelism()
}

/// Runs `f`, during which no other green thread of this worker runs: a blocking call inside blocks
/// the OS thread, and [`yield_now`] is std's. Threads on other workers do run. On an OS thread this
/// function only calls `f`.
///
/// It is for code that relies on being alone on its OS thread, such as a crate that keeps a stack
/// of its callers in a thread-local (see "Soundness" in the [crate's
/// documentation](crate#soundness)). If `f` waits for another thread of the same worker, it waits
/// for ever.
///
/// # Examples
///
/// ```
/// use greenthread::thread;
/// use std::cell::Cell;
///
/// thread_local!(static DEPTH: Cell<u32> = const { Cell::new(0) });
///
/// let depth = greenthread::run(|| {
///     thread::without_yield(|| {
///         DEPTH.set(DEPTH.get() + 1);
///         thread::yield_now();
///         DEPTH.replace(0)
///     })
/// });
/// assert_eq!(depth, 1);
/// ```
pub fn without_yield<F, T>(f: F) -> T
where
    F: FnOnce() -> T,
{
    struct Depth<'a>(&'a worker_core::WorkerCore);
    impl Drop for Depth<'_> {
        fn drop(&mut self) {
            self.0.no_yield.set(self.0.no_yield.get() - 1);
        }
    }
    // The driver holds back sends of siblings. They go out now, because the driver does not run
    // before `f` returns.
    if let Some(driver) = runtime::driver() {
        driver.flush();
    }
    let _depth = worker_core::get().map(|core| {
        core.no_yield.set(core.no_yield.get() + 1);
        Depth(core)
    });
    f()
}

/// Runs `f` on a pool of OS threads and waits for it. Other green threads run meanwhile.
///
/// This is for calls that block in foreign code, and for long computations. The pool starts OS
/// threads as they are needed, up to [`blocking_threads`](crate::RuntimeBuilder::blocking_threads).
/// When all of them are in use, further calls wait in a queue. If the pool has no OS thread and the
/// system gives none, `f` runs on the calling green thread and keeps the other threads of the
/// worker waiting. On an OS thread, and inside [`without_yield`], `f` always runs on the calling
/// thread.
///
/// On the pool, `f` does not run on a green thread: [`current`] and all thread-locals are those of
/// the OS thread, and a blocking call blocks that OS thread.
///
/// `f` may borrow from its caller, which does not go on before `f` is done. If the caller is
/// [cancelled](crate::cancel) while the call is in the queue, `f` is dropped and never runs. Once
/// `f` has begun, the caller gets its result.
///
/// # Panics
///
/// Panics with the panic of `f`, if `f` panics.
///
/// # Examples
///
/// ```
/// use greenthread::thread;
///
/// let digits = greenthread::run(|| {
///     let text = String::from("7 * 191");
///     thread::unblock(|| text.chars().filter(char::is_ascii_digit).count())
/// });
/// assert_eq!(digits, 4);
/// ```
pub fn unblock<F, T>(f: F) -> T
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    runtime::unblock(f)
}
