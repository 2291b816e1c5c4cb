//! The limit on the number of open handles. Windows has none that matters: a process may have
//! sixteen million.

use std::process::Command;

/// Returns the number of handles that are possible.
pub(crate) fn most() -> u64 {
    u64::MAX
}

/// Returns the number of handles that are possible now.
pub(crate) fn limit() -> u64 {
    u64::MAX
}

/// Does nothing, since there is no limit to raise.
pub(crate) fn make_room(_: u64) {}

/// Returns `false`: no limit was raised.
pub(crate) fn is_raised() -> bool {
    false
}

/// Does nothing, since no limit was raised.
pub(crate) fn restore_for(_: &mut Command) {}
