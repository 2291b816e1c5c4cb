//! Operations on any descriptor: reading, writing, and its mode.
//!
//! Invariants:
//! 1. A `utsname` consists of arrays of characters. `uname` writes to nothing else.

use std::{
    io::{IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd},
    sync::LazyLock,
};

use rustix::{
    io::{Errno, ReadWriteFlags, ioctl_fionread, preadv2, pwritev2},
    pipe::fcntl_getpipe_size,
};

pub(crate) use super::super::unix::io::{
    close_may_wait, duplicate, ensure_nonblocking, is_nonblocking, nonblocking_mode, read, set_nonblocking,
    stderr, stdin, stdout, waits_until_readable, write,
};

use super::{
    super::unix::io as unix,
    error::{OsError, OsResult, is_refused},
};

/// The number of buffers that the kernel accepts in one call (`UIO_MAXIOV`).
pub(crate) const MAX_BUFFERS: usize = 1024;

/// Reads the available data without waiting, neither for a disk nor for another party. The data is
/// read at `offset`, or without one at the file's position, which then moves. The descriptor's mode
/// does not change, because other processes may have the descriptor open too.
///
/// # Errors
/// `WOULD_BLOCK` if the call would have to wait; `UNSUPPORTED` if only the plain call can tell;
/// otherwise the errors of the plain call.
#[inline]
pub(crate) fn read_now(file: impl AsFd, bufs: &mut [IoSliceMut<'_>], offset: Option<u64>) -> OsResult<usize> {
    match preadv2(file, bufs, checked(offset)?, ReadWriteFlags::NOWAIT) {
        Ok(0) if !*ZERO_IS_THE_END && bufs.iter().any(|buf| !buf.is_empty()) => Err(OsError::UNSUPPORTED),
        result => result.map_err(refused),
    }
}

/// Writes as much as is possible without waiting, in the same way as [`read_now`] reads.
///
/// # Errors
/// As for `read_now`.
#[inline]
pub(crate) fn write_now(file: impl AsFd, bufs: &[IoSlice<'_>], offset: Option<u64>) -> OsResult<usize> {
    pwritev2(file, bufs, checked(offset)?, ReadWriteFlags::NOWAIT).map_err(refused)
}

/// Writes to a descriptor that is ready. (Pipes have no call that does not wait before Linux 6.5.)
pub(crate) fn write_part(descriptor: BorrowedFd<'_>, bufs: &[IoSlice<'_>]) -> OsResult<usize> {
    // Of a pipe with data in it, the kernel does not say how much more it takes: the data may lie
    // in few pages or in many.
    let room = || {
        let is_empty = ioctl_fionread(descriptor).is_ok_and(|count| count == 0);
        is_empty.then(|| fcntl_getpipe_size(descriptor).ok()).flatten()
    };
    unix::write_part(descriptor, bufs, room)
}

/// Converts an offset for the kernel, for which the largest number means that there is none. No
/// file extends beyond the largest signed number.
#[inline]
fn checked(offset: Option<u64>) -> OsResult<u64> {
    match offset {
        None => Ok(u64::MAX),
        Some(offset) if offset <= i64::MAX as u64 => Ok(offset),
        Some(_) => Err(OsError::UNSUPPORTED),
    }
}

/// Maps all errors that refuse the call, the flag or the file to `UNSUPPORTED`. If the error means
/// something else, the plain call will report it again.
#[cold]
fn refused(error: Errno) -> OsError {
    if is_refused(error) { OsError::UNSUPPORTED } else { error.into() }
}

/// Whether a read of no bytes without waiting means the end of the file. Linux 5.9 and 5.10 return
/// 0 too early (preadv2(2), "BUGS"), and so may a kernel that does not say which it is.
static ZERO_IS_THE_END: LazyLock<bool> = LazyLock::new(|| {
    // `rustix` panics if a filter on system calls refuses the call.
    let mut name = MaybeUninit::<libc::utsname>::zeroed();
    // SAFETY: the call writes to the structure only, which is valid if it is zero (invariant 1).
    let (is_known, name) = unsafe { (libc::uname(name.as_mut_ptr()) == 0, name.assume_init()) };
    let release = name.release.map(|byte| byte as u8);
    is_known && !["5.9.", "5.10."].iter().any(|early| release.starts_with(early.as_bytes()))
});
