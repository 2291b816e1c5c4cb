//! A closure for another OS thread, and what became of it.
//!
//! Invariants:
//! 1. A `Call` lies on its caller's stack, and does not move. From the time that it is submitted a
//!    lane has it, until it is finished or refused, which wakes the caller; nothing else does. So
//!    what the closure borrows is there as long as it is needed.

use std::{
    cell::{Cell, UnsafeCell},
    io,
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
    ptr::NonNull,
    sync::{Arc, OnceLock},
    thread,
};

use super::lane::{self, Lane, Refusal};
use crate::{
    stack::overflow,
    sys::thread::OsThread,
    task::wait::{Reason, Waiter},
};

#[repr(C)]
struct Call<F, T> {
    /// The first field: a `Job` points to it, and `Header::run` to the whole.
    header: Header,
    work: UnsafeCell<Work<F, T>>,
}

enum Work<F, T> {
    Todo(F),
    Running,
    Done(thread::Result<T>),
}

/// What a lane sees of a `Call`. Its types need not be `'static`.
struct Header {
    /// # Safety
    /// The header is that of the call with the types that this function was made for, and the
    /// caller has it (invariant 1).
    run: unsafe fn(NonNull<Header>),
    may_queue: bool,
    refusal: Cell<Option<Refusal>>,
    waiter: Waiter,
}

/// A call that was submitted.
#[derive(Debug)]
pub(crate) struct Job(NonNull<Header>, PhantomData<*const ()>);

// SAFETY: made by `submit` only, for a closure and a result that may be sent; one OS thread at a
// time has it.
unsafe impl Send for Job {}

impl Job {
    fn header(&self) -> &Header {
        // SAFETY: we have it, until its caller is woken, which takes the `Job` (invariant 1).
        unsafe { self.0.as_ref() }
    }

    fn wake(self) {
        // SAFETY: alive until its waiter is claimed (invariant 1).
        unsafe { Waiter::wake(&raw const (*self.0.as_ptr()).waiter) };
    }
}

impl lane::Job for Job {
    fn may_queue(&self) -> bool {
        self.header().may_queue
    }

    fn run(&self) {
        // SAFETY: it was made together with the call, which we have (invariant 1).
        unsafe { (self.header().run)(self.0) }
    }

    fn finish(self) {
        self.wake();
    }

    fn refuse(self, why: Refusal) {
        self.header().refusal.set(Some(why));
        self.wake();
    }

    fn start(lane: Arc<Lane<Self>>, number: usize) -> io::Result<()> {
        let [runtime, name] = &lane.names;
        let name = format!("-{name}-{number}");
        // The kernel keeps 15 bytes, and the number is what tells one thread from the others.
        let runtime = &runtime[..runtime.floor_char_boundary(15_usize.saturating_sub(name.len()))];
        let name = format!("{runtime}{name}");
        OsThread::spawn_with_stack(
            &name,
            stack_size(),
            Box::new(move || {
                // As std's threads have one. Without it everything else works.
                let _signals = overflow::SignalStack::new();
                lane.work();
            }),
        )
        .map(drop)
    }
}

/// The size of the threads' stacks: that of std's threads, for which the user's closures are made.
fn stack_size() -> usize {
    const STD: usize = 2 << 20;
    static SIZE: OnceLock<usize> = OnceLock::new();
    *SIZE.get_or_init(|| {
        let set = std::env::var("RUST_MIN_STACK").ok();
        set.and_then(|size| size.parse().ok()).unwrap_or(STD)
    })
}

/// # Safety
/// As `Header::run` says.
unsafe fn run<F: FnOnce() -> T, T>(header: NonNull<Header>) {
    let call = header.cast::<Call<F, T>>();
    // SAFETY: the header is the first field, and the call is ours (invariant 1); its caller doesn't
    // look at `work` meanwhile.
    unsafe {
        let work = call.as_ref().work.get();
        if let Work::Todo(f) = work.replace(Work::Running) {
            let result = catch_unwind(AssertUnwindSafe(f));
            work.write(Work::Done(result));
        }
    }
}

/// Gives `f` to the lane and waits for it. A panic of its is the caller's.
///
/// # Errors
/// The lane has no thread for it. `f` has not run.
pub(super) fn submit<F, T>(lane: &Arc<Lane<Job>>, may_queue: bool, f: F) -> Result<T, (F, Refusal)>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    let header = Header { run: run::<F, T>, may_queue, refusal: Cell::new(None), waiter: Waiter::new() };
    let call = Call { header, work: UnsafeCell::new(Work::Todo(f)) };
    // From the whole call, so that `run` may go from the header to the rest.
    lane.submit(Job(NonNull::from(&call).cast(), PhantomData));
    call.header.waiter.wait(Reason::Blocking, None);
    match (call.work.into_inner(), call.header.refusal.get()) {
        (Work::Done(Ok(value)), _) => Ok(value),
        (Work::Done(Err(payload)), _) => std::panic::resume_unwind(payload),
        (Work::Todo(f), Some(why)) => Err((f, why)),
        _ => unreachable!("a call is finished or refused before its caller is woken"),
    }
}
