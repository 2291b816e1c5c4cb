//! What workers take of the system, descriptors above all, and what to say where it grants no more.

use std::io;

use rustix::io::Errno;

use crate::sys::descriptors;

/// The descriptors that a worker takes: to wait, to be woken, and for a ring.
const EACH: u64 = 3;

/// How many workers take no more than half of what there may be: the other half is for the program.
pub(super) fn workers() -> usize {
    usize::try_from(descriptors::most() / 2 / EACH).unwrap_or(usize::MAX).max(1)
}

/// Raises the process's limit of descriptors, if it may, by what so many workers take, where that is much of it.
pub(super) fn make(workers: usize) {
    descriptors::make_room(workers as u64 * EACH);
}

/// What to say when a worker can't be given what it waits by.
pub(super) fn refusal(error: io::Error, workers: usize) -> io::Error {
    let why = match Errno::from_io_error(&error) {
        Some(Errno::MFILE) => format!(
            "no descriptor left for {workers} workers, which take {EACH} each: raise the limit of the process, which is {} \
             (ulimit -n), or ask for fewer workers (GREENTHREAD_WORKERS)",
            descriptors::limit()
        ),
        Some(Errno::NFILE) => "no descriptor left in the system (fs.file-max)".into(),
        _ => format!("no epoll and no eventfd for a worker to wait by: {error}"),
    };
    io::Error::new(error.kind(), why)
}

/// What to say when there is no OS thread for a worker.
pub(super) fn thread_refusal(error: io::Error, workers: usize) -> io::Error {
    let why = format!(
        "no OS thread for each of {workers} workers: {error}; raise the limit (ulimit -u, or the container's), or ask for fewer \
         workers (GREENTHREAD_WORKERS)"
    );
    io::Error::new(error.kind(), why)
}
