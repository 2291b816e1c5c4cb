//! The seam for an event loop of another library, in which a worker sleeps.

use std::{fmt, time::Duration};

/// An event loop of another library, which takes the place of a worker's sleep. See
/// [`RuntimeBuilder::event_loop`](crate::RuntimeBuilder::event_loop).
///
/// Its methods are called on the worker's OS thread only, [`wait`](EventLoop::wait) outside of all
/// green threads.
///
/// # Examples
///
/// See [`os::unix::event_loop`](crate::os::unix::event_loop).
pub trait EventLoop: fmt::Debug {
    /// Waits until the worker's descriptor becomes readable, until a thread of the worker is ready
    /// ([`has_ready`](crate::os::unix::event_loop::has_ready)), or until the timeout has passed;
    /// `None` is no timeout. With zero it does not wait, and only lets the loop's own work have a
    /// turn. It may return early.
    ///
    /// Returns `false` if the descriptor has not become readable since the last call, as far as
    /// edge-triggered events say. Then the worker need not ask for its own events.
    ///
    /// A call with zero comes at each tick of a busy worker, every 100 us or so. To be fair to
    /// green threads, it should be short. The loop's own work may use this crate, but must not wait
    /// for green threads of the worker, which do not run meanwhile.
    fn wait(&self, timeout: Option<Duration>) -> bool;

    /// Polls a future for [`block_on`](crate::block_on) by a call of `poll`, on the green thread
    /// that has called it. It can do something before and after. Other green threads run inside if
    /// the future waits by means of this crate.
    fn poll(&self, poll: &mut dyn FnMut()) {
        poll();
    }
}
