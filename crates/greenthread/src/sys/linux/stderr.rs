//! The standard error of the process, for messages of the library itself.

use std::io::IoSlice;

use rustix::{
    io::{ReadWriteFlags, pwritev2},
    stdio::stderr,
};

pub(crate) use super::super::unix::stderr::{ATOMIC, write_all, write_last_words};

/// Writes without blocking, and returns the number of bytes written, or 0 if that is impossible.
pub(crate) fn write_now(bytes: &[u8]) -> usize {
    const HERE: u64 = u64::MAX;
    pwritev2(stderr(), &[IoSlice::new(bytes)], HERE, ReadWriteFlags::NOWAIT).unwrap_or(0)
}
