//! The I/O contract: what a worker's driver does for the threads that live there.
//!
//! * `poll`: the driver, on readiness as the OS reports it. `direction`: what it knows about one direction of a source, and
//!   who waits there. `operations`: what several threads hand to the kernel together.
//! * `source`: a descriptor, with the places where it is registered.
//!
//! A worker has one driver, and it is the one place where the worker sleeps. Threads find the driver of the
//! worker that they live on through `runtime::driver`; since they never change their worker, a driver is
//! used on one OS thread only. What may come from elsewhere: a wake-up (by the waker), the end of a source, and a
//! rousing of all who wait for one.
//!
//! On Linux the driver asks epoll for the readiness of sockets and pipes, and has a ring beside it (io_uring) for what is
//! better handed over than tried: the sends of several threads, and reads and writes of files, on the waiting thread's own
//! buffer. The ring wakes the worker by the same eventfd as everybody else; so there is one place to sleep, and who has no
//! ring (old kernels, most containers) lacks nothing but speed: each send is then a system call of its own, and files go
//! through the blocking pool.

use std::{io, time::Duration};

mod direction;
mod operations;
pub(crate) mod poll;
pub(crate) mod source;

pub(crate) use operations::Answer;
pub(crate) use poll::{COMPANY, PollDriver, Turn};
pub(crate) use source::{Registration, Source};

pub(crate) use crate::sys::{poller::Interest, ring::Operation};

/// What a call has shown about a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// The call would have blocked. Right after an event of an end that is doubted once: the next call is made without
    /// waiting, and finds the end or confirms it.
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
    ///
    /// Should the kernel refuse to tell what has happened, those who wait for it have the error.
    fn sleep(&self, timeout: Option<Duration>);

    /// For one call on `source`, and its waits.
    fn turn<'a>(&'a self, source: &'a Source, interest: Interest) -> Turn<'a>;

    /// How this driver knows the source, so that others can rouse it. Registers it, if need be.
    ///
    /// # Errors
    /// The source could not be registered.
    fn registration(&self, source: &Source) -> io::Result<Registration>;

    /// Sends as much as the kernel takes without blocking, and notes what that has shown; a short count shows `short`. While other threads are ready to
    /// run, it may be held back, to go out together with what these have to send; the calling thread waits for that.
    ///
    /// # Errors
    /// Those of `send(2)`; `EAGAIN` if it would block.
    fn send(&self, source: &Source, bytes: &[u8], short: Shown) -> rustix::io::Result<usize>;

    /// Has the kernel carry out an operation on a file, and waits for its answer; it goes out together with those of others that
    /// are ready to run. None if the driver can't: nothing was done then.
    ///
    /// The wait can't be cut short, since the kernel works on the caller's own buffer: neither by a deadline nor otherwise.
    ///
    /// # Safety
    /// All that the operation points to is borrowed by the caller until this is back; for writing, if the kernel writes there.
    unsafe fn file(&self, operation: Operation) -> Option<Answer>;

    /// The worker's, when its threads have had their turns: hands over what was held back, and makes those ready who have
    /// their answers.
    fn flush(&self);

    /// Whether something is held back: then `flush` takes as long as the kernel takes for all of it.
    fn is_holding(&self) -> bool;
}
