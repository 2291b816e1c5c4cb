//! How an OS thread steps onto a green thread, and waits for it.

use super::{
    default::default,
    owner::Runtime,
    spawn::{Request, spawn},
};
use crate::{
    scheduler::{shared::Shared, worker},
    stack,
    task::worker_core,
};

impl Runtime {
    /// Runs `f` as a green thread of this runtime, waits for it, and returns what it returns. Its stack is 8 MiB, and its name
    /// is the caller's.
    ///
    /// The caller may be an OS thread or a green thread, of this runtime too. Threads that `f` has spawned and not joined
    /// go on after it, as with `std::thread`.
    ///
    /// # Panics
    ///
    /// If `f` panics, with its panic; and if the thread can't be spawned.
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

/// Runs `f` as a green thread of the current runtime (on an OS thread: the default one), waits for it, and returns what
/// it returns.
///
/// This is how a program's `main` steps onto a green thread. The calling thread is parked meanwhile; `f` may borrow from
/// it. Threads that `f` has spawned and not joined go on after it, as with `std::thread`. The stack is 8 MiB, like that
/// of a process's main thread, and the name is the caller's: `main`, if that is the main thread.
///
/// In a test, what `f` prints is not captured by the test harness, nor is the report of its panic: see
/// [`io::Stdout`](crate::io::Stdout).
///
/// # Panics
///
/// If `f` panics, with its panic; and if the runtime can't be started or the thread can't be spawned.
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
    // Whoever steps onto a green thread is still who it was: a program's main thread is called `main` there, too.
    let name = match worker_core::get().and_then(|core| core.running()) {
        Some(task) => task.block.name.clone(),
        None => std::thread::current().name().map(Box::from),
    };
    let request = Request { name, stack_size: Some(stack::ROOT_SIZE), ..Request::plain() };
    // SAFETY: we wait for the thread before anything that it borrows can go, and no cancellation ends that wait.
    match unsafe { spawn(Some(on), request, f) } {
        Ok(thread) => thread.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload)),
        Err(error) => panic!("no green thread for run: {error}"),
    }
}
