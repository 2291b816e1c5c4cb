//! Calls on any descriptor: reading, writing, and its mode.

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

/// How many buffers the kernel takes in one call.
pub(crate) const MAX_BUFFERS: usize = 1024;

/// Reads, and blocks if the descriptor does.
#[inline]
pub(crate) fn read(descriptor: BorrowedFd<'_>, buffers: &mut [IoSliceMut<'_>]) -> OsResult<usize> {
    Ok(match buffers {
        [one] => rustix::io::read(descriptor, &mut **one)?,
        all => readv(descriptor, all)?,
    })
}

/// Writes, and blocks if the descriptor does.
#[inline]
pub(crate) fn write(descriptor: BorrowedFd<'_>, buffers: &[IoSlice<'_>]) -> OsResult<usize> {
    Ok(match buffers {
        [one] => rustix::io::write(descriptor, one)?,
        all => writev(descriptor, all)?,
    })
}

/// Reads what is there without waiting: for a disk, or for others. At `offset`, or without one at
/// the file's position, which moves on. The mode of the descriptor is left alone, since others may
/// have it open as well.
///
/// # Errors
/// `WOULD_BLOCK` if it would have to wait; `UNSUPPORTED` if only the plain call can tell. Others as
/// the plain call gives them.
#[inline]
pub(crate) fn read_now(file: impl AsFd, bufs: &mut [IoSliceMut<'_>], offset: Option<u64>) -> OsResult<usize> {
    match preadv2(file, bufs, checked(offset)?, ReadWriteFlags::NOWAIT) {
        Ok(0) if !*ZERO_IS_THE_END && bufs.iter().any(|buf| !buf.is_empty()) => Err(OsError::UNSUPPORTED),
        result => result.map_err(refused),
    }
}

/// Writes what there is room for without waiting, as [`read_now`] reads.
///
/// # Errors
/// As there.
#[inline]
pub(crate) fn write_now(file: impl AsFd, bufs: &[IoSlice<'_>], offset: Option<u64>) -> OsResult<usize> {
    pwritev2(file, bufs, checked(offset)?, ReadWriteFlags::NOWAIT).map_err(refused)
}

/// For the kernel, the largest number means no offset; beyond the largest signed one there are no
/// files.
#[inline]
fn checked(offset: Option<u64>) -> OsResult<u64> {
    match offset {
        None => Ok(u64::MAX),
        Some(offset) if offset <= i64::MAX as u64 => Ok(offset),
        Some(_) => Err(OsError::UNSUPPORTED),
    }
}

/// One answer for all that say that the call, the flag or the file can't be asked so: a plain call
/// that gives the same error will say it again.
#[cold]
fn refused(error: Errno) -> OsError {
    if is_refused(error) { OsError::UNSUPPORTED } else { error.into() }
}

/// Whether nothing read without waiting means the end of the file: Linux 5.9 and 5.10 say so too
/// early (preadv2(2), "BUGS").
static ZERO_IS_THE_END: LazyLock<bool> = LazyLock::new(|| {
    let name = rustix::system::uname();
    !["5.9.", "5.10."].iter().any(|early| name.release().to_bytes().starts_with(early.as_bytes()))
});

/// Whether the descriptor is in non-blocking mode. The kernel is asked, as anyone who has it open
/// may have changed it.
///
/// # Errors
/// The kernel doesn't say.
#[inline]
pub(crate) fn nonblocking_mode(descriptor: impl AsFd) -> OsResult<bool> {
    Ok(fcntl_getfl(descriptor)?.contains(OFlags::NONBLOCK))
}

/// The same; if the kernel doesn't say, it is not.
#[inline]
pub(crate) fn is_nonblocking(descriptor: impl AsFd) -> bool {
    nonblocking_mode(descriptor).unwrap_or(false)
}

/// Sets the mode, which all who have it open share.
#[inline]
pub(crate) fn set_nonblocking(descriptor: impl AsFd, nonblocking: bool) -> OsResult<()> {
    Ok(ioctl_fionbio(descriptor, nonblocking)?)
}

/// Puts a descriptor into non-blocking mode by either of the two ways to ask for it: one that is
/// refused says nothing about the descriptor.
#[inline]
pub(crate) fn ensure_nonblocking(descriptor: impl AsFd) -> OsResult<()> {
    let descriptor = descriptor.as_fd();
    let second = |_| fcntl_setfl(descriptor, fcntl_getfl(descriptor)? | OFlags::NONBLOCK);
    Ok(ioctl_fionbio(descriptor, true).or_else(second)?)
}

/// Whether a read comes back, or goes on, as soon as there is something to be read, and not for
/// other reasons. A terminal may be set to give back nothing after a while, or to wait for several
/// bytes; and in the background a read stops the process.
pub(crate) fn waits_until_readable(descriptor: BorrowedFd<'_>) -> bool {
    let Ok(settings) = tcgetattr(descriptor) else { return true };
    let (least, time) = (SpecialCodeIndex::VMIN, SpecialCodeIndex::VTIME);
    let (least, time) = (settings.special_codes[least], settings.special_codes[time]);
    let by_bytes = least == 1 || least > 1 && time > 0;
    let in_background = tcgetpgrp(descriptor).is_ok_and(|group| group != getpgrp());
    (settings.local_modes.contains(LocalModes::ICANON) || by_bytes) && !in_background
}

/// Another descriptor for what is open, which no child inherits.
///
/// # Errors
/// The process has no descriptor left.
#[inline]
pub(crate) fn duplicate(descriptor: BorrowedFd<'_>) -> OsResult<OwnedFd> {
    Ok(fcntl_dupfd_cloexec(descriptor, 0)?)
}

/// Whether to close it may take as long as somebody else likes.
pub(crate) fn close_may_wait(descriptor: &OwnedFd) -> bool {
    match socket_linger(descriptor) {
        Ok(linger) => linger.is_some_and(|linger| !linger.is_zero()),
        // Serial lines wait for what they have to put out, network file systems for the network.
        Err(Errno::NOTSOCK) => fstat(descriptor.as_fd()).is_ok_and(|stat| {
            matches!(FileType::from_raw_mode(stat.st_mode), FileType::CharacterDevice | FileType::RegularFile)
        }),
        Err(_) => false,
    }
}
