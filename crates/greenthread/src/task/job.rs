//! A green thread with its closure and its result, in one allocation with its block.
//!
//! The end of a thread is one word, `Task::end`:
//!
//! ```text
//!   null ──join──▶ a waiter ──end──▶ ENDED      the joiner takes the result
//!    ▲                 │
//!    ├──a cycle────────┘
//!    ├───inline join─▶ INLINE ────end──▶ ENDED   the same
//!    ├───end─────────────────────▶ ENDED        the handle takes or drops the result
//!    └───drop of the handle──────▶ DETACHED     the thread drops the result when it ends
//! ```
//!
//! The thread and the handle each have a reference to the block, and give it back when they are
//! done. But a handle that detaches leaves its reference to the thread, and a thread that runs on
//! its joiner's stack leaves its own to the handle. So the count is changed once and not twice.
//!
//! Invariants:
//! 1. A `Job` is a `Task` with a result and a closure behind it, in this order (`repr(C)`): a
//!    handle that knows only `T` reaches the result.
//! 2. The closure is there until `run` takes it, once. The result is written before ENDED, and
//!    taken or dropped once, by the side that the picture names. So neither outlives the borrows in
//!    it, even if there is still a reference to the block.
//! 3. Only the one `Handle` of a job puts a waiter into `end`. Its thread does not go on before it
//!    is woken, or has taken the waiter back (`cycle`). The waiter is the first field of a
//!    `Joiner`; with INLINE, the address is that of the joiner's task. In both cases the joiner
//!    can't go on before the thread has ended. A future's joiner (`join_future`) is alive until the
//!    future has taken it back, or the thread has woken it.
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
    block_pool, cancel,
    coop::polled,
    cycle::{self, Thread},
    id, locals, scope,
    scope_count::ScopeCount,
    wait::{self, Reason, Waiter},
    worker_core::{self, WorkerCore},
    worker_handle::WorkerHandle,
};

const ENDED: *mut Waiter = ptr::without_provenance_mut(1);
const DETACHED: *mut Waiter = ptr::without_provenance_mut(2);
/// Set in `end` if the address is that of a joiner's task.
const INLINE: usize = 4;

// The addresses that `end` may hold do not have the bit by themselves.
const _: () = assert!(align_of::<Task>() > INLINE && align_of::<Joiner>() > INLINE);

/// What waits for a thread's end. 32-bit machines would align it to 4 bytes.
#[repr(C, align(8))]
pub(super) struct Joiner {
    waiter: Waiter,
    /// The joiner's task. Null for an OS thread and for a future, on which no green thread depends.
    task: *const Task,
}

// SAFETY: a waiter is `Send`, and the task is followed under the rules of `cycle` only.
unsafe impl Send for Joiner {}
// SAFETY: as for `Send`: a shared joiner gives no other access.
unsafe impl Sync for Joiner {}

impl AsRef<Waiter> for Joiner {
    fn as_ref(&self) -> &Waiter {
        &self.waiter
    }
}

impl Joiner {
    pub(super) fn new(task: *const Task) -> Self {
        Self { waiter: Waiter::new(), task }
    }

    /// What `end` holds while it waits.
    pub(super) fn address(&self) -> *mut Waiter {
        ptr::from_ref(self).cast::<Waiter>().cast_mut()
    }
}

/// The number of walkers (`cycle`). It is spread over several counts, and a worker always uses the
/// same one.
static WALKERS: [CachePadded<AtomicUsize>; 16] = [const { CachePadded::new(AtomicUsize::new(0)) }; 16];
/// The lock under which a joiner withdraws from a cycle.
pub(crate) static WITHDRAWING: ForkMutex<()> = ForkMutex::new(());

/// Called in the child of a fork, where there are no walkers.
pub(crate) fn forked() {
    WALKERS.iter().for_each(|walkers| walkers.store(0, Relaxed));
}

// SAFETY: a joiner, inline or not, waits for this thread's end (invariant 3). A scope is a frame on
// its owner's stack, and does not return before its threads have ended (`scope`).
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
        // SAFETY: it is the address of a `Joiner` (invariant 3), and the caller vouches that the
        // joiner is alive. It was written before its address was released here.
        NonNull::new(unsafe { (*end.cast::<Joiner>()).task }.cast_mut())
    }
}

/// Why a thread can't be waited for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Never {
    /// It waits for the caller, directly or not.
    Cycle,
    /// It runs in another process.
    Foreign,
    /// The caller is cancelled.
    Cancelled,
}

/// Waits for a thread's end. The caller has its handle.
///
/// # Panics
/// If the wait would never end.
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
    let joiner = Joiner::new(me.map_or(ptr::null(), ptr::from_ref));
    let mine = joiner.address();
    if thread.end.compare_exchange(ptr::null_mut(), mine, AcqRel, Acquire).is_err() {
        return Ok(());
    }
    if let (Some(core), Some(me)) = (core, me) {
        let walkers =
            &WALKERS[Arc::as_ptr(&core.handle).addr() / size_of::<WorkerHandle<Task>>() % WALKERS.len()];
        // SAFETY: `me` is the running thread, and `walkers` is one of `WALKERS`.
        if unsafe { cycle::closes(me, thread, walkers) } && withdraw(me, thread, mine) {
            return Err(Never::Cycle);
        }
    }
    let outcome = joiner.waiter.wait_interruptible(Reason::Join, None);
    if outcome == Some(wait::Outcome::Woken) {
        return Ok(());
    }
    // The caller is cancelled. It takes itself back, unless the thread has just ended and is about
    // to claim the wait.
    if take_back(thread, mine) {
        return Err(Never::Cancelled);
    }
    match outcome {
        None => joiner.waiter.await_claim(Reason::Join),
        // The deadline of the scope has ended the wait, so no wake-up is owed.
        Some(_) => joiner.waiter.await_post(),
    }
    Ok(())
}

#[cold]
fn withdraw(me: &Task, thread: &Task, mine: *mut Waiter) -> bool {
    let _lock = WITHDRAWING.lock();
    let undo = || {
        let undone = thread.end.compare_exchange(mine, ptr::null_mut(), AcqRel, Acquire);
        assert!(undone.is_ok(), "a thread has ended before one that it depends on");
    };
    // SAFETY: `me` is the running thread, which has the lock, and these are all counts of walkers.
    unsafe { cycle::withdraw(me, thread, WALKERS.iter().map(|walkers| &**walkers), undo, spin_loop) }
}

/// Takes a joiner back that waits for the end of `thread`. Returns `false` if the thread has ended.
/// After `true` no other thread looks at the joiner.
#[cold]
pub(super) fn take_back(thread: &Task, joiner: *mut Waiter) -> bool {
    let _lock = WITHDRAWING.lock();
    let is_back = thread.end.compare_exchange(joiner, ptr::null_mut(), AcqRel, Acquire).is_ok();
    if is_back {
        cycle::await_walkers(WALKERS.iter().map(|walkers| &**walkers), spin_loop);
    }
    is_back
}

/// Panics as std does.
#[cold]
pub(super) fn refuse(thread: &Task, why: Never) -> ! {
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
        Never::Cancelled => cancel::unwind(),
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
    /// The scope that waits for the thread.
    pub(crate) scope: Option<NonNull<ScopeCount>>,
}

/// Memory for a thread with this closure and result.
#[derive(Debug)]
pub(crate) struct JobMemory<F, T>(NonNull<Job<F, T>>);

/// The calling worker's pool of blocks, if the caller is on a worker.
#[inline]
fn pool<'a>() -> Option<&'a block_pool::Pool> {
    worker_core::get().map(|core| &core.blocks)
}

/// Allocates memory for a thread that runs such a closure. The caller fills it by [`new`];
/// otherwise it leaks.
#[inline]
pub(crate) fn allocate<F, T>() -> io::Result<JobMemory<F, T>> {
    let layout = Layout::new::<Job<F, T>>();
    match block_pool::take(pool(), layout) {
        Some(memory) => Ok(JobMemory(memory.cast())),
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
/// Everything that `F` and `T` borrow outlives the thread. They are `Send`, or the thread is pinned
/// to the calling worker.
#[inline]
pub(crate) unsafe fn new<F, T>(
    JobMemory(job): JobMemory<F, T>,
    spec: Spec,
    closure: F,
) -> (NonNull<Task>, Handle<T>)
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
    // SAFETY: `allocate` has allocated memory for one `Job`.
    unsafe {
        job.write(Job {
            outcome: Outcome { task, result: UnsafeCell::new(MaybeUninit::uninit()) },
            closure: UnsafeCell::new(MaybeUninit::new(closure)),
        });
    }
    let task = job.cast::<Task>();
    // SAFETY: this is the handle's reference, of the two that the block was made with.
    let block = ManuallyDrop::new(unsafe { BlockRef::from_raw(task.cast()) });
    (task, Handle { block, _result: core::marker::PhantomData })
}

/// Frees a job's memory. The caller has the last reference, and closure and result are gone
/// (invariant 2).
unsafe fn free<F, T>(block: NonNull<Block>) {
    let job = block.cast::<Job<F, T>>();
    // SAFETY: no reference is left. The cells with closure and result don't drop what is in them.
    unsafe {
        ptr::drop_in_place(job.as_ptr());
        block_pool::give(pool(), job.cast(), Layout::new::<Job<F, T>>());
    }
}

/// Runs the closure on the current stack, or ends the thread without. Then it wakes the joiner, and
/// tells the scope.
unsafe fn run<F, T>(task: NonNull<Task>, start: Start)
where
    F: FnOnce() -> T,
{
    // SAFETY: the task is a `Job<F, T>` (this function came with it), alive while it runs.
    let job = unsafe { task.cast::<Job<F, T>>().as_ref() };
    // SAFETY: only this function takes the closure, and it is called once (invariant 2).
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
    // SAFETY: the result belongs to the thread until `end` is ENDED (invariant 2).
    unsafe { (*job.outcome.result.get()).write(result) };
    let task = &job.outcome.task;
    cancel::end(task);
    let scope = task.scope;
    let mut unhandled = false;
    // The result of a detached thread is dropped before the thread-locals, which its destructor may
    // use.
    let unwanted = task.end.load(Acquire) == DETACHED;
    if unwanted {
        // SAFETY: the handle is gone, so the result belongs to the thread (invariant 2).
        swallow(unsafe { (*job.outcome.result.get()).assume_init_read() });
    }
    // SAFETY: the thread runs and is at its end, or it has never run.
    unsafe { locals::destroy(&task.locals) };
    if unwanted {
        unhandled = panicked;
    } else if inline {
        // The joiner has the handle. Its frames are below on this stack, so no other thread looks
        // at `end`.
        task.end.store(ENDED, Relaxed);
    } else {
        match task.end.swap(ENDED, AcqRel) {
            DETACHED => {
                unhandled = panicked;
                // SAFETY: the handle is gone, so the result belongs to the thread (invariant 2).
                // The thread is at its end.
                unsafe {
                    swallow((*job.outcome.result.get()).assume_init_read());
                    locals::destroy(&task.locals);
                }
                task.end.store(DETACHED, Relaxed);
            }
            // In the child of a fork, the joiner of a thread that has forked may be an OS thread of
            // the parent. It does not run here, and its stack may have been given to another one.
            waiter if !waiter.is_null() && !id::is_foreign(task.block.id) => {
                // SAFETY: the joiner stays until this has been done (invariant 3).
                unsafe { (*waiter).post() };
            }
            _ => {}
        }
    }
    // SAFETY: no code of the user runs on this thread any more.
    unsafe { locals::clear(&task.locals) };
    if let Some(scope) = scope
        && !id::is_foreign(task.block.id)
    {
        // SAFETY: the scope waits for this (invariant 4).
        unsafe { scope::leave(scope, unhandled) };
    }
}

/// Notes that `child` is about to run on the stack of `joiner`, which has its handle.
#[inline]
pub(crate) fn set_joiner(child: &Task, joiner: &Task) {
    let joiner = ptr::from_ref(joiner).cast::<Waiter>().cast_mut();
    child.end.store(joiner.map_addr(|address| address | INLINE), Release);
}

/// Gives the thread's own reference back, and the handle's if that was left to it. The worker does
/// not touch the thread after this.
///
/// # Safety
/// The thread has ended on a stack of its own, or on none, and its worker is done with it.
#[inline]
pub(crate) unsafe fn release(task: NonNull<Task>) {
    // SAFETY: the task is alive by its own reference. If `end` is DETACHED, the handle has left its
    // reference too, and `end` does not change any more.
    unsafe {
        let left = task.as_ref().end.load(Relaxed) == DETACHED;
        block::release(task.cast(), if left { 2 } else { 1 });
    }
}

/// Drops a value of the user. If its destructor panics, the panic hook has reported that, and there
/// is no joiner to give the panic to.
fn swallow<V>(value: V) {
    let mut value = ManuallyDrop::new(value);
    // SAFETY: the value is dropped once, here.
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| unsafe { ManuallyDrop::drop(&mut value) })) {
        // The payload's destructor might panic again.
        core::mem::forget(payload);
    }
}

/// The one handle of a job.
#[derive(Debug)]
pub(crate) struct Handle<T> {
    pub(crate) block: ManuallyDrop<BlockRef>,
    _result: core::marker::PhantomData<T>,
}

// The result is not stored in the handle.
impl<T> Unpin for Handle<T> {}

impl<T> Handle<T> {
    pub(super) fn task(&self) -> &Task {
        &self.outcome().task
    }

    fn outcome(&self) -> &Outcome<T> {
        // SAFETY: the block is a `Job<_, T>`, whose head is an `Outcome<T>` (invariant 1).
        unsafe { self.block.as_ptr().cast::<Outcome<T>>().as_ref() }
    }

    /// Whether the thread has ended, so that the result is there.
    pub(crate) fn has_ended(&self) -> bool {
        self.task().end.load(Acquire) == ENDED
    }

    /// The same, for callers that ask again and again.
    pub(crate) fn is_finished(&self) -> bool {
        polled(self.has_ended())
    }

    /// Waits for the end, and takes the result.
    ///
    /// # Panics
    /// If the wait would never end.
    pub(crate) fn join(self) -> Result<T> {
        if !self.has_ended() {
            wait_for_end(self.task());
        }
        // SAFETY: the thread has ended. The reference is the handle's, which is not used after
        // this.
        unsafe { ManuallyDrop::new(self).finish(1) }
    }

    /// As `join`, for a thread that has run on the caller's stack.
    ///
    /// # Safety
    /// The thread has run with [`Start::Inline`].
    #[inline]
    pub(crate) unsafe fn collect(self) -> Result<T> {
        // SAFETY: the thread has ended, and has left its reference to the handle, which is not used
        // after this.
        unsafe { ManuallyDrop::new(self).finish(2) }
    }

    /// Takes the result, and gives references back: the handle's own, or both the handle's and the
    /// thread's.
    ///
    /// # Safety
    /// The thread has ended, and these references are the handle's, which is neither used nor
    /// dropped afterwards.
    #[inline]
    unsafe fn finish(&self, references: usize) -> Result<T> {
        // SAFETY: the thread has ended, so the result is there and belongs to the handle (invariant
        // 2). The caller vouches for the references.
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
            // The thread has the handle's reference now.
            return;
        }
        // SAFETY: the thread has ended and was not joined, so the result belongs to the handle
        // (invariant 2).
        let result = unsafe { (*outcome.result.get()).assume_init_read() };
        if let (Some(scope), Err(_)) = (outcome.task.scope, &result) {
            // SAFETY: a scoped thread's handle can't leave the scope (its lifetime says so).
            unsafe { scope.as_ref() }.note_panic();
        }
        swallow(result);
        // SAFETY: the handle's reference is dropped once, here.
        unsafe { ManuallyDrop::drop(&mut self.block) };
    }
}
