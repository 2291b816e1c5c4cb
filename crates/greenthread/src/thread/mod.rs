//! Green threads, with the names and the meaning of [`std::thread`].
//!
//! A green thread costs an allocation when it is spawned and a stack of its own (address space; memory as far as it
//! is touched) when it starts. From then on it stays on the worker, an OS thread, on which it started. What blocks
//! it (a join, a lock, a channel, a socket, a sleep) lets the other threads of that worker go on.
//!
//! Everything here works on OS threads as well: there it blocks the OS thread.
//!
//! # Differs from std
//!
//! * A green thread that computes for long keeps the others of its worker waiting: call [`yield_now`] now and then, or
//!   hand the work to [`unblock`]. The watchdog names such threads.
//! * The same goes for a loop that looks at nothing but an atomic, the clock, or what a lock guards that is always free. Other
//!   loops that poll end as with std: what this crate has of calls that don't wait (`try_recv`, `try_lock`,
//!   [`is_finished`](JoinHandle::is_finished), an unbounded `send`, ..) lets others run now and then, as if it were
//!   [`yield_now`]; not inside [`without_yield`].
//! * `std::thread_local!` values belong to the worker and are shared by its green threads; those of
//!   [`greenthread::thread_local!`](crate::thread_local) are each thread's own.
//! * A green thread is no pthread: there is no `os::unix::thread::JoinHandleExt`.
//!
//! Beyond std there are [`spawn_local`], [`unblock`], [`without_yield`], and [`sleep_until`] on stable Rust.
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
pub use handle::{JoinHandle, LocalJoinHandle};
pub use local_key::{AccessError, LocalKey};
pub use scoped::{Scope, ScopedJoinHandle, scope};
pub use std::thread::Result;

use crate::{
    runtime,
    task::{
        coop::polled,
        wait::{Outcome, Reason, Waiter},
        worker_core,
    },
    time::Instant,
};

/// Lets other ready threads run first. On an OS thread: [`std::thread::yield_now`].
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
        Some((core, task)) => core.yield_now(task),
        None => std::thread::yield_now(),
    }
}

/// Sleeps for at least `duration`; other threads run meanwhile.
///
/// # Examples
///
/// ```
/// use greenthread::{thread, time::Duration};
/// greenthread::run(|| thread::sleep(Duration::from_millis(1)));
/// ```
pub fn sleep(duration: Duration) {
    if worker_core::current().is_none() {
        return std::thread::sleep(duration);
    }
    // What can't be added lies so far ahead that nobody will see the end of it.
    let deadline = std::time::Instant::now().checked_add(duration);
    if !duration.is_zero() {
        Waiter::new().wait(Reason::Sleep, deadline);
    } else {
        yield_now();
    }
}

/// Sleeps until `deadline`, or not at all if that has passed; other threads run meanwhile. std's is not stable yet.
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
        Waiter::new().wait(Reason::Sleep, Some(deadline.into()));
    }
}

/// Sleeps for at least `ms` milliseconds.
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

/// Waits until this thread's token is there, and takes it: [`Thread::unpark`] puts it there. As in std it may, in
/// principle, return without; call it in a loop that looks for what is waited for.
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

/// As [`park`], for at most `timeout`.
///
/// # Examples
///
/// ```
/// use greenthread::{thread, time::Duration};
/// greenthread::run(|| thread::park_timeout(Duration::from_millis(1)));
/// ```
pub fn park_timeout(timeout: Duration) {
    match std::time::Instant::now().checked_add(timeout) {
        None => park_until(None),
        deadline => park_until(deadline),
    }
}

/// As [`park`], for at most `ms` milliseconds.
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
        let _: Outcome = block.token.wait(Reason::Park, deadline);
        block.token.reset();
    });
}

/// Whether this thread is unwinding from a panic: [`std::thread::panicking`], which also speaks of
/// the green thread.
///
/// std counts panics per OS thread. A green thread that waits in the middle of its unwinding, or in
/// a panic hook, takes its count with it, so its siblings are not concerned; nor does
/// `std::sync::Mutex` take them for panicking. The first such wait of a worker needs an OS thread
/// for a moment. If the OS refuses that for a whole second, during which the worker stands still, its
/// siblings are taken for panicking until the wait is over.
///
/// A panic hook may wait as other code may. Two things differ from std. std holds its lock of the
/// hook meanwhile, so [`std::panic::set_hook`] on a green thread blocks its worker until the hook
/// is through: set hooks before. And std aborts at a panic in a hook, but after a wait doesn't
/// recognise it; the library's own hook does, unless another was set after the first green thread.
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

/// How much parallelism the machine offers: [`std::thread::available_parallelism`]. A runtime has that many
/// workers if nothing else is said.
///
/// # Errors
///
/// As std's: the number is not known, or may not be asked for.
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

/// Runs `f`, and no other green thread of this worker in between: inside, a blocking call blocks the OS thread, and
/// [`yield_now`] is std's.
///
/// For code that relies on being alone on its OS thread, such as a crate that keeps a stack of its callers in a
/// thread-local (see "Soundness" in the [crate's documentation](crate#soundness)). If what it waits for needs another
/// thread of the same worker, it waits for ever.
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
    // What siblings have to send doesn't wait for the end of it.
    if let Some(driver) = runtime::driver() {
        driver.flush();
    }
    let _depth = worker_core::get().map(|core| {
        core.no_yield.set(core.no_yield.get() + 1);
        Depth(core)
    });
    f()
}

/// Runs `f` on a pool of OS threads and waits for it; other green threads go on meanwhile.
///
/// For calls that block in foreign code, and for long computations. The pool starts OS threads as
/// they are needed, up to [`blocking_threads`](crate::RuntimeBuilder::blocking_threads); beyond
/// that, calls queue. While the system gives no OS thread and the pool has none, `f` runs right
/// here, and keeps the other threads of the worker waiting. On an OS thread, and inside
/// [`without_yield`], it always runs right here.
///
/// `f` may borrow from its caller, who can't be woken before it is done.
///
/// # Panics
///
/// If `f` panics, with its panic.
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
