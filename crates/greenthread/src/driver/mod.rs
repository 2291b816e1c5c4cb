//! The driver: how the green threads of a worker wait for I/O.
//!
//! * `poll`: the driver, built on the readiness that the OS reports. `poll::awaiting`: tasks that
//!   wait for a direction.
//! * `direction`: the readiness of one direction of a source, and the threads that wait for it.
//! * `event_loop`: the seam for an event loop of another library, in which the worker sleeps.
//! * `operations`: the operations that several threads hand to the kernel together.
//! * `source`: a descriptor, with the drivers at which it is registered.
//! * `registry`: the part of a driver that its sources refer to.
//!
//! Each worker has one driver, and sleeps nowhere else. A thread finds the driver of its worker by
//! `runtime::driver`. Since a thread never changes its worker, a driver is used on one OS thread
//! only. Other OS threads may do three things: wake the worker (by the waker), deregister a source,
//! and force a source ready, so that its waiting threads try their calls again.
//!
//! On Linux the driver asks epoll for the readiness of sockets and pipes. Beside it the driver has
//! an io_uring for two kinds of operations: the sends of several threads, and reads and writes of
//! files, which use the waiting thread's own buffer. The ring wakes the worker by the same eventfd
//! as every other waker, so the worker has one place to sleep. Where there is no io_uring (old
//! kernels, most containers), each send is a system call of its own, and file operations run in the
//! blocking pool. Only speed is lost.

mod direction;
#[cfg_attr(not(unix), allow(dead_code, unreachable_pub, reason = "its public API is Unix's"))]
mod event_loop;
mod operations;
pub(crate) mod poll;
mod registry;
pub(crate) mod source;

#[cfg_attr(not(unix), allow(dead_code, unreachable_pub, reason = "its public API is Unix's"))]
pub use event_loop::EventLoop;
pub(crate) use operations::Answer;
pub(crate) use poll::{BATCH_THRESHOLD, Driver, Turn, awaiting::Awaiting};
pub(crate) use source::{Registration, Source};

pub(crate) use crate::sys::{poller::Interest, uring::Operation};

/// What the result of a call shows about the readiness of its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallResult {
    /// The call would have blocked. After an exceptional event (`direction`) the first such result
    /// does not make the direction unready: the next call is made without waiting, and finds the
    /// end of the stream or confirms that it would block.
    Blocked,
    /// The call moved fewer bytes than it was asked to.
    Short,
    /// The call did all that it was asked to do; there may be more.
    Full,
}
