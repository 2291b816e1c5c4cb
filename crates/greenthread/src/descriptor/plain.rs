//! Reading and writing of descriptors that are not the library's sockets: pipes, FIFOs, terminals,
//! devices, the standard streams, and any descriptor that a program was given.
//!
//! `sys::io::read_now` and `write_now` ask that one call does not block. So they leave the
//! descriptor's mode alone, which it shares with everything that has it open: other processes, for
//! the standard streams and for pipes that are handed to a child. If the call would block, the
//! thread waits at its worker's driver until the descriptor is ready. It occupies no OS thread
//! meanwhile.
//!
//! * Some descriptors do not support such calls (terminals; on macOS, pipes). The thread waits for
//!   them in the same way, and then makes the call on an OS thread that may block: another reader
//!   or writer may have been faster.
//! * Some descriptors cannot be waited for (pipes of Windows). The call is made on such an OS
//!   thread at once. Where another thread can interrupt it (`sys::interrupt`), a cancelled thread
//!   does.
//!
//! An OS thread makes the plain call, unless it is in a cancellation scope (`os_thread`). Then it
//! does as a green thread does, and waits by itself. Where there is only the plain call, it makes
//! that when the descriptor is ready, or has another OS thread make it that can be interrupted.
//!
//! A descriptor in non-blocking mode gives `WouldBlock`. The kernel is asked for the mode before
//! each wait, since everything that has the descriptor open may change it at any time.

use std::{
    io::{self, IoSlice, IoSliceMut},
    time::Instant,
};

use super::{
    Descriptor,
    os_thread::{is_watched, wait},
};
pub(crate) use crate::sys::io::MAX_BUFFERS;
use crate::{
    driver::{CallResult, Driver, Interest},
    runtime,
    sys::{
        error::{OsError, OsResult},
        fd::{AsFd, BorrowedFd},
        file::{Kind, Nature, View},
        interrupt::Interruptible,
        io::{duplicate, is_nonblocking, read, read_now, waits_until_readable, write, write_now, write_part},
        poller::look_one,
        socket,
    },
    task::{
        cancel,
        coop::{CALL, begin_call},
        wait::Outcome,
    },
};

/// The buffers of a read, or of a write.
trait Transfer: Send {
    const INTEREST: Interest;

    /// Whether it moves no bytes. Then nothing is waited for, and only the plain call has the right
    /// result: an empty write to a socket sends a datagram, and is an error if no reader is left.
    fn is_empty(&self) -> bool;

    /// Moves the bytes that can be moved without waiting. `UNSUPPORTED` if the system cannot do
    /// that.
    fn now(&mut self, descriptor: BorrowedFd<'_>) -> OsResult<usize>;

    /// Makes the plain call, which may block. A read can be interrupted by `call`, where the system
    /// can do that. (A write that was interrupted would not say how much it has written.)
    fn plain(&mut self, descriptor: BorrowedFd<'_>, call: &Interruptible) -> OsResult<usize>;

    /// Makes the plain call on a descriptor that is ready, so that it blocks only if another reader
    /// or writer is faster.
    fn part(&mut self, descriptor: BorrowedFd<'_>) -> OsResult<usize>;
}

impl Transfer for &mut [IoSliceMut<'_>] {
    const INTEREST: Interest = Interest::Read;

    fn is_empty(&self) -> bool {
        self.iter().all(|buffer| buffer.is_empty())
    }

    fn now(&mut self, descriptor: BorrowedFd<'_>) -> OsResult<usize> {
        read_now(descriptor, self, None)
    }

    fn plain(&mut self, descriptor: BorrowedFd<'_>, call: &Interruptible) -> OsResult<usize> {
        call.read(descriptor, self)
    }

    fn part(&mut self, descriptor: BorrowedFd<'_>) -> OsResult<usize> {
        read(descriptor, self)
    }
}

impl Transfer for &[IoSlice<'_>] {
    const INTEREST: Interest = Interest::Write;

    fn is_empty(&self) -> bool {
        self.iter().all(|buffer| buffer.is_empty())
    }

    fn now(&mut self, descriptor: BorrowedFd<'_>) -> OsResult<usize> {
        write_now(descriptor, self, None)
    }

    fn plain(&mut self, descriptor: BorrowedFd<'_>, _: &Interruptible) -> OsResult<usize> {
        write(descriptor, self)
    }

    fn part(&mut self, descriptor: BorrowedFd<'_>) -> OsResult<usize> {
        write_part(descriptor, self)
    }
}

/// Reads from a borrowed descriptor. It cannot be registered, since its number may get another
/// meaning later.
pub(crate) fn read_foreign(descriptor: BorrowedFd<'_>, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
    transfer_foreign(descriptor, buffers).map_err(cancel::raise)
}

/// Writes to a borrowed descriptor, which cannot be registered either (see [`read_foreign`]).
pub(crate) fn write_foreign(descriptor: BorrowedFd<'_>, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
    transfer_foreign(descriptor, buffers).map_err(cancel::raise)
}

fn transfer_foreign<T: Transfer>(descriptor: BorrowedFd<'_>, mut transfer: T) -> io::Result<usize> {
    if runtime::driver().is_none() {
        return if is_watched() {
            transfer_watched(descriptor, transfer, None)
        } else {
            transfer_elsewhere(descriptor, transfer, false)
        };
    }
    begin_call(CALL)?;
    if transfer.is_empty() {
        return transfer_elsewhere(descriptor, transfer, false);
    }
    match transfer.now(descriptor) {
        Err(OsError::WOULD_BLOCK | OsError::UNSUPPORTED | OsError::INTERRUPTED) => {}
        result => return Ok(result?),
    }
    // A duplicate is ours to register for as long as the wait lasts.
    match duplicate(descriptor) {
        Ok(own) => Descriptor::new(own).transfer(transfer),
        Err(_) => transfer_elsewhere(descriptor, transfer, false),
    }
}

/// Makes the plain call on an OS thread that may block, which may be the caller. If there is none,
/// and the call `is_short`, makes it on the worker. (A short call moves what can be moved at once.)
fn transfer_elsewhere<T: Transfer>(
    descriptor: BorrowedFd<'_>,
    mut transfer: T,
    is_short: bool,
) -> io::Result<usize> {
    if T::INTEREST == Interest::Read && !is_short {
        return runtime::unblock_interruptible(|call| Ok(transfer.plain(descriptor, call)?));
    }
    let plain = Interruptible::new();
    let mut call = || if is_short { transfer.part(descriptor) } else { transfer.plain(descriptor, &plain) };
    match runtime::unblock_wait_unchecked(&mut call) {
        Ok(result) => Ok(result?),
        Err(_) if is_short => Ok(call()?),
        Err(refusal) => Err(refusal),
    }
}

/// Makes the call on an OS thread that is watched (`os_thread`).
#[cold]
fn transfer_watched<T: Transfer>(
    descriptor: BorrowedFd<'_>,
    mut transfer: T,
    deadline: Option<Instant>,
) -> io::Result<usize> {
    cancel::check_call()?;
    loop {
        // Only the plain call has the right result of an empty transfer, and it may be the only
        // one.
        let only_plain = transfer.is_empty()
            || match transfer.now(descriptor) {
                Err(OsError::WOULD_BLOCK) => false,
                Err(OsError::UNSUPPORTED) => true,
                Err(OsError::INTERRUPTED) => continue,
                result => return Ok(result?),
            };
        // What waits for a disk at most can't be waited for by readiness, and its call is short.
        let waits = Nature::of(&View::new(descriptor)).is_ok_and(|nature| nature.kind == Kind::Stream)
            && !is_nonblocking(descriptor)
            && !transfer.is_empty()
            && (T::INTEREST == Interest::Write || waits_until_readable(descriptor));
        let is_ready = waits
            && match wait(descriptor, T::INTEREST, deadline) {
                Err(error) if OsError::of(&error) == Some(OsError::NOT_POLLABLE) => false,
                result => result.map(|()| true)?,
            };
        if !is_ready {
            return transfer_elsewhere(descriptor, transfer, false);
        }
        if only_plain {
            return Ok(transfer.part(descriptor)?);
        }
    }
}

/// A short count shows nothing about readiness here: it also occurs at the end of a write in packet
/// mode, and a full pipe may have room for less than a whole write.
impl Descriptor {
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_vectored(&mut [IoSliceMut::new(buffer)])
    }

    pub(crate) fn read_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let most = buffers.len().min(MAX_BUFFERS);
        self.transfer(&mut buffers[..most]).map_err(cancel::raise)
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    /// Like a blocking system call, it returns when all is written, unless an error comes first, or
    /// the thread is cancelled.
    pub(crate) fn write_vectored(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let buffers = &buffers[..buffers.len().min(MAX_BUFFERS)];
        let mut done = self.transfer(buffers).map_err(cancel::raise)?;
        let mut skip = done;
        for buffer in buffers {
            let mut rest = &buffer[skip.min(buffer.len())..];
            skip -= buffer.len() - rest.len();
            while !rest.is_empty() {
                // The caller's next call gets the same error (in non-blocking mode, `WouldBlock`).
                let Ok(count) = self.transfer(&[IoSlice::new(rest)][..]) else { return Ok(done) };
                done += count;
                rest = &rest[count..];
            }
        }
        Ok(done)
    }

    /// Records the timeouts that a socket has. What is not a socket has none.
    pub(crate) fn adopt_timeouts(&self) {
        for interest in [Interest::Read, Interest::Write] {
            self.remember_timeout(interest, socket::timeout(self, interest).unwrap_or(None));
        }
    }

    /// # Errors
    /// Those of the call; `cancel::error` if the thread is cancelled before a call has succeeded.
    fn transfer<T: Transfer>(&self, mut transfer: T) -> io::Result<usize> {
        let Some(driver) = runtime::driver() else {
            return if is_watched() {
                transfer_watched(self.as_fd(), transfer, self.deadline(T::INTEREST))
            } else {
                transfer_elsewhere(self.as_fd(), transfer, false)
            };
        };
        begin_call(CALL)?;
        if transfer.is_empty() {
            return transfer_elsewhere(self.as_fd(), transfer, false);
        }
        let deadline = self.deadline(T::INTEREST);
        let mut turn = driver.turn(&self.source, T::INTEREST);
        let mut waits = turn.is_blocked() && !is_nonblocking(self);
        let is_short = loop {
            if waits {
                match turn.wait(deadline) {
                    Ok(Outcome::Woken) => {}
                    Ok(Outcome::TimedOut) => return Err(OsError::WOULD_BLOCK.into()),
                    Ok(Outcome::Cancelled) => return Err(cancel::error()),
                    // A descriptor that is not pollable waits for a disk at most, so its call is
                    // short. Any other error: the system lacks memory for a registration.
                    Err(error) => {
                        drop(turn);
                        break OsError::of(&error) == Some(OsError::NOT_POLLABLE);
                    }
                }
            }
            match transfer.now(self.as_fd()) {
                Err(OsError::WOULD_BLOCK) => {
                    turn.record(CallResult::Blocked);
                    if is_nonblocking(self) {
                        return Err(OsError::WOULD_BLOCK.into());
                    }
                    waits = true;
                }
                Err(OsError::INTERRUPTED) => {}
                Err(OsError::UNSUPPORTED) => {
                    // What follows takes long: the next waiting thread gets its turn.
                    drop(turn);
                    break self.wait_before_call(driver, T::INTEREST, deadline)?;
                }
                result => return Ok(result?),
            }
        };
        transfer_elsewhere(self.as_fd(), transfer, is_short)
    }

    /// Waits until a plain call would not occupy an OS thread for long, as far as that can be
    /// waited for. Returns whether the call will be short. A descriptor that cannot be polled
    /// counts as ready.
    ///
    /// # Errors
    /// If the deadline has passed.
    fn wait_before_call(
        &self,
        driver: &Driver,
        interest: Interest,
        deadline: Option<Instant>,
    ) -> io::Result<bool> {
        if is_nonblocking(self) {
            return Ok(true);
        }
        if interest == Interest::Read && !waits_until_readable(self.as_fd()) {
            return Ok(false);
        }
        let look = || match look_one(self.as_fd(), interest) {
            Ok(()) => Ok((true, CallResult::Full)),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(OsError::WOULD_BLOCK),
            // If `poll` itself fails, the call occupies an OS thread for as long as it takes.
            Err(_) => Ok((false, CallResult::Full)),
        };
        match self.attempt(driver, interest, deadline, look) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock || cancel::is_error(&error) => Err(error),
            result => Ok(result.unwrap_or(false)),
        }
    }
}
