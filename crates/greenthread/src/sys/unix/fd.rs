//! Descriptors: std's own types.

use std::os::fd::AsRawFd;
pub(crate) use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The name of the field that shows a socket's number in its debug output.
pub(crate) const FIELD: &str = "fd";

/// Returns the number of a descriptor, for debug output.
pub(crate) fn number(descriptor: impl AsFd) -> impl std::fmt::Debug {
    descriptor.as_fd().as_raw_fd()
}
