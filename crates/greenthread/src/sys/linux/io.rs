//! Operations on any descriptor: reading, writing, and its mode.

use std::{
    io::{IoSlice, IoSliceMut},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::LazyLock,
};

pub(crate) use rustix::stdio::{stderr, stdin, stdout};
use rustix::{
    fs::{FileType, OFlags, fcntl_getfl, fcntl_setfl, fstat},
    io::{Errno, ReadWriteFlags, fcntl_dupfd_cloexec, ioctl_fionbio, preadv2, pwritev2, readv, writev},
    net::sockopt::socket_linger,
    process::getpgrp,
    termios::{LocalModes, SpecialCodeIndex, tcgetattr, tcgetpgrp},
};

use super::error::{OsError, OsResult, is_refused};

/// The number of buffers that the kernel accepts in one call (`UIO_MAXIOV`).
pub(crate) const MAX_BUFFERS: usize = 1024;

/// Reads. Blocks if the descriptor is in blocking mode.
#[inline]
pub(crate) fn read(descriptor: BorrowedFd<'_>, buffers: &mut [IoSliceMut<'_>]) -> OsResult<usize> {
    Ok(match buffers {
        [one] => rustix::io::read(descriptor, &mut **one)?,
        all => readv(descriptor, all)?,
    })
}

/// Writes. Blocks if the descriptor is in blocking mode.
#[inline]
pub(crate) fn write(descriptor: BorrowedFd<'_>, buffers: &[IoSlice<'_>]) -> OsResult<usize> {
    Ok(match buffers {
        [one] => rustix::io::write(descriptor, one)?,
        all => writev(descriptor, all)?,
    })
}

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
/// 0 too early (preadv2(2), "BUGS").
static ZERO_IS_THE_END: LazyLock<bool> = LazyLock::new(|| {
    let name = rustix::system::uname();
    !["5.9.", "5.10."].iter().any(|early| name.release().to_bytes().starts_with(early.as_bytes()))
});

/// Returns whether the descriptor is in non-blocking mode. The kernel is asked each time, because
/// any process that has the descriptor open may have changed the mode.
///
/// # Errors
/// An error if the kernel refuses to tell.
#[inline]
pub(crate) fn nonblocking_mode(descriptor: impl AsFd) -> OsResult<bool> {
    Ok(fcntl_getfl(descriptor)?.contains(OFlags::NONBLOCK))
}

/// As `nonblocking_mode`, but returns `false` if the kernel refuses to tell.
#[inline]
pub(crate) fn is_nonblocking(descriptor: impl AsFd) -> bool {
    nonblocking_mode(descriptor).unwrap_or(false)
}

/// Sets the mode, which all processes that have the descriptor open share.
#[inline]
pub(crate) fn set_nonblocking(descriptor: impl AsFd, nonblocking: bool) -> OsResult<()> {
    Ok(ioctl_fionbio(descriptor, nonblocking)?)
}

/// Puts a descriptor into non-blocking mode. There are two calls for that, and the second is tried
/// if the first fails: the failure of one says nothing about the descriptor.
#[inline]
pub(crate) fn ensure_nonblocking(descriptor: impl AsFd) -> OsResult<()> {
    let descriptor = descriptor.as_fd();
    let second = |_| fcntl_setfl(descriptor, fcntl_getfl(descriptor)? | OFlags::NONBLOCK);
    Ok(ioctl_fionbio(descriptor, true).or_else(second)?)
}

/// Returns whether a read returns as soon as there is data, and for no other reason. A terminal may
/// be set to return no data after a time, or to wait for several bytes. A read in the background
/// stops the process.
pub(crate) fn waits_until_readable(descriptor: BorrowedFd<'_>) -> bool {
    let Ok(settings) = tcgetattr(descriptor) else { return true };
    let (least, time) = (SpecialCodeIndex::VMIN, SpecialCodeIndex::VTIME);
    let (least, time) = (settings.special_codes[least], settings.special_codes[time]);
    let by_bytes = least == 1 || least > 1 && time > 0;
    let in_background = tcgetpgrp(descriptor).is_ok_and(|group| group != getpgrp());
    (settings.local_modes.contains(LocalModes::ICANON) || by_bytes) && !in_background
}

/// Returns another descriptor for the same open file, which no child process inherits.
///
/// # Errors
/// An error if the process has no descriptor left.
#[inline]
pub(crate) fn duplicate(descriptor: BorrowedFd<'_>) -> OsResult<OwnedFd> {
    Ok(fcntl_dupfd_cloexec(descriptor, 0)?)
}

/// Returns whether closing the descriptor may wait without limit.
pub(crate) fn close_may_wait(descriptor: &OwnedFd) -> bool {
    match socket_linger(descriptor) {
        Ok(linger) => linger.is_some_and(|linger| !linger.is_zero()),
        // A serial line waits until its output is sent, and a network file system waits for the
        // network.
        Err(Errno::NOTSOCK) => fstat(descriptor.as_fd()).is_ok_and(|stat| {
            matches!(FileType::from_raw_mode(stat.st_mode), FileType::CharacterDevice | FileType::RegularFile)
        }),
        Err(_) => false,
    }
}
