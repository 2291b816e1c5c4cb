//! Operations that the kernel carries out on the memory of a waiting thread: Linux's io_uring, as
//! far as a worker uses it.
//!
//! A ring is made by the OS thread that uses it, and never leaves that thread (`SINGLE_ISSUER`).
//! The remaining work for an operation is done when that thread asks for answers, and not inside
//! any other system call (`DEFER_TASKRUN`). An eventfd reports answers, but only while a thread
//! sleeps on it: see `watch`. (epoll cannot wait for such a ring itself: it learns of answers, but
//! not of work that leads to an answer.)
//!
//! Invariants:
//! 1. The memory that an operation points to stays in place, and no other code uses it, from `push`
//!    until the operation's answer has been passed on. Each operation that was handed over has one
//!    answer; `under_way` counts the operations whose answer is still to come. A ring is not
//!    dropped while that count is above 0: it cancels these operations, and waits until the kernel
//!    has answered them. If the kernel refuses to answer, the ring is leaked, and the memory stays
//!    with the kernel.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::ManuallyDrop,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
    sync::atomic::{Ordering::SeqCst, fence},
};

use io_uring::{
    EnterFlags, IoUring, opcode, squeue,
    types::{CancelBuilder, Fd, FsyncFlags, Timespec},
};
use rustix::io::Errno;

use super::{
    error::{OsError, OsResult},
    poller::Waker,
    quirks::NONBLOCKING_SEND,
};

/// The largest number of bytes that one call moves: the kernel's own limit.
const MOST_BYTES: usize = 0x7fff_f000;

/// The offset that means the file's own position.
const HERE: u64 = u64::MAX;

/// An operation for the kernel. A length that exceeds the kernel's limit is cut to the limit; the
/// caller makes another call for the rest.
#[derive(Clone, Debug)]
pub(crate) struct Operation(squeue::Entry);

impl Operation {
    /// Sends as much as the socket's buffer takes, without waiting. The answer is there when the
    /// call that hands the operation over returns.
    pub(crate) fn send(socket: BorrowedFd<'_>, bytes: &[u8]) -> Self {
        const FLAGS: i32 = NONBLOCKING_SEND.bits() as i32;
        let send = opcode::Send::new(Fd(socket.as_raw_fd()), bytes.as_ptr(), length(bytes.len()));
        Self(send.flags(FLAGS).build())
    }

    /// Reads at an offset, or without an offset from a file that has no position.
    pub(crate) fn read(file: impl AsFd, buffers: &mut [IoSliceMut<'_>], offset: Option<u64>) -> Option<Self> {
        let (file, offset) = (Fd(file.as_fd().as_raw_fd()), checked(offset)?);
        Some(Self(match buffers {
            [one] => opcode::Read::new(file, one.as_mut_ptr(), length(one.len())).offset(offset).build(),
            // `IoSliceMut` has the layout of an `iovec`, as std guarantees.
            all => opcode::Readv::new(file, all.as_ptr().cast(), length(all.len())).offset(offset).build(),
        }))
    }

    /// Writes at an offset, or without an offset to a file that has no position.
    pub(crate) fn write(file: impl AsFd, buffers: &[IoSlice<'_>], offset: Option<u64>) -> Option<Self> {
        let (file, offset) = (Fd(file.as_fd().as_raw_fd()), checked(offset)?);
        Some(Self(match buffers {
            [one] => opcode::Write::new(file, one.as_ptr(), length(one.len())).offset(offset).build(),
            all => opcode::Writev::new(file, all.as_ptr().cast(), length(all.len())).offset(offset).build(),
        }))
    }

    /// Waits until a file is on the disk: only its data, or its data and all of its metadata.
    pub(crate) fn sync(file: impl AsFd, data_only: bool) -> Self {
        let flags = if data_only { FsyncFlags::DATASYNC } else { FsyncFlags::empty() };
        Self(opcode::Fsync::new(Fd(file.as_fd().as_raw_fd())).flags(flags).build())
    }
}

fn length(len: usize) -> u32 {
    len.min(MOST_BYTES) as u32
}

/// Converts an offset for the kernel. No file extends beyond the largest signed number, and larger
/// values have other meanings.
fn checked(offset: Option<u64>) -> Option<u64> {
    offset.map_or(Some(HERE), |offset| (offset <= i64::MAX as u64).then_some(offset))
}

/// Returns whether the system lacks a resource for a ring now, and may have it later. Any other
/// error means that the system has no rings or forbids them.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::AGAIN | Errno::BUSY)
    )
}

/// An io_uring that one OS thread uses; see the module's documentation.
pub(crate) struct Ring {
    ring: ManuallyDrop<IoUring>,
    /// The number of operations that were handed over and not answered.
    under_way: u32,
}

impl Ring {
    /// Makes a ring that takes `batch` operations at once, with space for the answers of `most`
    /// operations.
    ///
    /// # Errors
    /// An error if the system has no such rings (before Linux 6.1), forbids them (containers often
    /// do), or has no memory or descriptor left.
    pub(crate) fn new(batch: u32, most: u32) -> io::Result<Self> {
        let mut ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .setup_submit_all()
            .setup_cqsize(most)
            .dontfork()
            .build(batch)?;
        ring.completion().disable_eventfd();
        Ok(Self { ring: ManuallyDrop::new(ring), under_way: 0 })
    }

    /// Makes answers, and work that may lead to answers, wake the thread that sleeps on the waker's
    /// poller, between `watch` and `unwatch`.
    pub(crate) fn tell(&self, waker: &Waker) -> io::Result<()> {
        self.ring.submitter().register_eventfd(waker.as_fd().as_raw_fd())
    }

    /// Puts an operation into the next batch. Returns `false` if the batch is full.
    ///
    /// # Safety
    /// Invariant 1 holds for all memory that the operation points to. Its descriptor is open until
    /// the operation is handed over.
    pub(crate) unsafe fn push(&mut self, operation: Operation, tag: u64) -> bool {
        let entry = operation.0.user_data(tag);
        // SAFETY: the memory stays until the answer has been passed on (invariant 1, for which the
        // caller vouches). The kernel looks the descriptor up when the batch is handed over, and
        // then keeps the file open.
        unsafe { self.ring.submission().push(&entry) }.is_ok()
    }

    /// Hands the batch over, waits for `wait` answers (or a signal), and passes on all answers that
    /// are there: the tag, and the result that the system call would have had.
    ///
    /// # Errors
    /// An error if the kernel has not taken the whole batch. `left` returns how many operations at
    /// its end were not taken; some of the others may have been answered. After an error the ring
    /// accepts nothing more, and only `collect` may be called.
    pub(crate) fn submit(
        &mut self,
        wait: u32,
        mut answer: impl FnMut(u64, OsResult<usize>),
    ) -> io::Result<()> {
        loop {
            let count = self.ring.submission().len() as u32;
            self.enter(count, wait, &mut answer)?;
            if self.ring.submission().is_empty() {
                return Ok(());
            }
        }
    }

    /// Asks the kernel to cancel an operation that was handed over. It is answered in any case:
    /// with `ECANCELED` or `EINTR` if it had not begun or has moved nothing, otherwise with its
    /// result.
    pub(crate) fn cancel(&self, tag: u64) {
        // Without a time limit the call would wait for an operation that can't be cancelled. It
        // fails if there is no such operation any more.
        let _ =
            self.ring.submitter().register_sync_cancel(Some(Timespec::new()), CancelBuilder::user_data(tag));
    }

    /// Returns how many operations of the batch were not handed over.
    pub(crate) fn left(&mut self) -> u32 {
        self.ring.submission().len() as u32
    }

    /// Passes on the answers that are there, and hands nothing over.
    ///
    /// # Errors
    /// An error if the kernel was not able to look for more answers.
    pub(crate) fn collect(&mut self, mut answer: impl FnMut(u64, OsResult<usize>)) -> io::Result<()> {
        self.enter(0, 0, &mut answer)
    }

    /// Makes one system call for `submit`.
    fn enter(
        &mut self,
        count: u32,
        wait: u32,
        answer: &mut impl FnMut(u64, OsResult<usize>),
    ) -> io::Result<()> {
        let flags = EnterFlags::GETEVENTS.bits();
        // SAFETY: there is no signal mask, so no pointer is passed.
        let result = unsafe { self.ring.submitter().enter::<libc::sigset_t>(count, wait, flags, None) };
        if let Ok(taken) = result {
            self.under_way += taken as u32;
        }
        for entry in self.ring.completion() {
            self.under_way -= 1;
            let result = usize::try_from(entry.result());
            let result = result.map_err(|_| OsError::from(Errno::from_raw_os_error(-entry.result())));
            answer(entry.user_data(), result);
        }
        match result {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => Ok(()),
        }
    }

    /// Returns whether there are answers, or work that may lead to answers. `submit` takes them.
    pub(crate) fn has_news(&mut self) -> bool {
        self.under_way != 0 && (self.ring.submission().taskrun() || !self.ring.completion().is_empty())
    }

    /// Makes answers wake the thread that sleeps on the waker's poller. Returns `true` if there are
    /// answers already, for which no wake-up will come.
    pub(crate) fn watch(&mut self) -> bool {
        self.ring.completion().enable_eventfd();
        // This is a store-load handshake. This thread enables the eventfd, and then looks for work.
        // The kernel records that there is work, and then checks whether the eventfd is enabled. At
        // least one of the two sees the other.
        fence(SeqCst);
        self.has_news()
    }

    /// Ends the wake-ups that `watch` has enabled.
    pub(crate) fn unwatch(&mut self) {
        self.ring.completion().disable_eventfd();
    }

    /// Cancels the operations that are under way, and passes their answers on: a cancelled
    /// operation is answered with `ECANCELED`. Operations that were not handed over never will be,
    /// and have no answer.
    ///
    /// # Errors
    /// An error if the kernel does not confirm that it no longer uses the memory.
    fn end(&mut self, mut answer: impl FnMut(u64, OsResult<usize>)) -> io::Result<()> {
        if self.under_way != 0 {
            // An operation that cannot be cancelled, such as a write to a disk that has begun, ends
            // by itself.
            let _ = self.ring.submitter().register_sync_cancel(Some(Timespec::new()), CancelBuilder::any());
        }
        while self.under_way != 0 {
            self.enter(0, 1, &mut answer)?;
        }
        Ok(())
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // If the kernel does not confirm that it no longer uses the memory, the ring is leaked, and
        // the memory stays with the kernel (invariant 1).
        if self.end(|_, _| {}).is_ok() {
            // SAFETY: the ring is dropped only here, once.
            unsafe { ManuallyDrop::drop(&mut self.ring) };
        }
    }
}

impl std::fmt::Debug for Ring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ring").field("under_way", &self.under_way).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Write, pipe};

    use super::*;

    /// Makes a ring, if the system has rings.
    fn ring() -> Option<Ring> {
        Ring::new(4, 8).ok()
    }

    #[test]
    fn operations_under_way_are_cancelled() {
        let (Some(mut ring), (reader, writer)) = (ring(), pipe().unwrap()) else { return };
        let mut memory = [[7; 4]; 3];
        for (tag, bytes) in memory.iter_mut().enumerate() {
            let read = Operation::read(&reader, &mut [IoSliceMut::new(bytes)], None).unwrap();
            // SAFETY: `memory` stays in place until the end of the test (invariant 1).
            assert!(unsafe { ring.push(read, tag as u64) });
        }
        let mut answers = Vec::new();
        ring.submit(0, |tag, answer| answers.push((tag, answer))).unwrap();
        assert!(answers.is_empty() && ring.under_way == 3 && !ring.has_news());
        (&writer).write_all(b"one").unwrap();
        ring.submit(1, |tag, answer| answers.push((tag, answer))).unwrap();
        let [(first, Ok(3))] = answers[..] else { panic!("{answers:?}") };
        assert_eq!(&memory[first as usize], b"one\x07");
        // This operation is never handed over, so it has no answer.
        let read = Operation::read(&reader, &mut [IoSliceMut::new(&mut memory[first as usize])], None);
        // SAFETY: `memory` stays in place until the end of the test (invariant 1).
        assert!(unsafe { ring.push(read.unwrap(), 9) });
        ring.end(|tag, answer| answers.push((tag, answer))).unwrap();
        let cancelled = Err(OsError::CANCELED);
        assert!(
            answers.len() == 3 && answers[1..].iter().all(|(tag, answer)| *tag < 3 && *answer == cancelled)
        );
        drop(ring);
        (&writer).write_all(b"two").unwrap();
        assert_eq!(memory.concat().iter().filter(|byte| **byte == 7).count(), 9, "nobody has read it");
    }

    #[test]
    fn only_a_watching_sleeper_is_told_of_answers() {
        use crate::sys::poller::{Events, Poller};
        use std::time::{Duration, Instant};

        let (Some(mut ring), (reader, writer)) = (ring(), pipe().unwrap()) else { return };
        let (poller, mut events) = (Poller::new().unwrap(), Events::with_capacity(4).unwrap());
        ring.tell(&poller.waker()).unwrap();
        let short = Some(Duration::from_millis(2));
        // This takes the event that registering the eventfd causes.
        poller.wait(Some(Duration::ZERO), &mut events).unwrap();
        for round in 0..3 {
            let mut byte = [0];
            let read = Operation::read(&reader, &mut [IoSliceMut::new(&mut byte)], None).unwrap();
            // SAFETY: `byte` stays in place until the operation is answered below (invariant 1).
            assert!(unsafe { ring.push(read, 0) });
            ring.submit(0, |_, _| panic!("there is nothing to read")).unwrap();
            if round == 1 {
                // The data comes before `watch`: the poller is not woken, and `watch` reports it.
                (&writer).write_all(b"x").unwrap();
                let start = Instant::now();
                poller.wait(short, &mut events).unwrap();
                assert!(start.elapsed() >= Duration::from_millis(2), "nobody watches");
                assert!(ring.watch());
            } else {
                assert!(!ring.watch());
                (&writer).write_all(b"x").unwrap();
                poller.wait(None, &mut events).unwrap();
            }
            ring.unwatch();
            assert!(ring.has_news());
            let mut answered = 0;
            ring.submit(0, |_, answer| answered += answer.unwrap()).unwrap();
            assert_eq!((answered, byte, ring.under_way), (1, *b"x", 0));
        }
    }
}
