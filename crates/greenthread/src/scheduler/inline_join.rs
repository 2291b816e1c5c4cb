//! A joiner runs its child itself, on its own stack, if the child has not started. The joiner would
//! only wait, and its stack is in the cache.
//!
//! The child is a thread like any other, with its own block, name, number and result. Only its
//! stack is the joiner's, of which as much must be left as the child was promised. If the child
//! waits, both are suspended; the joiner would wait anyway. So at most one of them is ready, and
//! both count as one of the worker's started threads.
//!
//! Only the thread that is joined may run so. Any other one might wait for something that the
//! joiner does after its join, and the joiner, below it on the stack, could not go on. There are at
//! most [`MAX_INLINE_JOINS`](super::policy::MAX_INLINE_JOINS) inline joins in a row, so that ready
//! threads have their turn and the worker ticks.

use std::{
    ptr::{self, NonNull},
    sync::atomic::Ordering::{Relaxed, Release},
};

use super::worker;
use crate::task::{
    block::{BlockRef, Start, Task},
    job::{self, Handle},
    worker_core::WorkerCore,
};

/// The bytes of stack that the frames from `join` to the child's closure take at most.
const FRAMES: usize = 4096;

/// Waits for a thread's end. A thread that has not started is run here, if that is possible.
#[inline]
pub(crate) fn join<T>(handle: Handle<T>) -> std::thread::Result<T> {
    if run_unstarted(&handle.block) {
        // SAFETY: the thread has run here, with `Start::Inline`.
        return unsafe { handle.collect() };
    }
    handle.join()
}

/// Runs a thread on the caller's stack, if that is possible; the caller has its handle. Returns
/// whether it has run. If so, the thread's own reference belongs to the handle.
#[inline]
fn run_unstarted(block: &BlockRef) -> bool {
    let child: NonNull<Task> = block.as_ptr().cast();
    // SAFETY: a joinable block is a task's, and alive by the caller's reference. `end` is atomic.
    if !unsafe { child.as_ref() }.end.load(Relaxed).is_null() {
        return false;
    }
    // While the process exits, and inside `without_yield`, no other thread may run.
    let Some((worker, joiner)) = worker::running() else { return false };
    let core = &worker.core;
    // A joiner that may be cancelled has to leave when that happens, which it can't while its child
    // stands on its stack.
    if std::thread::panicking() || joiner.block.cancel.load(Relaxed) != 0 {
        return false;
    }
    // SAFETY: the task is alive by the caller's reference. `stack_size` never changes.
    let promised = unsafe { child.as_ref() }.stack_size;
    let here = ptr::from_ref(&promised).addr();
    // SAFETY: only this OS thread touches the running thread's cells (`block`, invariant 4), and
    // the reference ends before they change.
    let stack = unsafe { (*joiner.stack.get()).as_ref() };
    // There is no room if the caller runs on another stack than its thread's, as a coroutine's body
    // does.
    let room = stack.and_then(|stack| stack.remaining(here)).unwrap_or(0);
    if room < promised + FRAMES {
        return false;
    }
    if core.inline_joins_left.get() == 0 && !yield_to_worker(core, joiner) {
        return false;
    }
    if !worker.take_back(child) {
        return false;
    }
    // SAFETY: the child was unstarted and was taken out of the deque. So it is alive, and this
    // worker owns it.
    let thread = unsafe { child.as_ref() };
    // This is not 0, since the loop renews it whenever the worker has its turn.
    core.inline_joins_left.set(core.inline_joins_left.get().wrapping_sub(1));
    core.switches.store(core.switches.load(Relaxed).wrapping_add(1), Relaxed);
    worker.register(thread);
    // SAFETY: both threads belong to this worker. The joiner is not suspended and in no list, since
    // it runs this function. The child is run once.
    unsafe {
        *thread.stack.get() = (*joiner.stack.get()).take();
        core.current.store(child.as_ptr(), Release);
        job::set_joiner(thread, joiner);
        (thread.run)(child, Start::Inline);
        core.current.store(ptr::from_ref(joiner).cast_mut(), Release);
        *joiner.stack.get() = (*thread.stack.get()).take();
    }
    worker.unregister(thread);
    true
}

/// Lets the worker tick, and the ready threads have a turn. Does nothing, and returns `false`, if
/// the joiner has thread-locals of its own, which the child must not see.
#[cold]
#[inline(never)]
fn yield_to_worker(core: &WorkerCore, joiner: &Task) -> bool {
    if core.has_own_tls() {
        return false;
    }
    core.budget.set(0);
    core.yield_now(joiner);
    true
}
