//! The operating system's clock. No other code of the library reads it.
//!
//! Code that needs the time on behalf of a thread asks `task::time`, which may have another clock.
//! The other callers of `os_now` measure the system and not a thread's wait: how long an OS thread
//! is blocked (`parker`, `poller`), how long a refused stack is tried again (`stack::credit`), and
//! how long a worker's OS thread has not switched (`scheduler::watchdog`). Clippy rejects other
//! calls of `Instant::now` and `Instant::elapsed` (`clippy.toml`).

use std::time::Instant;

/// Returns the current time of the operating system's clock.
#[inline]
#[expect(clippy::disallowed_methods, reason = "the only place that reads the clock")]
pub(crate) fn os_now() -> Instant {
    Instant::now()
}
