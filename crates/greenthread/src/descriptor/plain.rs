//! Reading and writing what is no socket.
//!
//! `RWF_NOWAIT` asks one call not to block, and so leaves the descriptor's mode alone, which is shared with whoever
//! has it open as well: other processes, for the standard streams and for pipes that are handed to a child. What
//! does not know it (terminals, pipes before Linux 6.5) is read and written on the pool for blocking calls.

use std::{
    io::{self, IoSlice, IoSliceMut},
    os::fd::AsFd,
    time::Instant,
};

use rustix::io::{Errno, ReadWriteFlags, preadv2, pwritev2, readv, writev};

use super::{Descriptor, take_turns};
use crate::{
    driver::{Interest, Shown},
    runtime,
    sys::poller::poll_one,
};

/// How many buffers one call takes on Linux.
pub(crate) const MAX_BUFFERS: usize = 1024;

/// For `preadv2` and `pwritev2`: where the descriptor stands.
const HERE: u64 = u64::MAX;

/// Reads without blocking. `OPNOTSUPP` where that can't be had.
fn read_now(descriptor: impl AsFd, buffers: &mut [IoSliceMut<'_>]) -> rustix::io::Result<usize> {
    preadv2(descriptor, buffers, HERE, ReadWriteFlags::NOWAIT).map_err(unsupported)
}

/// Writes without blocking. `OPNOTSUPP` where that can't be had.
fn write_now(descriptor: impl AsFd, buffers: &[IoSlice<'_>]) -> rustix::io::Result<usize> {
    pwritev2(descriptor, buffers, HERE, ReadWriteFlags::NOWAIT).map_err(unsupported)
}

/// A kernel without the call or the flag, or a filter that forbids them, is as good as a file without them.
fn unsupported(error: Errno) -> Errno {
    match error {
        Errno::NOSYS | Errno::PERM => Errno::OPNOTSUPP,
        error => error,
    }
}

/// Reads from a descriptor that is not ours to register and to change. If there is nothing to be had at once,
/// the pool does it: such a descriptor may be anything.
pub(crate) fn read_foreign(
    descriptor: impl AsFd + Sync,
    buffers: &mut [IoSliceMut<'_>],
) -> io::Result<usize> {
    if let Some(driver) = runtime::driver() {
        take_turns(driver);
        match read_now(&descriptor, buffers) {
            Err(Errno::AGAIN | Errno::OPNOTSUPP) => {}
            result => return Ok(result?),
        }
    }
    Ok(runtime::unblock_wait(|| readv(&descriptor, buffers))??)
}

/// Writes to a descriptor that is not ours to register and to change, as `read_foreign` reads.
pub(crate) fn write_foreign(descriptor: impl AsFd + Sync, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
    if let Some(driver) = runtime::driver() {
        take_turns(driver);
        match write_now(&descriptor, buffers) {
            Err(Errno::AGAIN | Errno::OPNOTSUPP) => {}
            result => return Ok(result?),
        }
    }
    Ok(runtime::unblock_wait(|| writev(&descriptor, buffers))??)
}

/// Pipes. A count that comes short says nothing about them: it is the end of a write in packet mode, and a full
/// pipe may have room for less than a whole write.
impl Descriptor {
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_vectored(&mut [IoSliceMut::new(buffer)])
    }

    pub(crate) fn read_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let most = buffers.len().min(MAX_BUFFERS);
        let buffers = &mut buffers[..most];
        let Some(driver) = runtime::driver() else { return Ok(readv(self, buffers)?) };
        let call = || Ok((read_now(self, buffers)?, Shown::Full));
        match self.attempt(driver, Interest::Read, None, call) {
            Err(error) if is_unsupported(&error) => {
                self.wait_politely(Interest::Read)?;
                Ok(runtime::unblock_wait(|| readv(self, buffers))??)
            }
            result => result,
        }
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    /// As a blocking call of the system, it comes back when all is written, unless there is an error before.
    pub(crate) fn write_vectored(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let buffers = &buffers[..buffers.len().min(MAX_BUFFERS)];
        let all: usize = buffers.iter().map(|buffer| buffer.len()).sum();
        let mut done = self.write_some(buffers)?;
        if done == all || self.is_nonblocking() {
            return Ok(done);
        }
        let mut skip = done;
        for buffer in buffers {
            let mut rest = &buffer[skip.min(buffer.len())..];
            skip -= buffer.len() - rest.len();
            while !rest.is_empty() {
                // The next call meets the same error.
                let Ok(count) = self.write_some(&[IoSlice::new(rest)]) else { return Ok(done) };
                done += count;
                rest = &rest[count..];
            }
        }
        Ok(done)
    }

    fn write_some(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let Some(driver) = runtime::driver() else { return Ok(writev(self, buffers)?) };
        let call = || Ok((write_now(self, buffers)?, Shown::Full));
        match self.attempt(driver, Interest::Write, None, call) {
            Err(error) if is_unsupported(&error) => {
                self.wait_politely(Interest::Write)?;
                Ok(runtime::unblock_wait(|| writev(self, buffers))??)
            }
            result => result,
        }
    }

    /// Waits, before a thread of the pool is taken, until it will not be kept for long. What can't be waited for
    /// is always ready.
    fn wait_politely(&self, interest: Interest) -> io::Result<()> {
        if self.is_nonblocking() {
            return Ok(());
        }
        let look = || match poll_one(self.as_fd(), interest, Some(Instant::now())) {
            Ok(()) => Ok(()),
            Err(_) => Err(Errno::AGAIN),
        };
        self.attempt_anywhere(interest, None, look)
            .or_else(|error| if is_unsupported(&error) { Ok(()) } else { Err(error) })
    }
}

/// Either the call is not to be had without blocking, or the descriptor can't be waited for (a regular file).
fn is_unsupported(error: &io::Error) -> bool {
    [Errno::OPNOTSUPP, Errno::PERM].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}
