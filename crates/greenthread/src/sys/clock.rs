//! The operating system's clock. Nothing else in the library reads it.
//!
//! Code that asks for the time on behalf of a thread asks `task::time`, which may have another
//! clock. The other callers of `os_now` measure what the system does, and no thread's wait: how
//! long an OS thread is blocked (`parker`, `poller`), how long a refused stack is tried again
//! (`stack::credit`), how long a worker's OS thread has not switched (`scheduler::watchdog`).
//! clippy refuses other calls of `Instant::now` and `Instant::elapsed` (`clippy.toml`).

use std::time::Instant;

/// The present moment, as the operating system has it.
#[inline]
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) fn os_now() -> Instant {
    Instant::now()
}
