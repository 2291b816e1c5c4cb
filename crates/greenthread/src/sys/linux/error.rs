//! Why a system call has failed: Linux's numbers, and names for those that the library tells apart.

use std::{fmt, io};

use rustix::io::Errno;

/// An error of the system's.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct OsError(Errno);

/// What a system call gives.
pub(crate) type OsResult<T> = Result<T, OsError>;

impl OsError {
    /// The call would have to wait, and was asked not to.
    pub(crate) const WOULD_BLOCK: Self = Self(Errno::AGAIN);
    /// A signal has come before anything was done.
    pub(crate) const INTERRUPTED: Self = Self(Errno::INTR);
    /// The operation was cancelled.
    pub(crate) const CANCELED: Self = Self(Errno::CANCELED);
    /// The call can't be asked so; only the plain one can tell.
    pub(crate) const UNSUPPORTED: Self = Self(Errno::OPNOTSUPP);
    /// The poller can't wait for such a descriptor.
    pub(crate) const NOT_POLLABLE: Self = Self(Errno::PERM);
    /// There is no such path.
    pub(crate) const NOT_FOUND: Self = Self(Errno::NOENT);
    /// Nothing is open by this number.
    pub(crate) const BAD_DESCRIPTOR: Self = Self(Errno::BADF);
    /// What was asked for makes no sense there.
    pub(crate) const INVALID: Self = Self(Errno::INVAL);
    /// Nobody reads what is written.
    pub(crate) const BROKEN_PIPE: Self = Self(Errno::PIPE);
    /// The socket has no peer.
    pub(crate) const NOT_CONNECTED: Self = Self(Errno::NOTCONN);
    /// The process has no descriptor left.
    pub(crate) const PROCESS_DESCRIPTORS: Self = Self(Errno::MFILE);
    /// The system has no descriptor left.
    pub(crate) const SYSTEM_DESCRIPTORS: Self = Self(Errno::NFILE);
    /// There is no memory.
    pub(crate) const OUT_OF_MEMORY: Self = Self(Errno::NOMEM);
    /// To wait for that would be to wait for oneself.
    pub(crate) const DEADLOCK: Self = Self(Errno::DEADLK);
    /// In place of an error that is none of the system's.
    pub(crate) const OTHER: Self = Self(Errno::IO);

    /// The system's error in std's, if there is one in it.
    #[inline]
    pub(crate) fn of(error: &io::Error) -> Option<Self> {
        Errno::from_io_error(error).map(Self)
    }

    /// The number by which `io::Error::from_raw_os_error` knows it. Never 0.
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

/// Whether an optional call was refused as such: the kernel doesn't know it, or a flag of it, or a
/// filter forbids it. What filters answer is up to those who write them. Such an answer says
/// nothing about what was asked for: the plain call does it, or says why not.
#[inline]
pub(super) fn is_refused(error: Errno) -> bool {
    matches!(error, Errno::NOSYS | Errno::PERM | Errno::ACCESS | Errno::OPNOTSUPP | Errno::INVAL)
}
