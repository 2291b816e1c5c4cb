//! What there is once in a process: the default runtime, and what is done when the process exits or forks.
//!
//! A child that was forked has one thread, the one that has called `fork`. Runtimes of the parent have no workers there, so
//! each says which process it belongs to ([`generation`]), and refuses others. The default one is made anew.
//!
//! Invariants:
//! 1. `DEFAULT` is null or points to a `Default` that is never freed.

use core::{
    ptr,
    sync::atomic::{
        AtomicPtr,
        Ordering::{AcqRel, Acquire},
    },
};
use std::{
    io,
    sync::{Mutex, Once, OnceLock, PoisonError},
};

use super::{Runtime, panic_hook};
use crate::{
    scheduler::{report::QUEUE, shared::Shared},
    stack::{ARENA, overflow},
    sys::process::{self, AtFork, generation},
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

/// The default runtime of one process.
struct Default {
    generation: u32,
    runtime: OnceLock<Runtime>,
    starting: Mutex<()>,
}

static DEFAULT: AtomicPtr<Default> = AtomicPtr::new(ptr::null_mut());

impl Default {
    /// This process's.
    fn get() -> &'static Self {
        let seen = DEFAULT.load(Acquire);
        // SAFETY: invariant 1.
        match unsafe { seen.as_ref() } {
            Some(this) if this.generation == generation() => this,
            _ => Self::new(seen),
        }
    }

    /// In place of none, or of the parent's, which stays as it is: its lock may be held for ever.
    #[cold]
    fn new(seen: *mut Self) -> &'static Self {
        let new = Self { generation: generation(), runtime: OnceLock::new(), starting: Mutex::new(()) };
        let new = Box::into_raw(Box::new(new));
        match DEFAULT.compare_exchange(seen, new, AcqRel, Acquire) {
            // SAFETY: invariant 1: nobody frees it.
            Ok(_) => unsafe { &*new },
            Err(other) => {
                // SAFETY: ours, and nobody has seen it.
                drop(unsafe { Box::from_raw(new) });
                // SAFETY: invariant 1; another thread of this process has put it there.
                unsafe { &*other }
            }
        }
    }
}

/// The default runtime; it starts when it is first asked for.
pub(crate) fn default() -> io::Result<&'static Shared> {
    let this = Default::get();
    if this.runtime.get().is_none() {
        let _one = this.starting.lock().unwrap_or_else(PoisonError::into_inner);
        if this.runtime.get().is_none() {
            // A failure is not kept: the next try may have what this one lacked.
            let runtime = Runtime::builder().build()?;
            this.runtime.set(runtime).expect("one OS thread at a time starts it");
        }
    }
    Ok(&this.runtime.get().expect("just started").shared)
}
