//! What must be so in a process before a green thread runs, and what is done when the process exits or forks.
//!
//! A child that was forked has one thread, the one that has called `fork`. Runtimes of the parent have no workers there, so
//! each says which process it belongs to (`sys::process::generation`), and refuses others.
//!
//! Each lock that there is once in a process is listed here: the forking thread takes all of them, so that none is
//! left locked in the child.

use std::{io, sync::Once};

use super::panic_hook;
use crate::{
    scheduler::report::QUEUE,
    stack::{ARENA, overflow},
    sys::process::{self, AtFork},
    task::{
        id,
        job::{self, WITHDRAWING},
        panic_count::SPARE,
        worker_core::{self, process_exits},
    },
};

/// What must be so in a process before a green thread runs.
pub(super) fn prepare() -> io::Result<()> {
    static EXIT: Once = Once::new();
    EXIT.call_once(|| process::at_exit(process_exits));
    process::at_fork(AtFork { before, after, child: forked })?;
    panic_hook::install();
    overflow::install(|fault| {
        let task = worker_core::get()?.running()?;
        // SAFETY: the running thread's stack is its own, and set before it runs; we are on its OS thread.
        let stack = unsafe { (*task.stack.get()).as_ref() }?;
        stack.guard().contains(&fault).then(|| overflow::Victim {
            name: task.block.name.as_deref(),
            stack_size: stack.size(),
            location: task.location,
        })
    })
}

/// The locks that there are once in a process. Nobody has one of them and takes another.
fn before() {
    ARENA.before_fork();
    QUEUE.before_fork();
    SPARE.before_fork();
    WITHDRAWING.before_fork();
}

fn after() {
    // SAFETY: the handlers of one fork are called by one thread.
    unsafe {
        WITHDRAWING.after_fork();
        SPARE.after_fork();
        QUEUE.after_fork();
        ARENA.after_fork();
    }
}

fn forked() {
    id::forked();
    job::forked();
    worker_core::forked();
}
