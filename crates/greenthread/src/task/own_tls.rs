//! A green thread with thread-locals of its own.
//!
//! Its closure is wrapped in [`wrap`]: the thread starts as any other, the wrapper takes a block of
//! thread-locals, and has the closure run with it. Until the closure has returned and the values
//! have been destroyed, `WorkerCore::own_tls` has the bases of this block and of the worker. When
//! the thread is suspended, the worker's base is set, and the thread's own when it goes on
//! (`WorkerCore::leave_with_own_tls`). So nobody else knows of blocks, and no other thread pays for
//! them.
//!
//! Such a thread is to its values what an OS thread is. Therefore nothing that is not `Send` may
//! come to it from a sibling, or go to one: it is never local, spawns no local thread, and no
//! thread runs on its stack (`scheduler::inline_join`).
//!
//! Invariants:
//! 1. The closure, and all that it calls, is called by `Block::call` and not inlined into a
//!    function that runs with another base: a compiler may keep the address of a thread-local
//!    for the rest of a function.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    ptr,
    thread::Result,
};

use super::{
    cancel, locals,
    worker_core::{self, WorkerCore},
};
use crate::sys::{
    process,
    tls::{self, Block},
};

/// How many times the values of either kind are destroyed. A destructor of one kind may make values
/// of the other. With fewer rounds more of these are left for the next thread with the block; no
/// number is enough for destructors that go on for ever. POSIX has as many for values of one kind.
const ROUNDS: usize = 4;

/// Makes a closure run with thread-locals of its own.
///
/// # Errors
/// If that can't be had here.
pub(crate) fn wrap<F, T>(f: F) -> io::Result<impl FnOnce() -> T>
where
    F: FnOnce() -> T,
{
    tls::available()?;
    Ok(move || match Block::new() {
        Ok(block) => run(&block, f),
        // As for a thread that finds no stack.
        Err(error) => {
            drop(f);
            resume_unwind(Box::new(error))
        }
    })
}

/// A closure, and then its result.
struct Call<F, T> {
    core: *const WorkerCore,
    closure: Option<F>,
    result: Option<Result<T>>,
}

fn run<F, T>(block: &Block, f: F) -> T
where
    F: FnOnce() -> T,
{
    let core = worker_core::get().expect("a green thread has a worker");
    let mut call = Call { core: worker_core::raw(), closure: Some(f), result: None };
    core.set_own_tls(block.bases());
    // SAFETY: `within` gets the call that it was made for. It sets the bases when it waits, by
    // `leave_with_own_tls`. The block is new.
    unsafe { block.call(within::<F, T>, (&raw mut call).cast()) };
    core.set_own_tls(None);
    match call.result.take().expect("the closure has run") {
        Ok(result) => result,
        Err(payload) => resume_unwind(payload),
    }
}

/// Calls the closure, and destroys the thread's values.
unsafe extern "C" fn within<F, T>(call: *mut u8)
where
    F: FnOnce() -> T,
{
    // SAFETY: `run` passes its `Call`, which it does not use before this returns. The worker lives
    // while its threads run (`worker_core`, invariant 1).
    let (call, core) = unsafe {
        let call = &mut *call.cast::<Call<F, T>>();
        WorkerCore::install(call.core);
        (&mut *ptr::from_mut(call), &*call.core)
    };
    let closure = call.closure.take().expect("it is called once");
    call.result = Some(catch_unwind(AssertUnwindSafe(closure)));
    if worker_core::get().is_none() {
        // The thread has forked, and this is the child. There the worker's thread-locals are gone.
        process::leave();
    }
    let task = core.running().expect("a green thread runs");
    cancel::end(task);
    // SAFETY: the thread is at its end, and its own block is set.
    unsafe {
        for _ in 0..ROUNDS {
            locals::destroy(&task.locals);
            tls::destroy();
        }
        locals::destroy(&task.locals);
    }
}
