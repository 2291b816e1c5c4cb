//! Operations on any descriptor: reading, writing, and its mode.

use std::{
    io::{IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
};

pub(crate) use rustix::stdio::{stderr, stdin, stdout};
use rustix::{
    fs::{FileType, OFlags, fcntl_getfl, fcntl_setfl, fstat},
    io::{Errno, fcntl_dupfd_cloexec, ioctl_fionbio, readv, writev},
    net::sockopt::socket_linger,
    process::getpgrp,
    termios::tcgetpgrp,
};

use super::error::OsResult;

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

/// Writes to a descriptor that is ready. A write to a pipe waits until all of it has room, so a
/// pipe gets no more than `PIPE_BUF` bytes, which have room in each pipe that is ready (pipe(7)),
/// unless another writer is faster.
pub(crate) fn write_part(descriptor: BorrowedFd<'_>, buffers: &[IoSlice<'_>]) -> OsResult<usize> {
    let all = buffers.iter().fold(0_usize, |sum, buffer| sum.saturating_add(buffer.len()));
    match buffers.iter().find(|buffer| !buffer.is_empty()) {
        Some(first) if all > libc::PIPE_BUF && is_pipe(descriptor) => {
            write(descriptor, &[IoSlice::new(&first[..first.len().min(libc::PIPE_BUF)])])
        }
        _ => write(descriptor, buffers),
    }
}

/// Whether it is a pipe, with a name or without.
pub(crate) fn is_pipe(descriptor: BorrowedFd<'_>) -> bool {
    fstat(descriptor).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo)
}

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
    let mut settings = MaybeUninit::<libc::termios>::uninit();
    // The C library's call, since the crate `rustix` asks by `TCGETS2`, which qemu does not know.
    // SAFETY: the call fills the settings, or fails.
    if unsafe { libc::tcgetattr(descriptor.as_raw_fd(), settings.as_mut_ptr()) } != 0 {
        return true;
    }
    // SAFETY: the call has filled them.
    let settings = unsafe { settings.assume_init() };
    let (least, time) = (settings.c_cc[libc::VMIN], settings.c_cc[libc::VTIME]);
    let by_bytes = least == 1 || least > 1 && time > 0;
    let in_background = tcgetpgrp(descriptor).is_ok_and(|group| group != getpgrp());
    (settings.c_lflag & libc::ICANON != 0 || by_bytes) && !in_background
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
