//! Many sends in one system call: Linux's io_uring, as far as a worker uses it.
//!
//! A ring is made by the OS thread that uses it and never leaves it (`SINGLE_ISSUER`). Sends carry `MSG_DONTWAIT`, so the
//! kernel has an answer for each before the call that hands them over returns: nothing is ever under way in between.
//!
//! Another system's file may offer a [`Ring`] that can't be made; its sends are then made one by one.
//!
//! Invariants:
//! 1. The bytes of a send stay readable until `submit` has given its answer, or the ring has been dropped.

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd},
};

use io_uring::{IoUring, opcode, types::Fd};
use rustix::net::SendFlags;

/// See the module.
pub(crate) struct Ring(IoUring);

impl Ring {
    /// A ring for up to `sends` at once.
    ///
    /// # Errors
    /// The system has none (before Linux 6.1), forbids it (containers often do), or has no memory or descriptor left.
    pub(crate) fn new(sends: u32) -> io::Result<Self> {
        IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_submit_all()
            .dontfork()
            .build(sends)
            .map(Self)
    }

    /// Puts a send into the next batch; `false` if there is no room.
    ///
    /// # Safety
    /// Invariant 1 for `bytes`.
    pub(crate) unsafe fn send(
        &mut self,
        socket: BorrowedFd<'_>,
        bytes: &[u8],
        flags: SendFlags,
        tag: u64,
    ) -> bool {
        // What doesn't fit into the kernel's number is for the next call.
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let send = opcode::Send::new(Fd(socket.as_raw_fd()), bytes.as_ptr(), len);
        let entry = send.flags(flags.bits() as i32).build().user_data(tag);
        // SAFETY: the bytes stay, says the caller. The kernel looks the descriptor up when the batch is handed over, and if it
        // is closed by then, says so.
        unsafe { self.0.submission().push(&entry) }.is_ok()
    }

    /// Hands the batch over, and passes the answers on: the tag, and how much was sent or the negative error number.
    ///
    /// # Errors
    /// The kernel has not taken all of it. Some may have been answered; the ring is of no use any more.
    pub(crate) fn submit(&mut self, mut answer: impl FnMut(u64, i32)) -> io::Result<()> {
        let (sends, mut answered) = (self.0.submission().len(), 0);
        loop {
            // The answers are there when the call is back; only of a strange kernel they must be waited for.
            let wait = usize::from(self.0.submission().is_empty());
            let result = self.0.submit_and_wait(wait);
            for entry in self.0.completion() {
                answer(entry.user_data(), entry.result());
                answered += 1;
            }
            match result {
                _ if answered == sends => return Ok(()),
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
    }
}

impl std::fmt::Debug for Ring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ring").finish_non_exhaustive()
    }
}
