//! A joiner runs its child by itself, if that has not started yet: it has nothing else to do, and
//! its stack is hot.
//!
//! The child is a thread like any other, with its own block, name, number and fate. It only borrows
//! the stack, of which as much as the child was promised must be left. If the child waits, both are
//! suspended, which for the joiner is what it came for. So only one of them is ever ready, and both
//! count as one of the worker's started threads.
//!
//! Only the very thread that is joined may be run so: another one might wait for something that the
//! joiner, below it on the stack, would have to do. And only so many in a row
//! ([`MAX_INLINE_JOINS`](super::policy::MAX_INLINE_JOINS)): what is ready has its turn, and the
//! worker its tick.

use std::{
    ptr::{self, NonNull},
    sync::atomic::Ordering::Relaxed,
};

use super::worker;
use crate::task::{
    block::{BlockRef, Start, Task},
    job::{self, Handle},
    worker_core::WorkerCore,
};

/// How much stack the way from `join` to the child's closure takes at most, in bytes.
const FRAMES: usize = 4096;

/// Waits for a thread's end; one that has not started is run here and now, if that can be.
#[inline]
pub(crate) fn join<T>(handle: Handle<T>) -> std::thread::Result<T> {
    if run_unstarted(&handle.block) {
        // SAFETY: it has run here.
        return unsafe { handle.collect() };
    }
    handle.join()
}

/// Runs the thread of a handle that the caller has, if it can be run here. Whether it has run: then
/// its own reference is the handle's.
#[inline]
fn run_unstarted(block: &BlockRef) -> bool {
    let child: NonNull<Task> = block.as_ptr().cast();
    // SAFETY: a joinable block is a task's, alive by the caller's reference; its end is atomic.
    if !unsafe { child.as_ref() }.end.load(Relaxed).is_null() {
        return false;
    }
    // An exiting process and `without_yield` let nobody else run.
    let Some((worker, joiner)) = worker::running() else { return false };
    let core = &worker.core;
    if std::thread::panicking() {
        return false;
    }
    // SAFETY: alive by the caller's reference; what a thread was promised does not change.
    let promised = unsafe { child.as_ref() }.stack_size;
    let here = ptr::from_ref(&promised).addr();
    // SAFETY: the running thread's cells are this OS thread's, and nobody else looks meanwhile.
    let stack = unsafe { (*joiner.stack.get()).as_ref() };
    // A coroutine's body, say, runs on another stack than its thread's.
    let room = stack.and_then(|stack| stack.remaining(here)).unwrap_or(0);
    if room < promised + FRAMES {
        return false;
    }
    if worker.inline_joins_left.get() == 0 {
        yield_to_worker(core, joiner);
    }
    if !worker.take_back(child) {
        return false;
    }
    // SAFETY: unstarted, and taken out of the queue: alive, and ours.
    let thread = unsafe { child.as_ref() };
    // Not 0: the loop renews it whenever the worker has its turn.
    worker.inline_joins_left.set(worker.inline_joins_left.get().wrapping_sub(1));
    core.switches.store(core.switches.load(Relaxed).wrapping_add(1), Relaxed);
    worker.register(thread);
    // SAFETY: both threads are this worker's. The joiner's context is not saved, and it is in no
    // list: it waits for us. The child is run once.
    unsafe {
        *thread.stack.get() = (*joiner.stack.get()).take();
        core.current.store(child.as_ptr(), Relaxed);
        job::set_joiner(thread, joiner);
        (thread.run)(child, Start::Inline);
        core.current.store(ptr::from_ref(joiner).cast_mut(), Relaxed);
        *joiner.stack.get() = (*thread.stack.get()).take();
    }
    worker.unregister(thread);
    true
}

/// Lets the worker tick, and whoever is ready have a turn.
#[cold]
fn yield_to_worker(core: &WorkerCore, joiner: &Task) {
    core.budget.set(0);
    core.yield_now(joiner);
}
