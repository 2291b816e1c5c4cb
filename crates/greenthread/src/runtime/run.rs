//! Running a closure on a green thread, and waiting for it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    ptr::NonNull,
};

use super::{
    default::default,
    owner::Runtime,
    spawn::{Request, spawn},
};
use crate::{
    scheduler::{shared::Shared, worker},
    stack,
    task::{cancel, cancel_node::CancelNode, entered::Entered, scope, scope_count::ScopeCount, worker_core},
};

impl Runtime {
    /// Runs `f` on a new green thread of this runtime, waits for it, and returns its result. The
    /// thread's stack is 8 MiB, and its name is the caller's.
    ///
    /// The caller may be an OS thread, which is blocked, or a green thread of this or another
    /// runtime, which is parked. `f` may borrow from the caller. Threads that `f` has spawned and
    /// not joined go on afterwards, as with `std::thread`.
    ///
    /// If the caller is in a [cancellation scope](crate::cancel), then `f` is, too. The wait for
    /// `f` is no cancellation point.
    ///
    /// # Panics
    ///
    /// Panics with the panic of `f`, if `f` panics. Also panics if the thread can't be spawned,
    /// which is so in the child of a [fork](crate#fork) if the runtime is the parent's.
    ///
    /// # Examples
    ///
    /// ```
    /// let runtime = greenthread::Runtime::builder().workers(1).build()?;
    /// let mut words = vec!["green"];
    /// runtime.run(|| words.push("thread"));
    /// assert_eq!(words, ["green", "thread"]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn run<F, T>(&self, f: F) -> T
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        run_on(&self.shared, f)
    }
}

/// Runs `f` on a new green thread, waits for it, and returns its result. The thread is spawned on
/// the current runtime, or on the default one if the caller is an OS thread.
///
/// A program's `main` calls this to run on a green thread. The caller is blocked meanwhile, and `f`
/// may borrow from it. Threads that `f` has spawned and not joined go on afterwards, as with
/// `std::thread`. The thread's stack is 8 MiB, like that of a process's main thread. Its name is
/// the caller's, which is `main` if the caller is the main thread.
///
/// In a test, the test harness does not capture what `f` prints, nor the report of its panic: see
/// [`io::Stdout`](crate::io::Stdout).
///
/// # Panics
///
/// Panics with the panic of `f`, if `f` panics. Also panics if the default runtime can't be started
/// or the thread can't be spawned.
///
/// # Examples
///
/// ```
/// use greenthread::thread;
///
/// let answer = greenthread::run(|| {
///     let six = thread::spawn(|| 6);
///     let seven = thread::spawn(|| 7);
///     six.join().unwrap() * seven.join().unwrap()
/// });
/// assert_eq!(answer, 42);
/// ```
#[track_caller]
pub fn run<F, T>(f: F) -> T
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    match worker::current() {
        Some(worker) => run_on(&worker.shared, f),
        None => match default() {
            Ok(shared) => run_on(shared, f),
            Err(error) => panic!("the greenthread runtime can't start: {error}"),
        },
    }
}

#[track_caller]
fn run_on<F, T>(on: &Shared, f: F) -> T
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    // The green thread acts for its caller and has the same name, so a program's main thread is
    // called `main` there, too.
    let name = match worker_core::get().and_then(|core| core.running()) {
        Some(task) => task.block.name.clone(),
        None => std::thread::current().name().map(Box::from),
    };
    let mut count = ScopeCount::new();
    scope::set_owner(&mut count);
    let count = &count;
    let scope = Some(NonNull::from(count));
    let request = Request { name, stack_size: Some(stack::ROOT_SIZE), scope, ..Request::plain() };
    let go = |parent: Option<&CancelNode>| {
        let f = move || match parent {
            None => f(),
            Some(parent) => {
                let mut node = CancelNode::new(parent, false, None);
                // SAFETY: the node stays in this frame until the guard has been dropped. The parent
                // is a frame of the caller, which waits.
                let _entered = unsafe { Entered::new(&mut node, None) };
                f()
            }
        };
        // SAFETY: the count is waited for before this returns or unwinds, and nothing ends that
        // wait early. All that `F` and `T` borrow therefore outlives the thread. Both are `Send`.
        let thread = catch_unwind(AssertUnwindSafe(|| unsafe { spawn(Some(on), request, f) }));
        scope::wait(count);
        thread
    };
    let thread = if cancel::innermost().is_null() {
        go(None)
    } else {
        // SAFETY: the calling thread is in the scope that `run` has entered.
        let go = || go(unsafe { cancel::innermost().as_ref() });
        Entered::run(cancel::is_masked(), None, None, go).0.flatten()
    };
    match thread {
        Ok(Ok(thread)) => thread.join().unwrap_or_else(|payload| resume_unwind(payload)),
        Ok(Err(error)) => panic!("no green thread for run: {error}"),
        Err(payload) => resume_unwind(payload),
    }
}
