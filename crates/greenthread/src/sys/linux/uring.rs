//! Operations that the kernel carries out on a waiting thread's own memory: Linux's io_uring, as
//! far as a worker uses it.
//!
//! A ring is made by the OS thread that uses it and never leaves it (`SINGLE_ISSUER`); what remains
//! to be done for an operation is done when that thread asks for answers, and not inside of any
//! other system call (`DEFER_TASKRUN`). An eventfd tells of answers, but only while somebody sleeps
//! on it: see [`Ring::watch`]. (epoll can't wait for such a ring itself: it hears of answers, not
//! of work that leads to one.)
//!
//! Invariants:
//! 1. What an operation points to stays where it is, and is nobody else's, from `push` until its
//!    answer has been passed on. Each operation that was handed over has one answer; `under_way`
//!    counts those that it is still to come for. A ring isn't dropped before that count is 0: it
//!    cancels what is under way and waits for the kernel's last word on it. Where the kernel
//!    refuses that last word, the ring is leaked; the memory has been left to it by then.

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
    socket::NONBLOCKING_SEND,
};

/// No call moves more: the kernel's own limit.
const MOST_BYTES: usize = 0x7fff_f000;

/// For the kernel: where the file stands.
const HERE: u64 = u64::MAX;

/// Something for the kernel to do. Its length is what fits into the kernel's number; the rest is
/// for the next call.
#[derive(Clone, Debug)]
pub(crate) struct Operation(squeue::Entry);

impl Operation {
    /// Sends what there is room for, without waiting: it is answered before the call that hands it
    /// over is back.
    pub(crate) fn send(socket: BorrowedFd<'_>, bytes: &[u8]) -> Self {
        const FLAGS: i32 = NONBLOCKING_SEND.bits() as i32;
        let send = opcode::Send::new(Fd(socket.as_raw_fd()), bytes.as_ptr(), length(bytes.len()));
        Self(send.flags(FLAGS).build())
    }

    /// Reads at an offset; without one, from what has no position.
    pub(crate) fn read(file: impl AsFd, buffers: &mut [IoSliceMut<'_>], offset: Option<u64>) -> Option<Self> {
        let (file, offset) = (Fd(file.as_fd().as_raw_fd()), checked(offset)?);
        Some(Self(match buffers {
            [one] => opcode::Read::new(file, one.as_mut_ptr(), length(one.len())).offset(offset).build(),
            // `IoSliceMut` has the layout of an `iovec`, by std's promise.
            all => opcode::Readv::new(file, all.as_ptr().cast(), length(all.len())).offset(offset).build(),
        }))
    }

    /// Writes at an offset; without one, to what has no position.
    pub(crate) fn write(file: impl AsFd, buffers: &[IoSlice<'_>], offset: Option<u64>) -> Option<Self> {
        let (file, offset) = (Fd(file.as_fd().as_raw_fd()), checked(offset)?);
        Some(Self(match buffers {
            [one] => opcode::Write::new(file, one.as_ptr(), length(one.len())).offset(offset).build(),
            all => opcode::Writev::new(file, all.as_ptr().cast(), length(all.len())).offset(offset).build(),
        }))
    }

    /// Waits until a file is on the disk: its data alone, or all that is known about it.
    pub(crate) fn sync(file: impl AsFd, data_only: bool) -> Self {
        let flags = if data_only { FsyncFlags::DATASYNC } else { FsyncFlags::empty() };
        Self(opcode::Fsync::new(Fd(file.as_fd().as_raw_fd())).flags(flags).build())
    }
}

fn length(len: usize) -> u32 {
    len.min(MOST_BYTES) as u32
}

/// The kernel's way to say it. No file reaches beyond the largest signed number, and what lies
/// there has other meanings.
fn checked(offset: Option<u64>) -> Option<u64> {
    offset.map_or(Some(HERE), |offset| (offset <= i64::MAX as u64).then_some(offset))
}

/// Whether the system lacks something for a ring, and may have it later; else it has no rings, or
/// doesn't want them.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::AGAIN | Errno::BUSY)
    )
}

/// See the module.
pub(crate) struct Ring {
    ring: ManuallyDrop<IoUring>,
    /// Handed over, and not answered.
    under_way: u32,
}

impl Ring {
    /// A ring that takes `batch` operations at once, with room for the answers of `most`.
    ///
    /// # Errors
    /// The system has none (before Linux 6.1), forbids it (containers often do), or has no memory
    /// or descriptor left.
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

    /// From now on news wake whoever sleeps on this, between `watch` and `unwatch`.
    pub(crate) fn tell(&self, waker: &Waker) -> io::Result<()> {
        self.ring.submitter().register_eventfd(waker.as_fd().as_raw_fd())
    }

    /// Puts an operation into the next batch; `false` if there is no room.
    ///
    /// # Safety
    /// Invariant 1 for all that the operation points to; its descriptor is open until it is handed
    /// over.
    pub(crate) unsafe fn push(&mut self, operation: Operation, tag: u64) -> bool {
        let entry = operation.0.user_data(tag);
        // SAFETY: what it points to stays, says the caller. The kernel looks the descriptor up when
        // the batch is handed over, and keeps what is open.
        unsafe { self.ring.submission().push(&entry) }.is_ok()
    }

    /// Hands the batch over, waits for `wait` answers (or a signal), and passes on all that there
    /// are: the tag, and what the system call would have returned.
    ///
    /// # Errors
    /// The kernel has not taken all of the batch: the last of it, as many as `left` says. Some of
    /// the others may have been answered. From then on the ring is good for nothing but `collect`,
    /// and takes no more.
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

    /// How many of the batch were not handed over.
    pub(crate) fn left(&mut self) -> u32 {
        self.ring.submission().len() as u32
    }

    /// Passes on the answers that there are, and hands nothing over.
    ///
    /// # Errors
    /// The kernel has not been able to look for more.
    pub(crate) fn collect(&mut self, mut answer: impl FnMut(u64, OsResult<usize>)) -> io::Result<()> {
        self.enter(0, 0, &mut answer)
    }

    /// One system call for `submit`.
    fn enter(
        &mut self,
        count: u32,
        wait: u32,
        answer: &mut impl FnMut(u64, OsResult<usize>),
    ) -> io::Result<()> {
        let flags = EnterFlags::GETEVENTS.bits();
        // SAFETY: no signal mask is given.
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

    /// Whether there are answers, or work that may lead to some: `submit` takes them.
    pub(crate) fn has_news(&mut self) -> bool {
        self.under_way != 0 && (self.ring.submission().taskrun() || !self.ring.completion().is_empty())
    }

    /// From now on news wake the sleeper; `true` if there are some already, of which it will not be
    /// told.
    pub(crate) fn watch(&mut self) -> bool {
        self.ring.completion().enable_eventfd();
        // The kernel notes that there is work, and then looks whether to tell of it: one of us sees
        // the other.
        fence(SeqCst);
        self.has_news()
    }

    /// Ends what `watch` began.
    pub(crate) fn unwatch(&mut self) {
        self.ring.completion().disable_eventfd();
    }

    /// Ends what is under way as soon as may be, and passes the answers on: who was cancelled hears
    /// of `ECANCELED`. What was not handed over never will be, and has no answer.
    ///
    /// # Errors
    /// The kernel doesn't say that it has let go.
    fn end(&mut self, mut answer: impl FnMut(u64, OsResult<usize>)) -> io::Result<()> {
        if self.under_way != 0 {
            // What can't be cancelled, as a write to a disk that has begun, comes to its own end.
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
        // If the kernel doesn't say that it has let go, the ring stays, and so, says invariant 1,
        // does the memory.
        if self.end(|_, _| {}).is_ok() {
            // SAFETY: dropped once, here.
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

    /// A ring, unless there is none here.
    fn ring() -> Option<Ring> {
        Ring::new(4, 8).ok()
    }

    #[test]
    fn what_is_under_way_is_cancelled() {
        let (Some(mut ring), (reader, writer)) = (ring(), pipe().unwrap()) else { return };
        let mut memory = [[7; 4]; 3];
        for (tag, bytes) in memory.iter_mut().enumerate() {
            let read = Operation::read(&reader, &mut [IoSliceMut::new(bytes)], None).unwrap();
            // SAFETY: `memory` stays until the end.
            assert!(unsafe { ring.push(read, tag as u64) });
        }
        let mut answers = Vec::new();
        ring.submit(0, |tag, answer| answers.push((tag, answer))).unwrap();
        assert!(answers.is_empty() && ring.under_way == 3 && !ring.has_news());
        (&writer).write_all(b"one").unwrap();
        ring.submit(1, |tag, answer| answers.push((tag, answer))).unwrap();
        let [(first, Ok(3))] = answers[..] else { panic!("{answers:?}") };
        assert_eq!(&memory[first as usize], b"one\x07");
        // Not handed over: it has no answer.
        let read = Operation::read(&reader, &mut [IoSliceMut::new(&mut memory[first as usize])], None);
        // SAFETY: as above.
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
    fn who_sleeps_is_told_of_news_and_nobody_else() {
        use crate::sys::poller::{Events, Poller};
        use std::time::{Duration, Instant};

        let (Some(mut ring), (reader, writer)) = (ring(), pipe().unwrap()) else { return };
        let (poller, mut events) = (Poller::new().unwrap(), Events::with_capacity(4).unwrap());
        ring.tell(&poller.waker()).unwrap();
        let short = Some(Duration::from_millis(2));
        // What the creation of the eventfd itself tells.
        poller.wait(Some(Duration::ZERO), &mut events).unwrap();
        for round in 0..3 {
            let mut byte = [0];
            let read = Operation::read(&reader, &mut [IoSliceMut::new(&mut byte)], None).unwrap();
            // SAFETY: `byte` stays until it is answered below.
            assert!(unsafe { ring.push(read, 0) });
            ring.submit(0, |_, _| panic!("there is nothing to read")).unwrap();
            if round == 1 {
                // Too early for the sleeper: it hears of it before it sleeps.
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
