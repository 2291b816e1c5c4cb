//! A closure that another OS thread runs, and its result.
//!
//! Invariants:
//! 1. A `Call` lies on its caller's stack, and does not move. From its submission until it is
//!    finished, refused or withdrawn it belongs to the lane. Only then does the caller go on. So
//!    what the closure borrows lives as long as it is needed.
//! 2. The lane ends its ownership by a post to the waiter, once. After that it touches the call
//!    only if the caller is parked, until the caller is woken.

use std::{
    cell::{Cell, UnsafeCell},
    io,
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
    ptr::NonNull,
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use super::lane::{self, Lane, Refusal};
use crate::{
    stack::overflow,
    sys::{interrupt::Interruptible, thread::OsThread},
    task::{
        cancel,
        time::now,
        wait::{Outcome, Reason, Waiter},
    },
};

#[repr(C)]
struct Call<F, T> {
    /// The first field. A `Job` points to it, and `Header::run` goes from it to the whole call.
    header: Header,
    work: UnsafeCell<Work<F, T>>,
}

enum Work<F, T> {
    Todo(F),
    Running,
    Done(thread::Result<T>),
}

/// The part of a `Call` that a lane sees. It does not name the call's types, which need not be
/// `'static`.
struct Header {
    /// # Safety
    /// The header belongs to a call with the types of this function, and the caller owns the call
    /// (invariant 1).
    run: unsafe fn(NonNull<Header>),
    may_queue: bool,
    refusal: Cell<Option<Refusal>>,
    waiter: Waiter,
}

/// A call that was submitted.
#[derive(Debug)]
pub(crate) struct Job(NonNull<Header>, PhantomData<*const ()>);

// SAFETY: only `submit` makes a `Job`, for a closure and a result that are `Send`. One OS thread at
// a time has it.
unsafe impl Send for Job {}

impl Job {
    fn header(&self) -> &Header {
        // SAFETY: the call lives until its caller goes on, for which the `Job` is consumed
        // (invariant 1).
        unsafe { self.0.as_ref() }
    }

    fn wake(self) {
        // SAFETY: the call lives until its waiter is posted to (invariants 1, 2).
        unsafe { (*self.0.as_ptr()).waiter.post() };
    }
}

impl lane::Job for Job {
    fn may_queue(&self) -> bool {
        self.header().may_queue
    }

    fn run(&self) {
        // SAFETY: `submit` has made the header with this function, and the `Job` owns the call
        // (invariant 1).
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
        // The kernel keeps 15 bytes of a name. The runtime's name is cut, so that the number is
        // kept.
        let runtime = &runtime[..runtime.floor_char_boundary(15_usize.saturating_sub(name.len()))];
        let name = format!("{runtime}{name}");
        OsThread::spawn_with_stack(
            &name,
            stack_size(),
            Box::new(move || {
                // std's threads have a signal stack too. If there is no memory for it, everything
                // else works.
                let _signals = overflow::SignalStack::new();
                lane.work();
            }),
        )
        .map(drop)
    }
}

/// The size of the threads' stacks, in bytes: as large as std's, since users expect that of an OS
/// thread.
fn stack_size() -> usize {
    const STD: usize = 2 << 20;
    static SIZE: OnceLock<usize> = OnceLock::new();
    *SIZE.get_or_init(|| {
        let set = std::env::var("RUST_MIN_STACK").ok();
        set.and_then(|size| size.parse().ok()).unwrap_or(STD)
    })
}

/// Runs the closure of a call, and stores the result.
///
/// # Safety
/// The contract of `Header::run`.
unsafe fn run<F: FnOnce() -> T, T>(header: NonNull<Header>) {
    let call = header.cast::<Call<F, T>>();
    // SAFETY: the header is the first field of the call, which belongs to the lane (invariant 1).
    // The call's caller doesn't touch `work` meanwhile.
    unsafe {
        let work = call.as_ref().work.get();
        if let Work::Todo(f) = work.replace(Work::Running) {
            let result = catch_unwind(AssertUnwindSafe(f));
            work.write(Work::Done(result));
        }
    }
}

/// Gives `f` to the lane and waits for its result. A panic of `f` goes on in the caller.
///
/// A call that may queue is a cancellation point until a thread has taken it. Then the caller waits
/// for its end, and gets its result. A call that may not queue has a thread at once. If the caller
/// is cancelled then, it interrupts the call by `interrupt`, and gets its result as well.
///
/// # Errors
/// The lane has no thread for `f`. It has not run, and is given back.
pub(super) fn submit<F, T>(
    lane: &Arc<Lane<Job>>,
    may_queue: bool,
    interrupt: Option<&Interruptible>,
    f: F,
) -> Result<T, (F, Refusal)>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    let header = Header { run: run::<F, T>, may_queue, refusal: Cell::new(None), waiter: Waiter::new() };
    let call = Call { header, work: UnsafeCell::new(Work::Todo(f)) };
    // The pointer is made from the whole call, so that `run` may use it for the rest.
    let header = NonNull::from(&call).cast::<Header>();
    lane.submit(Job(header, PhantomData));
    let waiter = &call.header.waiter;
    if !may_queue {
        match interrupt {
            None => _ = waiter.wait(Reason::Blocking, None),
            Some(call) => wait_or_interrupt(waiter, call),
        }
    } else {
        let outcome = waiter.wait_interruptible(Reason::Blocking, None);
        if outcome != Some(Outcome::Woken) {
            if lane.withdraw(|job| job.0 == header).is_some() {
                // The closure is dropped here, before the thread unwinds.
                drop(call);
                cancel::unwind();
            }
            waiter.await_late_post(outcome, Reason::Blocking);
        }
    }
    match (call.work.into_inner(), call.header.refusal.get()) {
        (Work::Done(Ok(value)), _) => Ok(value),
        (Work::Done(Err(payload)), _) => std::panic::resume_unwind(payload),
        (Work::Todo(f), Some(why)) => Err((f, why)),
        _ => unreachable!("a call is finished or refused before its caller goes on"),
    }
}

/// Waits for the post of a call. If the thread is cancelled, it interrupts the call until that has
/// ended: a call that is just about to begin is missed, and some can't be interrupted.
fn wait_or_interrupt(waiter: &Waiter, call: &Interruptible) {
    if waiter.wait_fallible(Reason::Blocking, None) == Outcome::Woken {
        return;
    }
    let mut pause = Duration::from_millis(1);
    while !waiter.reset() {
        call.interrupt();
        if waiter.wait(Reason::Blocking, Some(now() + pause)) {
            return;
        }
        pause = (2 * pause).min(Duration::from_millis(100));
    }
}
