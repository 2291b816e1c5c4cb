//! A joiner runs its child by itself, if that has not started yet: it has nothing else to do, and its stack is hot.
//!
//! The child is a thread like any other, with its own block, name, number and fate; it only borrows the stack, of
//! which what is left must be as much as the child was promised. If it waits, both are suspended, which for the joiner is
//! what it came for. So only one of them is ever ready, and both count as one of the worker's started threads.
//!
//! Only the very thread that is joined may be run so: another one might wait for something that the joiner, buried
//! under it, would have to do. And only so many in a row: what is ready shall have its turn, and the worker a look
//! around.

use std::{
    ptr::{self, NonNull},
    sync::atomic::Ordering::Relaxed,
};

use super::worker;
use crate::task::{
    block::{BlockRef, Start, Task},
    job::{self, Handle},
    local::{self, Local},
};

/// How much stack the way from `join` to the child's closure takes at most, in bytes.
const FRAMES: usize = 4096;

/// What larger stacks have beyond what was promised, so that a chain of joiners can lend the same one. Only address space,
/// until it is used.
const SPARE: usize = 32 << 10;
const LARGER: usize = 256 << 10;

/// How much stack a thread gets that was promised so much.
#[inline]
pub(super) fn with_spare(size: usize) -> usize {
    if size >= LARGER { size + SPARE } else { size }
}

/// Waits for a thread's end; one that has not started is run here and now, if that can be.
#[inline]
pub(crate) fn join<T>(handle: Handle<T>) -> std::thread::Result<T> {
    if run_unstarted(&handle.block) {
        // SAFETY: it has run here.
        return unsafe { handle.collect() };
    }
    handle.join()
}

/// Called by who has the thread's handle. Whether it has run: then its own reference is the handle's.
#[inline]
fn run_unstarted(block: &BlockRef) -> bool {
    let child: NonNull<Task> = block.as_ptr().cast();
    // SAFETY: a joinable block is a task's, alive by the caller's reference; its end is atomic.
    if !unsafe { child.as_ref() }.end.load(Relaxed).is_null() {
        return false;
    }
    let Some(worker) = worker::current() else { return false };
    if std::thread::panicking() {
        return false;
    }
    // An exiting process and `without_yield` let nobody else run.
    let Some((local, joiner)) = local::current() else { return false };
    // SAFETY: alive by the caller's reference; what a thread was promised does not change.
    let promised = unsafe { child.as_ref() }.stack_size;
    let here = ptr::from_ref(&promised).addr();
    // SAFETY: the running thread's cells are this OS thread's, and nobody else looks meanwhile.
    let stack = unsafe { (*joiner.stack.get()).as_ref() };
    // A coroutine's body, say, runs on another stack than its thread's.
    let room = stack.and_then(|stack| stack.left(here)).unwrap_or(0);
    if room < promised + FRAMES {
        return false;
    }
    if worker.lends.get() == 0 {
        go_home(local, joiner);
    }
    if !worker.take_back(child) {
        return false;
    }
    // SAFETY: unstarted, and taken out of the queue: alive, and ours.
    let thread = unsafe { child.as_ref() };
    worker.lends.set(worker.lends.get().saturating_sub(1));
    local.switches.store(local.switches.load(Relaxed).wrapping_add(1), Relaxed);
    worker.adopt(thread);
    // SAFETY: both threads are this worker's. The joiner's context is not saved, and it is in no list: it waits for us.
    // The child is run once.
    unsafe {
        *thread.stack.get() = (*joiner.stack.get()).take();
        local.current.store(child.as_ptr(), Relaxed);
        job::lend(thread, joiner);
        (thread.run)(child, Start::Lent);
        local.current.store(ptr::from_ref(joiner).cast_mut(), Relaxed);
        *joiner.stack.get() = (*thread.stack.get()).take();
    }
    worker.discharge(thread);
    true
}

/// Lets the worker look around, and whoever is ready have a turn.
#[cold]
fn go_home(local: &Local, joiner: &Task) {
    local.budget.set(0);
    local.yield_now(joiner);
}
