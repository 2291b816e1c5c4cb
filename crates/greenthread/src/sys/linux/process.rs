//! The process as a whole.

use core::sync::atomic::{
    AtomicU32,
    Ordering::{Relaxed, SeqCst},
};
use std::{io, os::fd::OwnedFd, process::Child, sync::OnceLock};

use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::{super::fork::AtFork, error::OsResult};

/// Calls `f` when the process exits by `exit`. Too many such calls (32 are sure) and this one is
/// left out: it only makes the exit more orderly.
pub(crate) fn at_exit(f: extern "C" fn()) {
    // SAFETY: `f` is a function without arguments that does not unwind.
    unsafe { libc::atexit(f) };
}

/// A descriptor that becomes readable when the child has ended.
///
/// # Errors
/// There is none to be had: a kernel before 5.3, a filter, or no descriptor left.
pub(crate) fn open_child(child: &Child) -> OsResult<OwnedFd> {
    Ok(pidfd_open(Pid::from_child(child), PidfdFlags::empty())?)
}

/// Ends the process as a `main` that returns does.
pub(crate) fn leave() -> ! {
    std::process::exit(0)
}

/// How many forks have made this process from the one that called [`at_fork`] first.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// A number that differs between a process and those that it forks. One relaxed load.
///
/// A child that `vfork`, `clone` or `_Fork` makes has its parent's number: those don't run the
/// handlers. `vfork`'s may only call `exec`; the others are for programs that do without the C
/// library's threads.
#[inline]
pub(crate) fn generation() -> u32 {
    GENERATION.load(Relaxed)
}

/// Registers what is done around forks. Once in a process; later calls do nothing.
///
/// # Errors
/// There is no memory for it.
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
    // Not in the crate `libc` for Linux.
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
    // SAFETY: functions that do not unwind.
    match unsafe { pthread_atfork(Some(before), Some(parent), Some(child)) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}
