//! What a process sets up before a green thread runs, and what it does at its exit and at a fork.
//!
//! A forked child has one thread, the one that called `fork`. The parent's runtimes have no workers
//! there. So each runtime records its process (`sys::process::generation`), and refuses to work in
//! another.
//!
//! Every lock of which a process has one is listed here. The forking thread takes all of them, so
//! that no other thread holds one in the child, where nobody would unlock it.

use std::{io, sync::Once};

use super::panic_hook;
use crate::{
    scheduler::{registry::RUNTIMES, report::QUEUE},
    stack::{ARENA, overflow},
    sys::{
        process::{self, AtFork},
        tls,
    },
    task::{
        id,
        job::{self, WITHDRAWING},
        panic_count::SPARE,
        worker_core::{self, process_exits},
    },
};

/// Sets up what a process needs before a green thread runs. A later call does only what earlier
/// ones could not do.
pub(super) fn prepare() -> io::Result<()> {
    static EXIT: Once = Once::new();
    EXIT.call_once(|| process::at_exit(process_exits));
    process::at_fork(AtFork { before, after, child: forked })?;
    panic_hook::install();
    overflow::install(|fault| {
        let task = worker_core::get()?.running()?;
        // SAFETY: the stack of a running thread is set before the thread runs, and only its own OS
        // thread, which is the calling one, touches it until it ends.
        let stack = unsafe { (*task.stack.get()).as_ref() }?;
        stack.guard().contains(&fault).then(|| overflow::Victim {
            name: task.block.name.as_deref(),
            stack_size: stack.size(),
            location: task.location,
        })
    })
}

/// Takes every lock of which a process has one. No thread takes one of these while it holds
/// another, so their order does not matter.
fn before() {
    ARENA.before_fork();
    QUEUE.before_fork();
    SPARE.before_fork();
    WITHDRAWING.before_fork();
    RUNTIMES.before_fork();
    tls::before_fork();
}

fn after() {
    // SAFETY: one thread calls all handlers of a fork, so the calling thread took these locks in
    // `before`.
    unsafe {
        tls::after_fork();
        RUNTIMES.after_fork();
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
