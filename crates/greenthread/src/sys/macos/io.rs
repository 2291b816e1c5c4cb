//! Operations on any descriptor: reading, writing, and its mode.

use std::{
    io::{IoSlice, IoSliceMut},
    os::fd::AsFd,
};

pub(crate) use super::super::unix::io::{
    close_may_wait, duplicate, ensure_nonblocking, is_nonblocking, nonblocking_mode, read, set_nonblocking,
    stderr, stdin, stdout, waits_until_readable, write, write_part,
};

use super::error::{OsError, OsResult};

/// The number of buffers that the kernel accepts in one call: `UIO_MAXIOV` (`bsd/sys/uio.h`), which
/// sysconf(3) reports as `_SC_IOV_MAX`.
pub(crate) const MAX_BUFFERS: usize = 1024;

/// # Errors
/// Always `UNSUPPORTED`: `preadv` has no flags on macOS.
#[inline]
pub(crate) fn read_now(_: impl AsFd, _: &mut [IoSliceMut<'_>], _: Option<u64>) -> OsResult<usize> {
    Err(OsError::UNSUPPORTED)
}

/// # Errors
/// Always `UNSUPPORTED`: `pwritev` has no flags on macOS.
#[inline]
pub(crate) fn write_now(_: impl AsFd, _: &[IoSlice<'_>], _: Option<u64>) -> OsResult<usize> {
    Err(OsError::UNSUPPORTED)
}
