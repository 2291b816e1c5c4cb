//! How a thread begins on its worker: its stack, and its first steps on it.

use std::{
    io,
    ptr::{self, NonNull},
    sync::atomic::Ordering::Relaxed,
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

/// Gives an unstarted thread a stack, and room in the run queue for as many threads as there are
/// then. Returns the context, which is to be entered with the task's address as its argument.
///
/// # Safety
/// The home context of the worker whose core this is runs; the task is unstarted, alive, and the
/// caller's.
#[inline]
pub(super) unsafe fn prepare(core: &WorkerCore, task: NonNull<Task>) -> io::Result<Context> {
    // SAFETY: the caller vouches that the task is alive.
    let thread = unsafe { task.as_ref() };
    let started = core.started.get() + 1;
    // SAFETY: home runs on the worker's OS thread, and nobody else touches them (`worker_core`,
    // invariant 2).
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
    // SAFETY: the stack is the task's from here to its end; `entry` is given the task, alive until
    // it is reaped.
    unsafe {
        let context = context::init(stack.top(), entry);
        *thread.stack.get() = Some(stack);
        Ok(context)
    }
}

/// Where every green thread begins.
unsafe extern "C" fn entry(task: usize) -> ! {
    let task = NonNull::new(ptr::with_exposed_provenance_mut::<Task>(task))
        .expect("a thread is started with its task");
    let core = worker_core::get().expect("threads are started by a worker");
    core.current.store(task.as_ptr(), Relaxed);
    // SAFETY: started once, with the task that it belongs to; when `run` is back, nothing on this
    // stack is needed.
    unsafe {
        (task.as_ref().run)(task, Start::Own);
        if worker_core::get().is_none() {
            // It has forked this process, in which there is nobody else.
            process::leave();
        }
        core.end(task)
    }
}
