//! The I/O contract: what a worker's driver does for the threads that live there.
//!
//! * `poll`: the driver, on readiness as the OS reports it. `direction`: what it knows about one
//!   direction of a source, and who waits there. `operations`: what several threads hand to the
//!   kernel together.
//! * `source`: a descriptor, with the places where it is registered. `registry`: what a driver
//!   knows about sources, of which sources know as well.
//!
//! A worker has one driver, and it is the one place where the worker sleeps. Threads find the
//! driver of the worker that they live on through `runtime::driver`; since they never change their
//! worker, a driver is used on one OS thread only. What may come from elsewhere: a wake-up (by the
//! waker), the end of a source, and that those who wait for one are to look again.
//!
//! On Linux the driver asks epoll for the readiness of sockets and pipes, and has a ring beside it
//! (io_uring) for what is better handed over than tried: the sends of several threads, and reads
//! and writes of files, on the waiting thread's own buffer. The ring wakes the worker by the same
//! eventfd as everybody else; so there is one place to sleep, and who has no ring (old kernels,
//! most containers) lacks nothing but speed: each send is then a system call of its own, and files
//! go through the blocking pool.

mod direction;
mod operations;
pub(crate) mod poll;
mod registry;
pub(crate) mod source;

pub(crate) use operations::Answer;
pub(crate) use poll::{BATCH_THRESHOLD, Driver, Turn};
pub(crate) use source::{Registration, Source};

pub(crate) use crate::sys::{poller::Interest, uring::Operation};

/// What a call tells about the readiness of its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallResult {
    /// The call would have blocked. Right after an event of an end that is doubted once: the next
    /// call is made without waiting, and finds the end or confirms it.
    Blocked,
    /// The call moved some bytes, but fewer than it could have.
    Short,
    /// The call did all it was asked for; there may be more.
    Full,
}
