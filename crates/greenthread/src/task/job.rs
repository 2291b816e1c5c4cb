//! A green thread's work: its closure, and what became of it. One allocation with its block.
//!
//! The end of a thread is one word, `Task::end`:
//!
//! ```text
//!   null ──join──▶ a waiter ──end──▶ ENDED      the joiner takes the result
//!    ├───end─────────────────────▶ ENDED        the handle takes or drops the result
//!    └───drop of the handle──────▶ DETACHED     the thread drops the result when it ends
//! ```
//!
//! Both sides have a reference to the block. Each gives its own back when it has done; but a handle that detaches leaves
//! its reference to the thread, and a thread that runs on its joiner's stack leaves its own to the handle, so that
//! there is one count to change and not two.
//!
//! Invariants:
//! 1. A `Job` is a `Task` with a result and a closure behind it, in this order (`repr(C)`): a handle that knows only `T`
//!    reaches the result.
//! 2. The closure is there until `run` takes it, once. The result is written before ENDED, and taken or
//!    dropped once, by the side that the picture says. So neither outlives the borrows in it, whoever
//!    still holds a reference to the block.
//! 3. The one `Handle` of a job is the only one who puts a waiter there, and doesn't leave before it is woken.
//! 4. A scope's count outlives its threads' `leave`: the scope waits for it (`scope`).

use core::{
    cell::UnsafeCell,
    mem::{ManuallyDrop, MaybeUninit},
    panic::Location,
    ptr::{self, NonNull},
    sync::atomic::Ordering::{AcqRel, Acquire, Relaxed},
};
use std::{
    alloc::Layout,
    io,
    num::NonZeroU64,
    panic::{AssertUnwindSafe, catch_unwind},
    thread::Result,
};

use super::{
    block::{self, Block, BlockRef, Kind, Start, Task, VTable},
    locals, pool,
    scope::Count,
    wait::{Reason, Waiter},
};

const ENDED: *mut Waiter = ptr::without_provenance_mut(1);
const DETACHED: *mut Waiter = ptr::without_provenance_mut(2);

#[repr(C)]
struct Outcome<T> {
    task: Task,
    result: UnsafeCell<MaybeUninit<Result<T>>>,
}

#[repr(C)]
struct Job<F, T> {
    outcome: Outcome<T>,
    closure: UnsafeCell<MaybeUninit<F>>,
}

/// What a new thread is to be.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) id: NonZeroU64,
    pub(crate) name: Option<Box<str>>,
    pub(crate) stack_size: usize,
    pub(crate) location: &'static Location<'static>,
    /// The scope that waits for it.
    pub(crate) scope: Option<NonNull<Count>>,
}

/// Memory for a thread.
#[derive(Debug)]
pub(crate) struct Room<F, T>(NonNull<Job<F, T>>);

/// Memory for a thread that runs such a closure; to be filled by [`new`], or it is lost.
#[inline]
pub(crate) fn allocate<F, T>() -> io::Result<Room<F, T>> {
    let layout = Layout::new::<Job<F, T>>();
    match pool::take(layout) {
        Some(memory) => Ok(Room(memory.cast())),
        None => Err(io::Error::new(
            io::ErrorKind::OutOfMemory,
            format!("no memory for a green thread's block of {} bytes; spawn fewer threads", layout.size()),
        )),
    }
}

/// Makes an unstarted thread: the task to be queued (which owns one reference to itself), and its handle.
///
/// # Safety
/// What `F` and `T` borrow outlives the thread, and `F: Send`, `T: Send`, or the thread stays here.
#[inline]
pub(crate) unsafe fn new<F, T>(Room(job): Room<F, T>, spec: Spec, closure: F) -> (NonNull<Task>, Handle<T>)
where
    F: FnOnce() -> T,
{
    struct Table<F, T>(F, T);
    impl<F, T> Table<F, T> {
        const VTABLE: &'static VTable = &VTable { free: free::<F, T> };
    }
    // One reference is the task's own, one the handle's.
    let block = Block::new(2, Table::<F, T>::VTABLE, spec.id, spec.name, Kind::Green);
    let task = Task::new(block, spec.location, spec.stack_size, run::<F, T>, spec.scope);
    // SAFETY: room for one `Job`.
    unsafe {
        job.write(Job {
            outcome: Outcome { task, result: UnsafeCell::new(MaybeUninit::uninit()) },
            closure: UnsafeCell::new(MaybeUninit::new(closure)),
        });
    }
    let task = job.cast::<Task>();
    // SAFETY: one of the two.
    let block = ManuallyDrop::new(unsafe { BlockRef::from_raw(task.cast()) });
    (task, Handle { block, _result: core::marker::PhantomData })
}

/// Frees a job's memory. Closure and result are gone by then (invariant 2).
unsafe fn free<F, T>(block: NonNull<Block>) {
    let job = block.cast::<Job<F, T>>();
    // SAFETY: nobody has a reference any more; the cells with closure and result don't drop what is in them.
    unsafe {
        ptr::drop_in_place(job.as_ptr());
        pool::give(job.cast(), Layout::new::<Job<F, T>>());
    }
}

/// Runs the closure on the stack that it is called on, or ends the thread without; then tells whoever waits.
unsafe fn run<F, T>(task: NonNull<Task>, start: Start)
where
    F: FnOnce() -> T,
{
    // SAFETY: the task is a `Job<F, T>` (this function came with it), alive while it runs.
    let job = unsafe { task.cast::<Job<F, T>>().as_ref() };
    // SAFETY: taken once (invariant 2).
    let closure = unsafe { (*job.closure.get()).assume_init_read() };
    let lent = matches!(start, Start::Lent);
    let result = match start {
        Start::Own | Start::Lent => catch_unwind(AssertUnwindSafe(closure)),
        Start::Refused(error) => {
            swallow(closure);
            Err(Box::new(error) as _)
        }
    };
    let panicked = result.is_err();
    // SAFETY: ours until the end is told (invariant 2).
    unsafe { (*job.outcome.result.get()).write(result) };
    let task = &job.outcome.task;
    let scope = task.scope;
    let mut unhandled = false;
    // A result that nobody wants goes before the thread-locals, which its destructor may use.
    let unwanted = task.end.load(Acquire) == DETACHED;
    if unwanted {
        // SAFETY: the handle is gone, so the result is ours (invariant 2).
        swallow(unsafe { (*job.outcome.result.get()).assume_init_read() });
    }
    // SAFETY: it runs, and ends; or it has never run.
    unsafe { locals::destroy(task) };
    if unwanted {
        unhandled = panicked;
    } else if lent {
        // The handle is the joiner's, which is below on this stack.
        task.end.store(ENDED, Relaxed);
    } else {
        match task.end.swap(ENDED, AcqRel) {
            DETACHED => {
                unhandled = panicked;
                // SAFETY: as above, both.
                unsafe {
                    swallow((*job.outcome.result.get()).assume_init_read());
                    locals::destroy(task);
                }
                task.end.store(DETACHED, Relaxed);
            }
            waiter if !waiter.is_null() => {
                // SAFETY: the joiner stays until it is woken (invariant 3).
                unsafe { Waiter::wake(waiter) };
            }
            _ => {}
        }
    }
    // SAFETY: nothing of the user's runs on this thread any more.
    unsafe { locals::clear(task) };
    if let Some(scope) = scope {
        // SAFETY: the scope waits for this (invariant 4).
        unsafe { Count::leave(scope, unhandled) };
    }
}

/// The worker's last touch of a thread that has run: gives its reference back, and with it the handle's that was left.
///
/// # Safety
/// The thread has ended on a stack of its own, or on none, and its worker is done with it.
#[inline]
pub(crate) unsafe fn let_go(task: NonNull<Task>) {
    // SAFETY: alive by the task's own reference. What a handle left is ours: it is told by DETACHED, which stays.
    unsafe {
        let left = task.as_ref().end.load(Relaxed) == DETACHED;
        block::release(task.cast(), if left { 2 } else { 1 });
    }
}

/// Drops a value of the user's that nobody wants. If its destructor panics, that has been reported by the hook,
/// and there is nobody left to hand it to.
fn swallow<V>(value: V) {
    let mut value = ManuallyDrop::new(value);
    // SAFETY: dropped once, here.
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| unsafe { ManuallyDrop::drop(&mut value) })) {
        // Its destructor might panic again.
        core::mem::forget(payload);
    }
}

/// The one handle of a job.
#[derive(Debug)]
pub(crate) struct Handle<T> {
    pub(crate) block: ManuallyDrop<BlockRef>,
    _result: core::marker::PhantomData<T>,
}

// The result is not in it.
impl<T> Unpin for Handle<T> {}

impl<T> Handle<T> {
    fn outcome(&self) -> &Outcome<T> {
        // SAFETY: the block is a `Job<_, T>`, whose head is an `Outcome<T>` (invariant 1).
        unsafe { self.block.as_ptr().cast::<Outcome<T>>().as_ref() }
    }

    /// Whether the result is there.
    pub(crate) fn is_finished(&self) -> bool {
        self.outcome().task.end.load(Acquire) == ENDED
    }

    /// Waits for the end, and takes the result.
    pub(crate) fn join(self) -> Result<T> {
        let this = ManuallyDrop::new(self);
        let outcome = this.outcome();
        let waiter = Waiter::new();
        let mine = ptr::from_ref(&waiter).cast_mut();
        if outcome.task.end.load(Acquire) != ENDED
            && outcome.task.end.compare_exchange(ptr::null_mut(), mine, AcqRel, Acquire).is_ok()
        {
            waiter.wait(Reason::Join, None);
        }
        // SAFETY: ended, and the handle is used no more.
        unsafe { this.finish(1) }
    }

    /// As `join`, of a thread that has run on the caller's stack.
    ///
    /// # Safety
    /// It has, with [`Start::Lent`].
    pub(crate) unsafe fn collect(self) -> Result<T> {
        // SAFETY: ended, and has left its reference; the handle is used no more.
        unsafe { ManuallyDrop::new(self).finish(2) }
    }

    /// Takes the result, and gives references back: the handle's own, or that and the thread's.
    ///
    /// # Safety
    /// The thread has ended, and these references are the handle's, which is neither used nor dropped afterwards.
    #[inline]
    unsafe fn finish(&self, references: usize) -> Result<T> {
        // SAFETY: the result is there, and the handle's (invariant 2); and as the caller says.
        unsafe {
            let result = (*self.outcome().result.get()).assume_init_read();
            block::release(self.block.as_ptr(), references);
            result
        }
    }
}

impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        let outcome = self.outcome();
        if outcome.task.end.compare_exchange(ptr::null_mut(), DETACHED, AcqRel, Acquire).is_ok() {
            // And with it goes our reference.
            return;
        }
        // SAFETY: ended, and never joined: the result is ours (invariant 2).
        let result = unsafe { (*outcome.result.get()).assume_init_read() };
        if let (Some(scope), Err(_)) = (outcome.task.scope, &result) {
            // SAFETY: a scoped thread's handle can't leave the scope (its lifetime says so).
            unsafe { scope.as_ref() }.note_panic();
        }
        swallow(result);
        // SAFETY: our own reference, once.
        unsafe { ManuallyDrop::drop(&mut self.block) };
    }
}
