//! The standard error of the process, for messages of the library itself.

use std::io;

use rustix::{
    io::{Errno, write},
    stdio::stderr,
};

/// The number of bytes up to which a write to a pipe is written whole or not at all.
pub(crate) const ATOMIC: usize = libc::PIPE_BUF;

/// Writes everything, and blocks until it is written. If the standard error is closed, or its
/// reader is gone, the message is lost.
pub(crate) fn write_all(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match write(stderr(), bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or(&[]),
            Err(Errno::INTR) => {}
            // Another process or library has set non-blocking mode.
            Err(Errno::AGAIN) => {
                is_writable(-1);
            }
            Err(_) => return,
        }
    }
}

/// Writes as much as is possible while each piece finds space within a second. There may be no
/// reader, and the process must end. Async-signal-safe.
pub(crate) fn write_last_words(mut bytes: &[u8]) {
    while !bytes.is_empty() && is_writable(1000) {
        let piece = bytes.get(..ATOMIC).unwrap_or(bytes);
        // SAFETY: the call reads `piece`, which is valid for its length.
        let written = unsafe { libc::write(libc::STDERR_FILENO, piece.as_ptr().cast(), piece.len()) };
        match usize::try_from(written) {
            Ok(count) if count > 0 => bytes = bytes.get(count..).unwrap_or(&[]),
            Err(_) if io::Error::last_os_error().raw_os_error() == Some(libc::EINTR) => {}
            _ => return,
        }
    }
}

/// Waits until the standard error can be written to, for at most this number of milliseconds
/// (without limit if it is negative). Returns whether it can.
fn is_writable(milliseconds: i32) -> bool {
    let mut stderr = libc::pollfd { fd: libc::STDERR_FILENO, events: libc::POLLOUT, revents: 0 };
    // SAFETY: the call gets one entry, which is a local variable.
    unsafe { libc::poll(&raw mut stderr, 1, milliseconds) > 0 }
}
