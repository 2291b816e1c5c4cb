//! Errors of system calls: Windows's error codes, and names for the errors that the library
//! distinguishes.

use std::{fmt, io};

use windows_sys::Win32::{
    Foundation::{
        ERROR_BROKEN_PIPE, ERROR_COMMITMENT_LIMIT, ERROR_FILE_NOT_FOUND, ERROR_GEN_FAILURE,
        ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NO_DATA, ERROR_NOT_ENOUGH_MEMORY,
        ERROR_NOT_SUPPORTED, ERROR_OPERATION_ABORTED, ERROR_OUTOFMEMORY, ERROR_PATH_NOT_FOUND,
        ERROR_POSSIBLE_DEADLOCK, ERROR_TOO_MANY_OPEN_FILES,
    },
    Networking::WinSock::{
        WSAEINTR, WSAEINVAL, WSAEMFILE, WSAENOBUFS, WSAENOTCONN, WSAENOTSOCK, WSAESHUTDOWN, WSAEWOULDBLOCK,
    },
};

/// An error of a system call.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct OsError(i32);

/// The result of a system call.
pub(crate) type OsResult<T> = Result<T, OsError>;

impl OsError {
    /// The call would have to wait, and was asked not to.
    pub(crate) const WOULD_BLOCK: Self = Self(WSAEWOULDBLOCK);
    /// The call was interrupted before it had done anything.
    pub(crate) const INTERRUPTED: Self = Self(WSAEINTR);
    /// The operation was cancelled.
    pub(crate) const CANCELED: Self = Self(ERROR_OPERATION_ABORTED as i32);
    /// The call cannot be made in this way. Only the plain call can tell.
    pub(crate) const UNSUPPORTED: Self = Self(ERROR_NOT_SUPPORTED as i32);
    /// The poller cannot wait for such a descriptor.
    pub(crate) const NOT_POLLABLE: Self = Self(WSAENOTSOCK);
    /// There is no such path.
    pub(crate) const NOT_FOUND: Self = Self(ERROR_FILE_NOT_FOUND as i32);
    /// The handle is not open.
    pub(crate) const BAD_DESCRIPTOR: Self = Self(ERROR_INVALID_HANDLE as i32);
    /// The arguments do not make sense for this object.
    pub(crate) const INVALID: Self = Self(WSAEINVAL);
    /// All readers are gone.
    pub(crate) const BROKEN_PIPE: Self = Self(ERROR_BROKEN_PIPE as i32);
    /// The socket has no peer.
    pub(crate) const NOT_CONNECTED: Self = Self(WSAENOTCONN);
    /// The process has no descriptor left.
    pub(crate) const PROCESS_DESCRIPTORS: Self = Self(WSAEMFILE);
    /// The system has no descriptor left.
    pub(crate) const SYSTEM_DESCRIPTORS: Self = Self(ERROR_TOO_MANY_OPEN_FILES as i32);
    /// The system has no memory left.
    pub(crate) const OUT_OF_MEMORY: Self = Self(ERROR_NOT_ENOUGH_MEMORY as i32);
    /// The caller would wait for itself.
    pub(crate) const DEADLOCK: Self = Self(ERROR_POSSIBLE_DEADLOCK as i32);
    /// Stands for an error that does not come from the system.
    pub(crate) const OTHER: Self = Self(ERROR_GEN_FAILURE as i32);

    /// Returns the system's error in std's error, if there is one. Errors that mean the same become
    /// one.
    pub(crate) fn of(error: &io::Error) -> Option<Self> {
        error.raw_os_error().map(Self::from_code)
    }

    /// Converts a code of Windows or of its sockets.
    pub(super) fn from_code(code: i32) -> Self {
        const NO_DATA: i32 = ERROR_NO_DATA as i32;
        const OTHER_MEMORY: i32 = ERROR_OUTOFMEMORY as i32;
        const COMMITMENT: i32 = ERROR_COMMITMENT_LIMIT as i32;
        const PATH: i32 = ERROR_PATH_NOT_FOUND as i32;
        const PARAMETER: i32 = ERROR_INVALID_PARAMETER as i32;
        match code {
            0 => Self::OTHER,
            // A socket that was shut down for writing, and a pipe without a reader.
            WSAESHUTDOWN | NO_DATA => Self::BROKEN_PIPE,
            WSAENOBUFS | OTHER_MEMORY | COMMITMENT => Self::OUT_OF_MEMORY,
            PATH => Self::NOT_FOUND,
            PARAMETER => Self::INVALID,
            code => Self(code),
        }
    }

    /// Returns the error of the last call of the calling OS thread.
    pub(super) fn last() -> Self {
        Self::from(io::Error::last_os_error())
    }

    /// Returns the number for `io::Error::from_raw_os_error`. Never 0.
    #[inline]
    pub(crate) fn number(self) -> i32 {
        self.0
    }
}

impl From<io::Error> for OsError {
    fn from(error: io::Error) -> Self {
        Self::of(&error).unwrap_or(match error.kind() {
            io::ErrorKind::InvalidInput => Self::INVALID,
            _ => Self::OTHER,
        })
    }
}

impl From<OsError> for io::Error {
    #[inline]
    fn from(error: OsError) -> Self {
        Self::from_raw_os_error(error.0)
    }
}

impl fmt::Debug for OsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        io::Error::from(*self).fmt(f)
    }
}
