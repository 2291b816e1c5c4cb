//! The [`Runtime`], and how a thread comes to be on it.
//!
//! * `owner`: what a runtime owns, and how it ends. `builder`: how it is made. `config`: numbers from the program and the environment.
//!   `descriptor_limit`: what it takes of the system. `default`: the one that needs no making.
//! * `spawn`: how a thread comes to be. `run`: how an OS thread steps onto one.
//! * `unblock`: the door for blocking work. `metrics`: figures.
//! * `prepare`: what is done once in a process, at its exit and at a fork. `panic_hook`: what is said about panics.

mod builder;
mod config;
mod default;
mod descriptor_limit;
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
pub(crate) use unblock::{unblock, unblock_disk, unblock_wait};

use crate::{driver::Driver, scheduler::worker};

/// The driver of the calling green thread's worker; none on an OS thread, or where nothing may switch.
#[inline]
pub(crate) fn driver<'a>() -> Option<&'a Driver> {
    worker::running().map(|(worker, _)| &worker.driver)
}
