//! The I/O contract: what a worker's driver does for the threads that live there.
//!
//! * `poll`: the driver on readiness, as the OS reports it.
//! * `source`: a descriptor, with the places where it is registered.
//!
//! A worker has one driver, and it is the one place where the worker sleeps. Threads find the driver of the
//! worker that they live on through `runtime::driver`; since they never change their worker, a driver is
//! used on one OS thread only. What may come from elsewhere: a wake-up (by the waker), the end of a source, and a
//! rousing of all who wait for one.
//!
//! A driver that hands whole operations to the kernel (io_uring) joins here: its `wait_ready` is a poll
//! that stays armed, `send` may be held back until the worker's next look and go out in one batch with the
//! others, and there are two more items: `op`, a positioned read or write of a file on the caller's own
//! buffer while the caller waits, and `cancel`, which ends an operation early; since the kernel works on the
//! caller's buffer, `op` returns only after the kernel's last word on it, cancelled or not. Off the runtime,
//! and with a driver that has no `op`, files go through the blocking pool.

use std::{
    io,
    time::{Duration, Instant},
};

pub(crate) mod poll;
pub(crate) mod source;

pub(crate) use poll::PollDriver;
pub(crate) use source::{Registration, Source};

pub(crate) use crate::sys::poller::Interest;
use crate::task::wait::Outcome;

/// What a call has shown about a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// The call would have blocked.
    Blocked,
    /// The call moved some bytes, but fewer than it could have.
    Short,
    /// The call did all it was asked for; there may be more.
    Full,
}

/// See the module. For the driver's own worker: its loop, and its green threads that may be suspended.
///
/// How a driver is made, and the waker that ends its `sleep` or the next one from any OS thread, are its own.
pub(crate) trait Driver {
    /// The worker's: sleeps until something has happened or the timeout has passed (none: as long as it
    /// takes; zero: just looks), and makes ready the threads whose waits have come to their end. May return
    /// early.
    fn sleep(&self, timeout: Option<Duration>) -> io::Result<()>;

    /// Whether a call on `source` would block, as far as is known here.
    fn is_blocked(&self, source: &Source, interest: Interest) -> bool;

    /// Waits until a call on `source` may not block any more. Returns at once if none has been seen to block
    /// since there was last something new. The source is registered by its first wait, and deregistered when
    /// it is dropped, wherever that happens. `Woken` may be wrong now and then: make the call, and come
    /// back.
    ///
    /// # Errors
    /// The source could not be registered.
    fn wait_ready(
        &self,
        source: &Source,
        interest: Interest,
        deadline: Option<Instant>,
    ) -> io::Result<Outcome>;

    /// How this driver knows the source, so that others can rouse who waits for it. Registers it, if need be.
    ///
    /// # Errors
    /// The source could not be registered.
    fn registration(&self, source: &Source) -> io::Result<Registration>;

    /// What a call has shown, right after it and before anything else is done on this OS thread.
    fn note(&self, source: &Source, interest: Interest, shown: Shown);

    /// Whether the calling thread, which makes one call after the other without waiting, should let others
    /// run.
    fn is_due(&self) -> bool;
}
