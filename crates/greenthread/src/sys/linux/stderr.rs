//! The standard error of the process, for what the library itself has to say.

use std::io::{self, IoSlice};

use rustix::{
    io::{Errno, ReadWriteFlags, pwritev2, write},
    stdio::stderr,
};

/// A pipe takes so many bytes in one piece or not at all.
pub(crate) const ATOMIC: usize = libc::PIPE_BUF;

/// Writes without blocking; how much, or 0 where that can't be had.
pub(crate) fn write_now(bytes: &[u8]) -> usize {
    const HERE: u64 = u64::MAX;
    pwritev2(stderr(), &[IoSlice::new(bytes)], HERE, ReadWriteFlags::NOWAIT).unwrap_or(0)
}

/// Writes, for as long as it takes. Without a standard error, or if it is closed at the other end,
/// there is nobody to tell.
pub(crate) fn write_all(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match write(stderr(), bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or(&[]),
            Err(Errno::INTR) => {}
            // In non-blocking mode, which somebody else has set.
            Err(Errno::AGAIN) => {
                is_writable(-1);
            }
            Err(_) => return,
        }
    }
}

/// Writes if that is possible within a second: nobody may be there to read, and the process must
/// come to its end. Async-signal-safe.
pub(crate) fn write_last_words(mut bytes: &[u8]) {
    while !bytes.is_empty() && is_writable(1000) {
        let piece = bytes.get(..ATOMIC).unwrap_or(bytes);
        // SAFETY: reads `piece`.
        let written = unsafe { libc::write(libc::STDERR_FILENO, piece.as_ptr().cast(), piece.len()) };
        match usize::try_from(written) {
            Ok(count) if count > 0 => bytes = bytes.get(count..).unwrap_or(&[]),
            Err(_) if io::Error::last_os_error().raw_os_error() == Some(libc::EINTR) => {}
            _ => return,
        }
    }
}

/// Whether it can be written to, or can within so many milliseconds; for ever, if they are
/// negative.
fn is_writable(milliseconds: i32) -> bool {
    let mut stderr = libc::pollfd { fd: libc::STDERR_FILENO, events: libc::POLLOUT, revents: 0 };
    // SAFETY: one entry, which is ours.
    unsafe { libc::poll(&raw mut stderr, 1, milliseconds) > 0 }
}
