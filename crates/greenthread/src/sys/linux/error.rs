//! Errors of system calls, and the errors that refuse a call of Linux.

use rustix::io::Errno;

pub(crate) use super::super::unix::error::{OsError, OsResult};

/// Returns whether the error refuses an optional call as such: the kernel does not know the call or
/// one of its flags, or a filter forbids it. (Each filter chooses its own error.) Such an error
/// says nothing about the request itself. The plain call carries the request out, or reports the
/// reason why not.
#[inline]
pub(super) fn is_refused(error: Errno) -> bool {
    matches!(error, Errno::NOSYS | Errno::PERM | Errno::ACCESS | Errno::OPNOTSUPP | Errno::INVAL)
}
