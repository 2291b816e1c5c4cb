//! How a thread begins on its worker: its stack, and its first steps on it.

use std::{
    io,
    ptr::{self, NonNull},
    sync::atomic::Ordering::Release,
};

use greenthread_context::{self as context, Context};

use crate::{
    stack,
    sys::{memory::exhausted, process},
    task::{
        block::{Start, Task},
        worker_core::{self, WorkerCore},
    },
};

/// Gives an unstarted thread a stack, and the run queue room for one more thread. Returns the
/// thread's context, which the caller enters with the task's address as the argument.
///
/// # Safety
/// The home context of the worker whose core this is runs. The task is unstarted and alive, and the
/// caller owns it.
#[inline]
pub(super) unsafe fn prepare(core: &WorkerCore, task: NonNull<Task>) -> io::Result<Context> {
    // SAFETY: the caller vouches that the task is alive.
    let thread = unsafe { task.as_ref() };
    let started = core.started.get() + 1;
    // SAFETY: home runs on the worker's OS thread, and no other one touches the stacks
    // (`worker_core`, invariant 2).
    let stacks = unsafe { &mut *core.stacks.get() };
    let size = stack::with_spare(thread.stack_size);
    let stack = stacks.take(size).or_else(|_| {
        stacks.flush();
        stacks.take(size)
    })?;
    if !core.reserve(started) {
        stacks.put(stack);
        return Err(exhausted(format_args!(
            "no memory for the run queue of {started} green threads; spawn fewer threads"
        )));
    }
    // SAFETY: the stack belongs to the task until its end. `entry` gets the task, which is alive
    // until it is reaped.
    unsafe {
        let context = context::init(stack.bounds(), entry);
        *thread.stack.get() = Some(stack);
        Ok(context)
    }
}

/// The first function on every green thread's own stack.
unsafe extern "C" fn entry(task: usize) -> ! {
    let task = NonNull::new(ptr::with_exposed_provenance_mut::<Task>(task))
        .expect("a thread is started with its task");
    let core = worker_core::get().expect("threads are started by a worker");
    core.current.store(task.as_ptr(), Release);
    // SAFETY: the task is started once, and `run` came with it. When `run` has returned, nothing on
    // this stack is needed.
    unsafe {
        (task.as_ref().run)(task, Start::Own);
        if worker_core::get().is_none() {
            // The thread has forked, and this is the child, which has no other thread.
            process::leave();
        }
        if let Some(stack) = &*task.as_ref().stack.get() {
            stack.leave();
        }
        core.end(task)
    }
}
