//! The process as a whole.

use core::sync::atomic::{
    AtomicU32,
    Ordering::{Relaxed, SeqCst},
};
use std::{io, sync::OnceLock};

use super::super::fork::AtFork;

/// Registers `f` to be called when the process exits by `exit`. If too many functions are
/// registered (32 are guaranteed), this one is dropped. That is acceptable, because it only makes
/// the exit more orderly.
pub(crate) fn at_exit(f: extern "C" fn()) {
    // SAFETY: `f` is a function without arguments that does not unwind.
    unsafe { libc::atexit(f) };
}

/// Ends the process as a `main` that returns does.
pub(crate) fn leave() -> ! {
    std::process::exit(0)
}

/// The number of forks between the process that called [`at_fork`] first and this process.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// Returns a number that differs between a process and the processes that it forks. Costs one
/// relaxed load.
///
/// A child made by `vfork`, or by Linux's `clone` or `_Fork`, has its parent's number, because
/// these calls do not run the handlers. A child of `vfork` may only call `exec`. The other two are
/// for programs that do not use the C library's threads.
#[inline]
pub(crate) fn generation() -> u32 {
    GENERATION.load(Relaxed)
}

/// Registers the functions that run around forks. Only the first call in a process has an effect.
///
/// # Errors
/// An error if there is no memory for the registration.
pub(crate) fn at_fork(what: AtFork) -> io::Result<()> {
    static WHAT: OnceLock<AtFork> = OnceLock::new();
    extern "C" fn before() {
        if let Some(what) = WHAT.get() {
            (what.before)();
        }
    }
    extern "C" fn parent() {
        if let Some(what) = WHAT.get() {
            (what.after)();
        }
    }
    extern "C" fn child() {
        GENERATION.fetch_add(1, SeqCst);
        if let Some(what) = WHAT.get() {
            (what.after)();
            (what.child)();
        }
    }
    // The crate `libc` does not declare this function for every system.
    unsafe extern "C" {
        fn pthread_atfork(
            before: Option<extern "C" fn()>,
            parent: Option<extern "C" fn()>,
            child: Option<extern "C" fn()>,
        ) -> libc::c_int;
    }
    if WHAT.set(what).is_err() {
        return Ok(());
    }
    // SAFETY: the three functions live as long as the process, and do not unwind.
    match unsafe { pthread_atfork(Some(before), Some(parent), Some(child)) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}
