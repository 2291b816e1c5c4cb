//! Workers that sleep in an event loop of another library.
//!
//! A worker without ready threads sleeps until a socket, a timer or another OS thread has something
//! for it. If another library has an event loop too, its futures and callbacks need an OS thread of
//! their own, unless the two loops are one. With [`RuntimeBuilder::event_loop`] they are: the
//! worker calls [`EventLoop::wait`] where it would sleep, and at ticks. For tokio, the crate
//! `greenthread-tokio` does that.
//!
//! The event loop watches the worker's descriptor ([`Worker::as_fd`]), edge-triggered: that is
//! readable when there are events for threads of the worker.
//!
//! # Examples
//!
//! The simplest event loop has nothing of its own, and waits by `poll(2)`:
//!
//! ```
//! use greenthread::{Runtime, os::unix::event_loop::{self, EventLoop}, thread, time::Duration};
//! use std::os::fd::{AsFd, OwnedFd};
//! # use rustix::event::{PollFd, PollFlags, Timespec, poll};
//!
//! #[derive(Debug)]
//! struct Plain(OwnedFd);
//!
//! impl EventLoop for Plain {
//!     fn wait(&self, timeout: Option<Duration>) -> bool {
//!         // .. the turn of the loop's own work, after which threads may be ready.
//!         let timeout = if event_loop::has_ready() { Some(Duration::ZERO) } else { timeout };
//!         let timeout = timeout.map(|timeout| Timespec::try_from(timeout).unwrap());
//!         poll(&mut [PollFd::new(&self.0, PollFlags::IN)], timeout.as_ref()) != Ok(0)
//!     }
//! }
//!
//! let runtime = Runtime::builder()
//!     .event_loop(|worker| {
//!         let plain = Plain(worker.as_fd().try_clone_to_owned()?);
//!         worker.run(&plain);
//!         Ok(())
//!     })
//!     .build()?;
//! runtime.run(|| thread::sleep(Duration::from_millis(1)));
//! # std::io::Result::Ok(())
//! ```
//!
//! [`RuntimeBuilder::event_loop`]: crate::RuntimeBuilder::event_loop

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use crate::scheduler::worker;
pub use crate::{driver::EventLoop, runtime::event_loop::Worker};

impl AsFd for Worker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.poller().as_fd()
    }
}

impl AsRawFd for Worker {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

/// Whether a green thread of the calling worker can run. If so, [`EventLoop::wait`] shall return.
/// `false` on an OS thread that is no worker.
///
/// An event loop asks before it waits, since its own work may have woken or spawned threads. A
/// thread that another OS thread wakes makes the worker's descriptor readable instead.
///
/// # Examples
///
/// ```
/// assert!(!greenthread::os::unix::event_loop::has_ready());
/// ```
#[must_use]
pub fn has_ready() -> bool {
    worker::current().is_some_and(worker::Worker::has_ready)
}
