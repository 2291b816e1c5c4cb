//! Standard error, for reports of the library's own: they must not wait for whoever reads it, nor for a lock.

use std::{io, os::fd::AsFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// What a pipe with room takes without waiting.
const MOST: usize = 4096;

/// Writes a report, unless standard error is full.
pub(crate) fn tell(report: &str) {
    let stderr = io::stderr();
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let ready = poll(&mut [PollFd::new(&stderr, PollFlags::OUT)], Some(&now));
    if ready.is_ok_and(|count| count > 0) {
        let report = &report.as_bytes()[..report.len().min(MOST)];
        // Nobody is there to be told of an error.
        let _ = rustix::io::write(stderr.as_fd(), report);
    }
}
