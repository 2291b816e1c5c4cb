//! The door for blocking work: a pool of OS threads (the crate `blocking`), while the green thread is parked.

use std::{
    cell::UnsafeCell,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    thread::Result,
};

use crate::task::{
    local,
    wait::{Reason, Waiter},
};

/// Where the pool leaves the result. It lies on the parked thread's stack.
struct Slot<T> {
    result: UnsafeCell<Option<Result<T>>>,
    waiter: Waiter,
}

struct Pointer<T>(*const Slot<T>);

// SAFETY: the slot is written by the pool's thread before it wakes the waiter, and read after; `T: Send`.
unsafe impl<T: Send> Send for Pointer<T> {}

/// Runs `f` on the pool and waits for it; on an OS thread, runs it right here.
pub(crate) fn unblock<F, T>(f: F) -> T
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    if local::current().is_none() {
        return f();
    }
    let slot = Slot { result: UnsafeCell::new(None), waiter: Waiter::new() };
    let pointer = Pointer(&raw const slot);
    blocking::unblock(move || {
        let pointer = pointer;
        let result = catch_unwind(AssertUnwindSafe(f));
        // SAFETY: the slot stays until its waiter is woken, and is ours until then.
        unsafe {
            *(*pointer.0).result.get() = Some(result);
            Waiter::wake(&raw const (*pointer.0).waiter);
        }
    })
    .detach();
    slot.waiter.wait(Reason::Blocking, None);
    match slot.result.into_inner().expect("the pool leaves a result before it wakes us") {
        Ok(value) => value,
        Err(payload) => resume_unwind(payload),
    }
}
