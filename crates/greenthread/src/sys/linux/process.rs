//! The process as a whole.

use std::{os::fd::OwnedFd, process::Child};

use rustix::process::{Pid, PidfdFlags, pidfd_open};

pub(crate) use super::super::unix::process::{at_exit, at_fork, generation, leave};

use super::error::OsResult;

/// Returns a descriptor that becomes readable when the child has ended.
///
/// # Errors
/// An error before Linux 5.3, if a filter forbids the call, or if no descriptor is left.
pub(crate) fn open_child(child: &Child) -> OsResult<OwnedFd> {
    Ok(pidfd_open(Pid::from_child(child), PidfdFlags::empty())?)
}
