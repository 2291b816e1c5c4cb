//! How an OS thread waits for a descriptor where the kernel's own blocking call will not do: for
//! calls that have no blocking form here (`accept`, `connect`), and in a cancellation scope.
//!
//! In a scope a call of the kernel could not be ended. So the thread is *watched*: it makes calls
//! that do not block, and between them waits for readiness or for its canceller, whichever comes
//! first, until the earlier of its own deadline and the scope's. Nothing is lost by that: a call
//! that has moved bytes, or has got a connection, returns it.

use std::{io, time::Instant};

use super::Descriptor;
use crate::{
    sys::{
        error::{OsError, OsResult},
        fd::{AsFd, BorrowedFd},
        parker::End,
        poller::{Interest, poll_one},
    },
    task::{cancel, time::block_until},
};

/// Whether the calling thread is an OS thread in a cancellation scope. If not, and outside a
/// runtime, the kernel blocks the thread, and handles timeouts.
#[inline]
pub(crate) fn is_watched() -> bool {
    cancel::view_of_os_thread().is_some()
}

/// Blocks the calling OS thread until a descriptor is ready.
///
/// # Errors
/// `WOULD_BLOCK` past the deadline; `cancel::error` if the thread is cancelled.
pub(super) fn wait(
    descriptor: BorrowedFd<'_>,
    interest: Interest,
    deadline: Option<Instant>,
) -> io::Result<()> {
    loop {
        let Some(view) = cancel::view_of_os_thread() else {
            let ready = block_until(deadline, |deadline| poll_one(descriptor, interest, deadline, None));
            return ready.map(drop).map_err(|error| match error.kind() {
                io::ErrorKind::TimedOut => OsError::WOULD_BLOCK.into(),
                _ => error,
            });
        };
        if view.is_cancelled {
            return Err(cancel::error());
        }
        let (until, scope) = view.sooner(deadline);
        match cancel::parker().poll(descriptor, interest, until)? {
            End::Token => return Ok(()),
            End::Interrupted => {}
            End::Deadline => match scope {
                // SAFETY: the calling thread is in this scope.
                Some(node) => cancel::elapse(unsafe { &*node }),
                None => return Err(OsError::WOULD_BLOCK.into()),
            },
        }
    }
}

impl Descriptor {
    /// Repeats a call on an OS thread until it does not block. The call itself never blocks. In
    /// non-blocking mode, and after the deadline, it returns `WouldBlock`.
    pub(super) fn repeat_on_os_thread<T>(
        &self,
        interest: Interest,
        deadline: Option<Instant>,
        mut call: impl FnMut() -> OsResult<T>,
    ) -> io::Result<T> {
        cancel::check_call()?;
        loop {
            match call() {
                Ok(value) => return Ok(value),
                Err(OsError::INTERRUPTED) => {}
                Err(OsError::WOULD_BLOCK) if !self.is_nonblocking() => {
                    wait(self.as_fd(), interest, deadline)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}
