//! Operations on any descriptor: reading, writing, and its mode.
//!
//! Invariants:
//! 1. A `utsname` consists of arrays of characters. `uname` writes to nothing else.

use std::{
    io::{IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    sync::LazyLock,
};

use rustix::{
    fs::{CWD, Mode, OFlags, fcntl_getfl, openat},
    io::{ReadWriteFlags, preadv2, pwritev2},
};

pub(crate) use super::super::unix::io::{
    close_may_wait, duplicate, ensure_nonblocking, is_nonblocking, nonblocking_mode, read, set_nonblocking,
    stderr, stdin, stdout, waits_until_readable, write, write_part,
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
    match preadv2(&file, bufs, checked(offset)?, ReadWriteFlags::NOWAIT) {
        Ok(0) if !*ZERO_IS_THE_END && bufs.iter().any(|buf| !buf.is_empty()) => Err(OsError::UNSUPPORTED),
        Err(error) if is_refused(error) => {
            read(open_pipe(file.as_fd(), OFlags::RDONLY, offset)?.as_fd(), bufs)
        }
        result => Ok(result?),
    }
}

/// Writes as much as is possible without waiting, in the same way as [`read_now`] reads.
///
/// # Errors
/// As for `read_now`.
#[inline]
pub(crate) fn write_now(file: impl AsFd, bufs: &[IoSlice<'_>], offset: Option<u64>) -> OsResult<usize> {
    match pwritev2(&file, bufs, checked(offset)?, ReadWriteFlags::NOWAIT) {
        Err(error) if is_refused(error) => {
            write(open_pipe(file.as_fd(), OFlags::WRONLY, offset)?.as_fd(), bufs)
        }
        result => Ok(result?),
    }
}

/// Opens a pipe a second time, in non-blocking mode, which the first open file does not share: the
/// kernel lets a pipe be opened by the name of a descriptor (proc_pid_fd(5)). FIFOs, and before
/// Linux 6.5 all pipes, have no other call that does not wait.
///
/// # Errors
/// `UNSUPPORTED` if it is not a pipe, which has no offset; if it is in packet mode, which the new
/// open file would not share either; if it can't be opened: there is no `/proc`, or the pipe is
/// another user's. If an error means something else, the plain call will report it again.
#[cold]
fn open_pipe(file: BorrowedFd<'_>, access: OFlags, offset: Option<u64>) -> OsResult<OwnedFd> {
    let is_pipe = offset.is_none() && unix::is_pipe(file);
    let allows = |flags: OFlags| {
        [access, OFlags::RDWR].contains(&(flags & OFlags::ACCMODE)) && !flags.contains(OFlags::DIRECT)
    };
    if !is_pipe || !fcntl_getfl(file).is_ok_and(allows) {
        return Err(OsError::UNSUPPORTED);
    }
    // Of this OS thread, which may have a table of descriptors of its own.
    let name = format!("/proc/thread-self/fd/{}", file.as_raw_fd());
    let flags = access | OFlags::NONBLOCK | OFlags::CLOEXEC;
    openat(CWD, name, flags, Mode::empty()).map_err(|_| OsError::UNSUPPORTED)
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
