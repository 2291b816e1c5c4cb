//! The process as a whole. Windows has no forks.

use core::ffi::c_int;
use std::{io, process::Child};

use super::{
    super::fork::AtFork,
    error::{OsError, OsResult},
    fd::OwnedFd,
};

unsafe extern "C" {
    fn atexit(f: extern "C" fn()) -> c_int;
}

/// Registers `f` to be called when `main` returns. A program that calls `std::process::exit` ends
/// all other OS threads at once, and then nothing is left to be told.
pub(crate) fn at_exit(f: extern "C" fn()) {
    // SAFETY: `f` is a function without arguments that does not unwind.
    unsafe { atexit(f) };
}

/// Ends the process as a `main` that returns does.
pub(crate) fn leave() -> ! {
    std::process::exit(0)
}

/// Returns a number that differs between a process and the processes that it forks. There are none.
#[inline]
pub(crate) fn generation() -> u32 {
    0
}

/// Does nothing, since the process never forks.
pub(crate) fn at_fork(_: AtFork) -> io::Result<()> {
    Ok(())
}

/// Fails: a handle of a process cannot be waited for like a socket.
///
/// # Errors
/// `UNSUPPORTED`.
pub(crate) fn open_child(_: &Child) -> OsResult<OwnedFd> {
    Err(OsError::UNSUPPORTED)
}
