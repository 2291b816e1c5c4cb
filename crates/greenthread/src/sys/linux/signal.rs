//! Signals: the handler for memory faults, and the numbers of the other signals.

use libc::c_int;

pub use super::super::unix::signal::*;

/// Returns the largest signal number.
pub(crate) fn last() -> c_int {
    libc::SIGRTMAX()
}
