//! The door for blocking work: a pool of OS threads (the crate `blocking`), while the green thread is parked.
//!
//! Invariants:
//! 1. A call lies on its caller's stack, and does not move. Another OS thread has it until it wakes the caller, which
//!    can't be woken otherwise: so what the call's closure borrows is there as long as it is needed.

use std::{
    cell::UnsafeCell,
    convert::Infallible,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use crate::{
    sys::thread::OsThread,
    task::{
        local,
        wait::{Reason, Waiter},
    },
};

/// A closure for another OS thread, and what became of it.
struct Call<F, T> {
    work: UnsafeCell<Work<F, T>>,
    waiter: Waiter,
}

enum Work<F, T> {
    Todo(F),
    Running,
    Done(thread::Result<T>),
}

/// A `Call` without its types, which need not be `'static`.
struct Job {
    call: *const (),
    run: unsafe fn(*const ()),
}

// SAFETY: made by `elsewhere` only, for a closure and a result that may be sent.
unsafe impl Send for Job {}

impl Job {
    fn run(self) {
        // SAFETY: run once, and the call is ours until then (invariant 1).
        unsafe { (self.run)(self.call) }
    }
}

/// # Safety
/// `call` is a `Call<F, T>`, and the caller has it (invariant 1).
unsafe fn run<F: FnOnce() -> T, T>(call: *const ()) {
    let call = call.cast::<Call<F, T>>();
    // SAFETY: ours until the waiter is woken (invariant 1).
    unsafe {
        let work = (*call).work.get();
        if let Work::Todo(f) = work.replace(Work::Running) {
            let result = catch_unwind(AssertUnwindSafe(f));
            work.write(Work::Done(result));
        }
        Waiter::wake(&raw const (*call).waiter);
    }
}

/// Gives `f` away to be run, and waits for it; on an OS thread, runs it right here.
///
/// # Errors
/// It could not be given away, and has not run.
fn elsewhere<F, T, E>(f: F, give: impl FnOnce(Job) -> Result<(), E>) -> Result<T, E>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    if local::current().is_none() {
        return Ok(f());
    }
    let call = Call { work: UnsafeCell::new(Work::Todo(f)), waiter: Waiter::new() };
    give(Job { call: (&raw const call).cast(), run: run::<F, T> })?;
    call.waiter.wait(Reason::Blocking, None);
    match call.work.into_inner() {
        Work::Done(Ok(value)) => Ok(value),
        Work::Done(Err(payload)) => local::resume_unwind(payload),
        _ => unreachable!("the work is done before we are woken"),
    }
}

/// Runs `f` on the pool and waits for it; on an OS thread, runs it right here.
pub(crate) fn unblock<F, T>(f: F) -> T
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    let Ok(value) = elsewhere(f, |job| {
        blocking::unblock(move || job.run()).detach();
        Ok::<(), Infallible>(())
    });
    value
}

/// As [`unblock`], on an OS thread of its own: for calls that wait for others of the program's, who may need the pool to
/// go on.
///
/// # Errors
/// There is no OS thread to be had; `f` has not run.
pub(crate) fn unblock_apart<F, T>(f: F) -> io::Result<T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    elsewhere(f, |job| OsThread::spawn("greenthread-wait", Box::new(move || job.run())).map(drop))
}
