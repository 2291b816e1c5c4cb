//! The process as a whole.

use std::{os::fd::OwnedFd, process::Child};

pub(crate) use super::super::unix::process::{at_exit, at_fork, generation, leave};

use super::error::{OsError, OsResult};

/// Would return a descriptor that becomes readable when the child has ended. Two were rejected:
///
/// - A kqueue with `EVFILT_PROC` and `NOTE_EXIT`: the kernel reports the exit before the child can
///   be waited for (`proc_exit` in `bsd/kern/kern_exit.c`). A thread that finds the child still
///   running then waits for an event that has passed.
/// - A kqueue with `EVFILT_SIGNAL` and `SIGCHLD`: an event that nobody takes from the inner kqueue
///   hides the next one from the outer kqueue.
///
/// # Errors
/// Always. A thread of the pool waits for the child.
pub(crate) fn open_child(_: &Child) -> OsResult<OwnedFd> {
    Err(OsError::UNSUPPORTED)
}
