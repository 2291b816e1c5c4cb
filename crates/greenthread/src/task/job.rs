//! A green thread's work: its closure, and what became of it. One allocation with its block.
//!
//! The end of a thread is one word, `Task::end`:
//!
//! ```text
//!   null ──join──▶ a waiter ──end──▶ ENDED      the joiner takes the result
//!    ▲                 │
//!    ├──a cycle────────┘
//!    ├───inline join─▶ INLINE ────end──▶ ENDED   as above
//!    ├───end─────────────────────▶ ENDED        the handle takes or drops the result
//!    └───drop of the handle──────▶ DETACHED     the thread drops the result when it ends
//! ```
//!
//! Both sides have a reference to the block. Each gives its own back when it has done; but a handle
//! that detaches leaves its reference to the thread, and a thread that runs on its joiner's stack
//! leaves its own to the handle, so that there is one count to change and not two.
//!
//! Invariants:
//! 1. A `Job` is a `Task` with a result and a closure behind it, in this order (`repr(C)`): a
//!    handle that knows only `T` reaches the result.
//! 2. The closure is there until `run` takes it, once. The result is written before ENDED, and
//!    taken or dropped once, by the side that the picture says. So neither outlives the borrows in
//!    it, even if somebody still holds a reference to the block.
//! 3. The one `Handle` of a job is the only one who puts a waiter there, and doesn't leave before
//!    it is woken, or has taken it back (`cycle`). The waiter is a `Joiner`'s; with INLINE, it is
//!    the joiner's task whose address is there. In both cases the joiner can't go on before the
//!    thread has ended.
//! 4. A scope's count outlives its threads' `leave`: the scope waits for it (`scope`).

use core::{
    cell::UnsafeCell,
    hint::spin_loop,
    mem::{ManuallyDrop, MaybeUninit},
    panic::Location,
    ptr::{self, NonNull},
    sync::atomic::{
        AtomicUsize,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
    },
};
use std::{
    alloc::Layout,
    io,
    num::NonZeroU64,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::Result,
};

use crossbeam_utils::CachePadded;

use crate::sys::{error::OsError, memory::exhausted, process::ForkMutex};

use super::{
    block::{self, Block, BlockRef, Kind, Start, Task, VTable},
    block_pool,
    coop::polled,
    cycle::{self, Thread},
    id, locals, scope,
    scope_count::ScopeCount,
    wait::{Reason, Waiter},
    worker_core::{self, WorkerCore},
    worker_handle::WorkerHandle,
};

const ENDED: *mut Waiter = ptr::without_provenance_mut(1);
const DETACHED: *mut Waiter = ptr::without_provenance_mut(2);
/// Set in the address of a task, which is aligned to more than that.
const INLINE: usize = 4;

/// The thread that waits for another one's end.
#[repr(C)]
struct Joiner {
    waiter: Waiter,
    /// Null: an OS thread, which nobody joins here.
    task: *const Task,
}

/// How many walk along the joiners of whom (`cycle`), by where they do.
static WALKERS: [CachePadded<AtomicUsize>; 16] = [const { CachePadded::new(AtomicUsize::new(0)) }; 16];
/// Its holder may withdraw from a cycle.
pub(crate) static WITHDRAWING: ForkMutex<()> = ForkMutex::new(());

/// In the child of a fork, where nobody walks.
pub(crate) fn forked() {
    WALKERS.iter().for_each(|walkers| walkers.store(0, Relaxed));
}

// SAFETY: a joiner and a lender wait for this thread's end (invariant 3), and a scope is a frame of
// its owner's, which does not return before (`scope`).
unsafe impl Thread for Task {
    fn has_dependent(&self) -> bool {
        self.scope.is_some() || !matches!(self.end.load(Relaxed), end if end.is_null() || end == DETACHED)
    }

    unsafe fn dependent(&self) -> Option<NonNull<Self>> {
        let end = self.end.load(Acquire);
        if end.is_null() || end == DETACHED || end == ENDED {
            // SAFETY: the scope outlives its threads (invariant 4).
            return self.scope.and_then(|scope| unsafe { scope.as_ref() }.owner()).map(NonNull::cast);
        }
        if end.addr() & INLINE != 0 {
            return NonNull::new(end.map_addr(|address| address & !INLINE).cast());
        }
        // SAFETY: a joiner's (invariant 3), and the caller vouches that it is alive. It was written
        // before it was put here.
        NonNull::new(unsafe { (*end.cast::<Joiner>()).task }.cast_mut())
    }
}

/// Why a thread can't be waited for.
#[derive(Clone, Copy, Debug)]
enum Never {
    /// It waits for the caller.
    Cycle,
    /// It runs in another process.
    Foreign,
}

/// Waits for a thread's end, which has not come yet, as the one who has its handle.
///
/// # Panics
/// If there will be no end.
#[inline(never)]
fn wait_for_end(thread: &Task) {
    if let Err(why) = wait(thread) {
        refuse(thread, why);
    }
}

fn wait(thread: &Task) -> core::result::Result<(), Never> {
    if id::is_foreign(thread.block.id) {
        return Err(Never::Foreign);
    }
    let core = worker_core::get();
    let me = core.and_then(WorkerCore::running);
    let joiner = Joiner { waiter: Waiter::new(), task: me.map_or(ptr::null(), ptr::from_ref) };
    let mine = ptr::from_ref(&joiner).cast::<Waiter>().cast_mut();
    if thread.end.compare_exchange(ptr::null_mut(), mine, AcqRel, Acquire).is_err() {
        return Ok(());
    }
    if let (Some(core), Some(me)) = (core, me) {
        let walkers =
            &WALKERS[Arc::as_ptr(&core.handle).addr() / size_of::<WorkerHandle<Task>>() % WALKERS.len()];
        // SAFETY: we are the running thread, and this is one of them.
        if unsafe { cycle::closes(me, thread, walkers) } && withdraw(me, thread, mine) {
            return Err(Never::Cycle);
        }
    }
    // Not a cancellation point yet. A canceller must take the joiner out of `end` before it claims
    // the wait. Otherwise the ending thread might claim a joiner that has returned.
    joiner.waiter.wait(Reason::Join, None);
    Ok(())
}

#[cold]
fn withdraw(me: &Task, thread: &Task, mine: *mut Waiter) -> bool {
    let _lock = WITHDRAWING.lock();
    let undo = || {
        let undone = thread.end.compare_exchange(mine, ptr::null_mut(), AcqRel, Acquire);
        assert!(undone.is_ok(), "a thread has ended before one that it depends on");
    };
    // SAFETY: we are the running thread; we have the lock; these are all.
    unsafe { cycle::withdraw(me, thread, WALKERS.iter().map(|walkers| &**walkers), undo, spin_loop) }
}

/// Panics as std does.
#[cold]
fn refuse(thread: &Task, why: Never) -> ! {
    let name = thread.block.name.as_deref().unwrap_or("<unnamed>");
    let location = thread.location;
    match why {
        Never::Cycle => {
            let error = io::Error::from(OsError::DEADLOCK);
            panic!(
                "failed to join thread: {error}: thread '{name}', spawned at {location}, is the caller, or waits for the \
                 caller's end"
            )
        }
        Never::Foreign => panic!(
            "failed to join thread: '{name}', spawned at {location}, runs in the process that has forked this one"
        ),
    }
}

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

/// The properties of a new thread.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) id: NonZeroU64,
    pub(crate) name: Option<Box<str>>,
    pub(crate) stack_size: usize,
    pub(crate) location: &'static Location<'static>,
    /// The scope that waits for it.
    pub(crate) scope: Option<NonNull<ScopeCount>>,
}

/// Memory for a thread.
#[derive(Debug)]
pub(crate) struct Room<F, T>(NonNull<Job<F, T>>);

/// The calling worker's free memory.
#[inline]
fn pool<'a>() -> Option<&'a block_pool::Pool> {
    worker_core::get().map(|core| &core.blocks)
}

/// Memory for a thread that runs such a closure; to be filled by [`new`], or it is lost.
#[inline]
pub(crate) fn allocate<F, T>() -> io::Result<Room<F, T>> {
    let layout = Layout::new::<Job<F, T>>();
    match block_pool::take(pool(), layout) {
        Some(memory) => Ok(Room(memory.cast())),
        None => Err(exhausted(format_args!(
            "no memory for a green thread's block of {} bytes; spawn fewer threads",
            layout.size()
        ))),
    }
}

/// Makes an unstarted thread: the task to be queued (which owns one reference to itself), and its
/// handle.
///
/// # Safety
/// Everything that `F` and `T` borrow outlives the thread, and `F: Send`, `T: Send`, or the thread
/// stays here.
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
    // SAFETY: nobody has a reference any more; the cells with closure and result don't drop what is
    // in them.
    unsafe {
        ptr::drop_in_place(job.as_ptr());
        block_pool::give(pool(), job.cast(), Layout::new::<Job<F, T>>());
    }
}

/// Runs the closure on the stack that it is called on, or ends the thread without; then tells
/// whoever waits.
unsafe fn run<F, T>(task: NonNull<Task>, start: Start)
where
    F: FnOnce() -> T,
{
    // SAFETY: the task is a `Job<F, T>` (this function came with it), alive while it runs.
    let job = unsafe { task.cast::<Job<F, T>>().as_ref() };
    // SAFETY: taken once (invariant 2).
    let closure = unsafe { (*job.closure.get()).assume_init_read() };
    let inline = matches!(start, Start::Inline);
    let result = match start {
        Start::Own | Start::Inline => catch_unwind(AssertUnwindSafe(closure)),
        Start::Refused(error) => {
            swallow(closure);
            Err(Box::new(error) as _)
        }
    };
    let panicked = result.is_err();
    if panicked {
        worker_core::forget_panics();
    }
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
    unsafe { locals::destroy(&task.locals) };
    if unwanted {
        unhandled = panicked;
    } else if inline {
        // The handle is the joiner's, which is below on this stack.
        task.end.store(ENDED, Relaxed);
    } else {
        match task.end.swap(ENDED, AcqRel) {
            DETACHED => {
                unhandled = panicked;
                // SAFETY: the handle is gone, so the result is ours (invariant 2); and the thread
                // ends.
                unsafe {
                    swallow((*job.outcome.result.get()).assume_init_read());
                    locals::destroy(&task.locals);
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
    unsafe { locals::clear(&task.locals) };
    if let Some(scope) = scope {
        // SAFETY: the scope waits for this (invariant 4).
        unsafe { scope::leave(scope, unhandled) };
    }
}

/// The thread is about to run on the stack of `joiner`, which has its handle.
#[inline]
pub(crate) fn set_joiner(child: &Task, joiner: &Task) {
    let joiner = ptr::from_ref(joiner).cast::<Waiter>().cast_mut();
    child.end.store(joiner.map_addr(|address| address | INLINE), Release);
}

/// The worker's last touch of a thread that has run: gives its reference back, and with it the
/// handle's that was left.
///
/// # Safety
/// The thread has ended on a stack of its own, or on none, and its worker is done with it.
#[inline]
pub(crate) unsafe fn release(task: NonNull<Task>) {
    // SAFETY: alive by the task's own reference. A detached handle has left its reference to us, as
    // DETACHED says, which stays.
    unsafe {
        let left = task.as_ref().end.load(Relaxed) == DETACHED;
        block::release(task.cast(), if left { 2 } else { 1 });
    }
}

/// Drops a value of the user's that nobody wants. If its destructor panics, that has been reported
/// by the hook, and there is nobody left to hand it to.
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
        polled(self.outcome().task.end.load(Acquire) == ENDED)
    }

    /// Waits for the end, and takes the result.
    ///
    /// # Panics
    /// If there will be no end.
    pub(crate) fn join(self) -> Result<T> {
        let thread = &self.outcome().task;
        if thread.end.load(Acquire) != ENDED {
            wait_for_end(thread);
        }
        // SAFETY: ended, and the handle is used no more.
        unsafe { ManuallyDrop::new(self).finish(1) }
    }

    /// As `join`, of a thread that has run on the caller's stack.
    ///
    /// # Safety
    /// It has, with [`Start::Inline`].
    pub(crate) unsafe fn collect(self) -> Result<T> {
        // SAFETY: ended, and has left its reference; the handle is used no more.
        unsafe { ManuallyDrop::new(self).finish(2) }
    }

    /// Takes the result, and gives references back: the handle's own, or that and the thread's.
    ///
    /// # Safety
    /// The thread has ended, and these references are the handle's, which is neither used nor
    /// dropped afterwards.
    #[inline]
    unsafe fn finish(&self, references: usize) -> Result<T> {
        // SAFETY: the result is there, and the handle's (invariant 2); the caller vouches that the
        // references are its to give back.
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
