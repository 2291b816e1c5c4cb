//! The standard error of the process, for messages of the library itself.

pub(crate) use super::super::unix::stderr::{ATOMIC, write_all, write_last_words};

/// Returns 0: macOS has no write that does not block and leaves the descriptor's mode alone. `poll`
/// before the write was rejected, because another process that writes to the same pipe may be
/// faster.
pub(crate) fn write_now(_: &[u8]) -> usize {
    0
}
