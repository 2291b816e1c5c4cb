//! The door for blocking work: a pool of OS threads (the crate `blocking`), while the green thread is parked.
//!
//! Invariants:
//! 1. A call lies on its caller's stack. The pool has it until it wakes the caller, which can't be woken otherwise:
//!    so what the call's closure borrows is there as long as it is needed.

use std::{
    cell::UnsafeCell,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    thread::Result,
};

use crate::task::{
    local,
    wait::{Reason, Waiter},
};

/// A closure for the pool, and what became of it.
struct Call<F, T> {
    work: UnsafeCell<Work<F, T>>,
    waiter: Waiter,
}

enum Work<F, T> {
    Todo(F),
    Running,
    Done(Result<T>),
}

/// A `Call` without its types, which may not be `'static`.
struct Job {
    call: *const (),
    run: unsafe fn(*const ()),
}

// SAFETY: made by `unblock` only, which asks for a closure and a result that may be sent.
unsafe impl Send for Job {}

impl Job {
    fn run(self) {
        // SAFETY: the pool runs it once, and the call is the pool's until then (invariant 1).
        unsafe { (self.run)(self.call) }
    }
}

impl<F: FnOnce() -> T, T> Call<F, T> {
    /// # Safety
    /// `call` is a `Call<F, T>`, and the pool has it (invariant 1).
    unsafe fn run(call: *const ()) {
        let call = call.cast::<Self>();
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
}

/// Runs `f` on the pool and waits for it; on an OS thread, runs it right here.
pub(crate) fn unblock<F, T>(f: F) -> T
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    if local::current().is_none() {
        return f();
    }
    let call = Call { work: UnsafeCell::new(Work::Todo(f)), waiter: Waiter::new() };
    let job = Job { call: (&raw const call).cast(), run: Call::<F, T>::run };
    blocking::unblock(move || job.run()).detach();
    call.waiter.wait(Reason::Blocking, None);
    match call.work.into_inner() {
        Work::Done(Ok(value)) => value,
        Work::Done(Err(payload)) => resume_unwind(payload),
        _ => unreachable!("the pool has done the work before it wakes us"),
    }
}
