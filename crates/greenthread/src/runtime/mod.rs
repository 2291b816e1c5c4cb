//! The [`Runtime`], and how threads are spawned on it.
//!
//! * `owner`: the `Runtime` that owns the workers, and how it ends. `builder`: how it is made.
//!   `config`: numbers from the program and the environment. `descriptor_limit`: what it takes of
//!   the system. `default`: the runtime that a program does not make itself.
//! * `event_loop`: a worker's OS thread, perhaps inside an event loop of another library.
//! * `spawn`: how a thread is made. `run`: how a caller runs a closure on a green thread and waits.
//! * `unblock`: how blocking calls reach the pool. `metrics`: figures.
//! * `prepare`: what is done once in a process, at its exit and at a fork. `panic_hook`: what is
//!   reported about panics.

mod builder;
#[cfg(test)]
mod clock_tests;
mod config;
mod default;
mod descriptor_limit;
#[cfg_attr(not(unix), allow(dead_code, unreachable_pub, reason = "its public API is Unix's"))]
pub(crate) mod event_loop;
mod metrics;
mod owner;
mod panic_hook;
mod prepare;
mod run;
pub(crate) mod spawn;
#[cfg(test)]
mod tests;
mod unblock;

pub use builder::RuntimeBuilder;
pub use metrics::{LaneMetrics, RuntimeMetrics};
pub use owner::Runtime;
pub use run::run;
pub(crate) use unblock::{
    unblock, unblock_disk, unblock_interruptible, unblock_wait, unblock_wait_unchecked,
};

use crate::{driver::Driver, scheduler::worker};

/// Returns the driver of the calling green thread's worker, or `None` on an OS thread and where the
/// caller may not be suspended.
#[inline]
pub(crate) fn driver<'a>() -> Option<&'a Driver> {
    worker::running().map(|(worker, _)| &worker.driver)
}
