//! Errors of system calls: the system's error numbers, and names for the errors that the library
//! distinguishes.

use std::{fmt, io};

use rustix::io::Errno;

/// An error of a system call.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct OsError(Errno);

/// The result of a system call.
pub(crate) type OsResult<T> = Result<T, OsError>;

impl OsError {
    /// The call would have to wait, and was asked not to.
    pub(crate) const WOULD_BLOCK: Self = Self(Errno::AGAIN);
    /// A signal arrived before the call had done anything.
    pub(crate) const INTERRUPTED: Self = Self(Errno::INTR);
    /// The operation was cancelled.
    pub(crate) const CANCELED: Self = Self(Errno::CANCELED);
    /// The call cannot be made in this way. Only the plain call can tell.
    pub(crate) const UNSUPPORTED: Self = Self(Errno::OPNOTSUPP);
    /// The poller cannot wait for such a descriptor.
    pub(crate) const NOT_POLLABLE: Self = Self(Errno::PERM);
    /// There is no such path.
    pub(crate) const NOT_FOUND: Self = Self(Errno::NOENT);
    /// The number is not that of an open descriptor.
    pub(crate) const BAD_DESCRIPTOR: Self = Self(Errno::BADF);
    /// The arguments do not make sense for this object.
    pub(crate) const INVALID: Self = Self(Errno::INVAL);
    /// All readers are gone.
    pub(crate) const BROKEN_PIPE: Self = Self(Errno::PIPE);
    /// The socket has no peer.
    pub(crate) const NOT_CONNECTED: Self = Self(Errno::NOTCONN);
    /// The process has no descriptor left.
    pub(crate) const PROCESS_DESCRIPTORS: Self = Self(Errno::MFILE);
    /// The system has no descriptor left.
    pub(crate) const SYSTEM_DESCRIPTORS: Self = Self(Errno::NFILE);
    /// The system has no memory left.
    pub(crate) const OUT_OF_MEMORY: Self = Self(Errno::NOMEM);
    /// The caller would wait for itself.
    pub(crate) const DEADLOCK: Self = Self(Errno::DEADLK);
    /// Stands for an error that does not come from the system.
    pub(crate) const OTHER: Self = Self(Errno::IO);

    /// Returns the system's error in std's error, if there is one.
    #[inline]
    pub(crate) fn of(error: &io::Error) -> Option<Self> {
        Errno::from_io_error(error).map(Self)
    }

    /// Returns the number for `io::Error::from_raw_os_error`. Never 0.
    #[inline]
    pub(crate) fn number(self) -> i32 {
        self.0.raw_os_error()
    }
}

impl From<Errno> for OsError {
    #[inline]
    fn from(error: Errno) -> Self {
        Self(error)
    }
}

impl From<OsError> for io::Error {
    #[inline]
    fn from(error: OsError) -> Self {
        error.0.into()
    }
}

impl fmt::Debug for OsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
