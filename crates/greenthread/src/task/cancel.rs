//! Cancellation: whether a thread is cancelled, and how a thread that waits learns of it.
//!
//! A thread is cancelled by scopes (`cancel_node`) and by its handle. Whether it *is* cancelled it
//! finds out by itself, at a *cancellation point*: it looks up the tree, from its innermost scope,
//! until it comes to a shield or to the root (`view`). Nothing is sent down the tree, so the answer
//! stays the same however often it asks.
//!
//! A thread that waits has to be told to look. **A canceller never ends a wait: it interrupts it.**
//! An *interrupted* thread goes on without having been claimed, looks, and ends its own wait: by a
//! claim if it is cancelled. So completion, timeout and cancellation are still told apart by the
//! one claim of `state`, and a wait whose waiter others may touch until they have claimed it (a
//! join, a channel's early parking) takes itself back under its own protocol.
//!
//! How a canceller interrupts:
//!
//! * A green thread's worker does it, on its home context: then the thread is suspended, and what
//!   it waits in is alive. The canceller leaves a note with the worker (`worker_handle`). If the
//!   thread is parked, the worker takes its wait back to where it was before, so that no claimer
//!   owes it a wake-up, and resumes it. No sibling runs in between, so nobody else makes it ready
//!   at the same time.
//! * An OS thread is interrupted in its parker, beside the token, and looks.
//!
//! `notes` says why nothing is lost. `entered` is how a thread enters a scope and leaves it.
//!
//! What was rejected: to claim waits from outside. Each wait would have to be published under a
//! lock that keeps its waiter alive, two exchanges for each wait of each thread that may be
//! cancelled, and joins and channels would need a second claimer.
//!
//! Masked, so that nothing is a point: inside a shield; while the thread unwinds; once its closure
//! has returned (destructors of its thread-locals); inside `without_yield`. With `panic = "abort"`
//! nothing can unwind. Then only the calls that return an `io::Result` are points, and return
//! `error()`.

use core::{
    cell::Cell,
    mem::{self, MaybeUninit},
    ptr::{self, NonNull},
    sync::atomic::Ordering::{Acquire, Relaxed},
};
use std::{io, sync::Arc, time::Instant};

use super::{
    block::{self, Block, BlockRef, Task},
    cancel_node::{CancelNode, In, List, State},
    id,
    notes::{self, Noted, REQUESTED},
    time,
    waiter::INTERRUPTIBLE,
    worker_core::{self, WorkerCore},
    worker_handle::WorkerHandle,
};
use crate::sys::parker::Parker;

/// In `Block::cancel`: the thread is in a scope.
const SCOPED: u8 = 1;

/// The innermost scope of a thread whose closure has returned: nothing reaches it any more.
pub(super) const ENDED: *const CancelNode = ptr::without_provenance(1);

thread_local! {
    /// The innermost scope of an OS thread.
    static INNERMOST: Cell<*const CancelNode> = const { Cell::new(ptr::null()) };
}

/// The payload of a thread that is unwound since it was cancelled.
#[derive(Debug)]
pub struct Cancelled(());

/// What the tree says about a thread.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) is_cancelled: bool,
    /// The earliest deadline of the scopes that it is in, and whose that is.
    pub(crate) deadline: Option<(Instant, *const CancelNode)>,
}

impl View {
    /// The deadline of a wait that has one of its own, perhaps; and the scope whose deadline it is,
    /// if that comes first.
    pub(crate) fn sooner(&self, own: Option<Instant>) -> (Option<Instant>, Option<*const CancelNode>) {
        match self.deadline {
            Some((deadline, node)) if own.is_none_or(|own| deadline <= own) => (Some(deadline), Some(node)),
            _ => (own, None),
        }
    }
}

/// Looks up the tree from a thread's innermost scope.
fn look_up(mut at: *const CancelNode, mut thread: *const Task) -> View {
    let mut view = View { is_cancelled: false, deadline: None };
    // Whether one of the threads on the way was cancelled by its handle. A shield further up goes
    // for that, too: what is behind it would wait for a thread that has not done its work.
    let mut is_requested = false;
    loop {
        if at == ENDED {
            return view;
        }
        // SAFETY: a scope is alive while a thread is in it or below it (`cancel_node`, 1).
        let node = unsafe { at.as_ref() };
        let next = node.map_or(ptr::null(), |node| node.thread.cast());
        if next != thread || node.is_none() {
            // The outermost scope of this thread has been passed.
            // SAFETY: it is the calling thread, or one that has entered a scope above it.
            is_requested |= unsafe { thread.as_ref() }
                .is_some_and(|thread| thread.block.cancel.load(Acquire) & REQUESTED != 0);
            thread = next;
        }
        let Some(node) = node else {
            view.is_cancelled = is_requested;
            return view;
        };
        if node.state() != State::Live {
            view.is_cancelled = true;
            return view;
        }
        if node.is_shield {
            return view;
        }
        if let Some(deadline) = node.deadline
            && view.deadline.is_none_or(|(earliest, _)| deadline < earliest)
        {
            view.deadline = Some((deadline, at));
        }
        at = node.parent;
    }
}

/// Whether a green thread is cancelled, and its earliest deadline.
pub(crate) fn view(task: &Task) -> View {
    look_up(task.innermost.get(), task)
}

/// The same for the calling OS thread, if it is in a scope.
pub(crate) fn view_of_os_thread() -> Option<View> {
    let innermost = INNERMOST.try_with(Cell::get).unwrap_or(ptr::null());
    // A worker's own OS thread waits for a green thread that may not be suspended: that is masked.
    if innermost.is_null() || is_masked() || worker_core::get().is_some() {
        return None;
    }
    Some(look_up(innermost, ptr::null()))
}

/// Whether the calling thread can't be cancelled, since it unwinds.
pub(crate) fn is_masked() -> bool {
    std::thread::panicking()
}

/// The calling thread's view, if it is in a scope or was cancelled, and is not masked.
fn view_here() -> Option<View> {
    match worker_core::get() {
        Some(_) => {
            let (_, task) = worker_core::current()?;
            (task.block.cancel.load(Relaxed) != 0 && !is_masked()).then(|| view(task))
        }
        None => view_of_os_thread(),
    }
}

/// Whether the calling thread would be cancelled at a cancellation point.
pub(crate) fn is_cancelled() -> bool {
    view_here().is_some_and(|view| view.is_cancelled || has_passed(&view))
}

/// Whether the earliest deadline has passed. If so, its scope ends.
fn has_passed(view: &View) -> bool {
    let Some((deadline, node)) = view.deadline else { return false };
    let has_passed = deadline <= time::now();
    if has_passed {
        // SAFETY: the calling thread is in this scope.
        elapse(unsafe { &*node });
    }
    has_passed
}

/// A cancellation point: unwinds the thread if it is cancelled.
#[inline]
pub(crate) fn check() {
    match worker_core::get() {
        Some(core) => check_on(core),
        None => check_now(),
    }
}

/// The same, on the worker whose core this is.
#[inline]
pub(crate) fn check_on(core: &WorkerCore) {
    if core.running().is_some_and(|task| task.block.cancel.load(Relaxed) != 0) {
        check_now();
    }
}

#[cold]
fn check_now() {
    if cfg!(not(panic = "abort")) && is_cancelled() {
        unwind();
    }
}

/// A cancellation point of a call that can return an error.
///
/// # Errors
/// `error()` if the calling thread is cancelled.
#[inline]
pub(crate) fn check_call() -> io::Result<()> {
    match worker_core::get() {
        Some(core) => check_call_on(core),
        None => check_call_now(),
    }
}

/// The same, on the worker whose core this is.
///
/// # Errors
/// As for `check_call`.
#[inline]
pub(crate) fn check_call_on(core: &WorkerCore) -> io::Result<()> {
    if core.running().is_some_and(|task| task.block.cancel.load(Relaxed) != 0) {
        return check_call_now();
    }
    Ok(())
}

#[cold]
fn check_call_now() -> io::Result<()> {
    if is_cancelled() { Err(error()) } else { Ok(()) }
}

/// Unwinds the calling thread to the edge of the scope that was cancelled. The panic hook is not
/// called.
#[cold]
pub(crate) fn unwind() -> ! {
    std::panic::resume_unwind(Box::new(Cancelled(())))
}

/// The error of a call that was cancelled, before it has done anything. It is none of the kinds
/// after which loops try again.
#[cold]
pub(crate) fn error() -> io::Error {
    io::Error::other(Cancelled(()))
}

/// Unwinds if a call was cancelled, and if something can unwind. Otherwise returns the call's
/// error.
#[cold]
pub(crate) fn raise(error: io::Error) -> io::Error {
    if cfg!(not(panic = "abort")) && is_error(&error) {
        unwind();
    }
    error
}

/// Whether this is the error of a call that was cancelled.
pub(crate) fn is_error(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|error| error.is::<Cancelled>())
}

/// Sets the innermost scope of the calling thread.
pub(super) fn set_innermost(node: *const CancelNode) {
    let Some(core) = worker_core::get() else {
        _ = INNERMOST.try_with(|innermost| innermost.set(node));
        return;
    };
    let Some(task) = core.running() else { return };
    task.innermost.set(node);
    let is_scoped = task.block.cancel.load(Relaxed) & SCOPED != 0;
    if node.is_null() {
        task.block.cancel.fetch_and(!SCOPED, Relaxed);
    } else if !is_scoped {
        task.block.cancel.fetch_or(SCOPED, Relaxed);
    }
}

/// Cancels the innermost scope of the calling thread.
pub(crate) fn cancel_innermost() {
    // SAFETY: the calling thread is in it.
    if let Some(node) = unsafe { innermost().as_ref() } {
        cancel(node);
    }
}

/// Whether the calling thread is the one that has entered a scope.
pub(crate) fn has_entered(node: &CancelNode) -> bool {
    match worker_core::get().and_then(WorkerCore::running) {
        Some(task) => ptr::eq(node.thread, ptr::from_ref(task).cast()),
        None => node.parker.as_ref().is_some_and(|of_node| Arc::ptr_eq(of_node, &parker())),
    }
}

/// What the calling OS thread sleeps in. In a scope that is what the scope's canceller wakes, even
/// while the OS thread's locals are destroyed, and `Parker::current` is another one each time.
pub(crate) fn parker() -> Arc<Parker> {
    let innermost = INNERMOST.try_with(Cell::get).unwrap_or(ptr::null());
    // SAFETY: the calling thread is in this scope.
    let node = unsafe { innermost.as_ref() };
    node.and_then(|node| node.parker.clone()).unwrap_or_else(Parker::current)
}

/// The innermost scope of the calling thread, or null.
pub(crate) fn innermost() -> *const CancelNode {
    match worker_core::get() {
        Some(core) => core.running().map_or(ptr::null(), |task| task.innermost.get()),
        None => INNERMOST.try_with(Cell::get).unwrap_or(ptr::null()),
    }
}

/// Called when a thread's closure has returned or was unwound. Nothing cancels what is left to do.
#[inline]
pub(crate) fn end(task: &Task) {
    task.innermost.set(ENDED);
}

/// Ends a scope: from now on the threads in it and below it are cancelled. Those that wait are
/// interrupted.
pub(crate) fn cancel(node: &CancelNode) {
    if node.end(State::Cancelled) {
        node.visit_tree(interrupt);
    }
}

/// Ends a scope whose deadline has passed.
#[cold]
pub(crate) fn elapse(node: &CancelNode) {
    if node.end(State::Elapsed) {
        node.visit_tree(interrupt);
    }
}

/// Cancels all scopes of a list.
pub(crate) fn cancel_list(list: &List) {
    let locked = list.lock();
    for node in locked.nodes(In::Token) {
        cancel(node);
    }
}

/// Interrupts the thread that has entered a scope.
fn interrupt(node: &CancelNode) {
    if let Some(parker) = &node.parker {
        return parker.interrupt();
    }
    if let Some(task) = NonNull::new(node.thread.cast::<Task>().cast_mut()) {
        // SAFETY: the caller is the thread itself or one below it, or holds the lock of a list that
        // the node is in. So the thread has not left the scope: it is alive, and so is its worker.
        unsafe {
            let block = &task.as_ref().block;
            if !id::is_foreign(block.id) && notes::must_note(&block.cancel) {
                note(task, &*node.worker.cast::<WorkerHandle<Task>>(), false);
            }
        }
    }
}

/// Leaves a note with a thread's worker.
///
/// # Safety
/// The task is alive during this call.
unsafe fn note(task: NonNull<Task>, worker: &WorkerHandle<Task>, by_handle: bool) {
    unsafe fn forget(task: NonNull<Task>) {
        // SAFETY: the note's reference is given back, once.
        unsafe { block::release(task.cast(), 1) };
    }
    // SAFETY: the caller vouches that the task is alive. The new reference belongs to the note.
    unsafe {
        mem::forget(BlockRef::share(task.cast()));
        worker.note_cancelled(Noted::new(task, by_handle, forget));
    }
}

/// Cancels a thread by its block, before another thread can reach it.
pub(crate) fn mark(block: &Block) {
    block.cancel.fetch_or(REQUESTED, Relaxed);
}

/// Cancels a thread by its handle. `workers` are all workers that it may be on.
///
/// # Safety
/// The block is the head of a task, and these are all the workers of the process that have not
/// ended, or at least the thread's own.
pub(crate) unsafe fn cancel_thread<W>(block: &BlockRef, workers: impl FnOnce() -> W)
where
    W: Iterator<Item = Arc<WorkerHandle<Task>>>,
{
    let task: NonNull<Task> = block.as_ptr().cast();
    if !notes::request(&block.cancel) {
        return;
    }
    // SAFETY: the caller has a reference to the task.
    let owner = unsafe { task.as_ref() }.owner.get();
    for worker in workers() {
        // A thread whose owner is not known yet has not started, or is just starting. Its worker
        // reads the note before the start, and the thread sees the mark; or behind it, and knows
        // the thread for its own.
        if owner.is_null() || ptr::eq(owner, Arc::as_ptr(&worker)) {
            // SAFETY: the caller has a reference to the task.
            unsafe { note(task, &worker, true) };
        }
    }
}

/// What the worker does with a note. Returns whether the thread is to be resumed, so that it looks.
///
/// # Safety
/// The home context of the worker whose core this is runs, and this is its worker's note.
pub(crate) unsafe fn read_note(core: &WorkerCore, noted: &Noted<Task>) -> bool {
    // SAFETY: the note has a reference.
    let task = unsafe { noted.task.as_ref() };
    if !noted.by_handle {
        notes::note_taken(&task.block.cancel);
    }
    if task.owner.get() != Arc::as_ptr(&core.handle) {
        // It has not started, or it has started on another worker, which has a note as well.
        return false;
    }
    if noted.by_handle {
        // SAFETY: the thread is suspended, so its scopes are alive and stay.
        unsafe { interrupt_below(task) };
    }
    if task.block.waits_for.load(Relaxed) & INTERRUPTIBLE == 0 || !view(task).is_cancelled {
        return false;
    }
    // SAFETY: the thread is parked in this wait, so the waiter on its stack is alive.
    let is_unclaimed = unsafe { (*task.waiting.get().assume_init()).state.interrupt() };
    if is_unclaimed {
        task.waiting.set(MaybeUninit::new(ptr::null()));
    }
    is_unclaimed
}

/// Interrupts the threads in all scopes that a thread has entered.
///
/// # Safety
/// The thread is suspended on the calling OS thread, or has ended there.
unsafe fn interrupt_below(task: &Task) {
    let mut at = task.innermost.get();
    let mut outermost = None;
    while at != ENDED
        // SAFETY: the caller vouches that the thread is suspended, so its scopes are alive.
        && let Some(node) = unsafe { at.as_ref() }
        && ptr::eq(node.thread, ptr::from_ref(task).cast())
    {
        outermost = Some(node);
        at = node.parent;
    }
    if let Some(node) = outermost.filter(|node| !node.is_shield) {
        node.visit_tree(interrupt);
    }
}
