//! The descriptors and OS threads that workers take of the system, and the errors if it grants no
//! more.

use std::io;

use crate::sys::{descriptors, error::OsError};

/// How many descriptors a worker takes at most: one to wait, one to be woken, one for io_uring.
const EACH: u64 = 3;

/// Returns how many workers take at most half of the hard limit of descriptors, and at least one.
/// The other half is for the program.
pub(super) fn workers() -> usize {
    usize::try_from(descriptors::most() / 2 / EACH).unwrap_or(usize::MAX).max(1)
}

/// Raises the process's soft limit of descriptors by what `workers` take, if that is much of it and
/// the hard limit allows it.
pub(super) fn make(workers: usize) {
    descriptors::make_room(workers as u64 * EACH);
}

/// Returns the error for a worker whose driver could not be made.
pub(super) fn refusal(error: io::Error, workers: usize) -> io::Error {
    let why = match OsError::of(&error) {
        Some(OsError::PROCESS_DESCRIPTORS) => format!(
            "no descriptor left for {workers} workers, which take {EACH} each: raise the limit of the process, which is {} \
             (ulimit -n), or ask for fewer workers (GREENTHREAD_WORKERS)",
            descriptors::limit()
        ),
        Some(OsError::SYSTEM_DESCRIPTORS) => "no descriptor left in the system (fs.file-max)".into(),
        _ => format!("no epoll and no eventfd for a worker to wait by: {error}"),
    };
    io::Error::new(error.kind(), why)
}

/// Returns the error for a worker whose OS thread could not be started.
pub(super) fn thread_refusal(error: io::Error, workers: usize) -> io::Error {
    let why = format!(
        "no OS thread for each of {workers} workers: {error}; raise the limit (ulimit -u, or the container's), or ask for fewer \
         workers (GREENTHREAD_WORKERS)"
    );
    io::Error::new(error.kind(), why)
}
