//! Readiness of descriptors: kqueue.
//!
//! A descriptor is added once, with a filter for each direction, edge-triggered (`EV_CLEAR`).
//! Adding it reports what it is ready for at that moment. After that each activation of a filter
//! (new data, new space, the end) gives one event, until it is deleted (kqueue(2)).
//!
//! The crate `polling` was rejected: it does not pass on `EV_EOF`, which says that a short read is
//! not the last, and it keeps a set of descriptors of its own behind locks.
//!
//! Invariants:
//! 1. A descriptor is open while it is registered: whoever adds it deletes it before closing it.
//!    (If not, the kernel deletes it on close.)
//! 2. A change or an event holds numbers. No pointer is stored in it.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    ptr,
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::{
    buffer::spare_capacity,
    event::{
        PollFd, PollFlags, Timespec,
        kqueue::{Event, EventFilter, EventFlags, UserDefinedFlags, UserFlags, kevent_timespec, kqueue},
        poll,
    },
    io::{Errno, FdFlags, fcntl_setfd},
};

pub(crate) use super::super::unix::alarm::Alarm;
use super::{
    super::{
        clock::os_now,
        readiness::{Interest, Readiness},
    },
    error::{OsError, OsResult},
};

#[inline]
fn readiness(event: &Event) -> Option<Readiness> {
    let ended = event.flags().contains(EventFlags::EOF);
    match event.filter() {
        // `EV_OOBAND` and a socket's error come with this filter too, and the end of a pipe's
        // reader wakes its writer by this filter.
        EventFilter::Read(_) => Some(Readiness {
            readable: true,
            writable: ended,
            read_ahead: ended || event.flags().contains(OUT_OF_BAND),
            write_ahead: false,
        }),
        EventFilter::Write(_) => {
            Some(Readiness { readable: false, writable: true, read_ahead: false, write_ahead: ended })
        }
        // A wake-up.
        _ => None,
    }
}

/// `EV_OOBAND` (`bsd/sys/event.h`): there is urgent data. rustix lacks it.
const OUT_OF_BAND: EventFlags = EventFlags::from_bits_retain(0x2000);

/// A kqueue with a waker. Any OS thread may use `add`, `delete` and the waker. No child process
/// inherits a kqueue (kqueue(2)).
#[derive(Debug)]
pub(crate) struct Poller(Arc<Waker>);

impl Poller {
    /// # Errors
    /// An error if no descriptor or no memory is left.
    pub(crate) fn new() -> io::Result<Self> {
        let queue = kqueue()?;
        // A process that calls exec itself would keep it.
        fcntl_setfd(&queue, FdFlags::CLOEXEC)?;
        let waker = Waker { queue };
        waker.change(EventFlags::ADD | EventFlags::CLEAR, UserFlags::empty())?;
        Ok(Self(Arc::new(waker)))
    }

    pub(crate) fn waker(&self) -> Arc<Waker> {
        self.0.clone()
    }

    /// Starts to report events for both directions of a descriptor, with `key`. Readiness that
    /// exists already is reported first.
    ///
    /// It suffices if the system can wait for one direction: a kqueue is only read, and the writing
    /// end of a pipe without a reader is refused with `EPIPE`, as its writes are.
    ///
    /// # Errors
    /// `NOT_POLLABLE` if the descriptor cannot be waited for, or the system's error if it lacks
    /// memory.
    pub(crate) fn add(&self, descriptor: BorrowedFd<'_>, key: u64) -> io::Result<()> {
        let flags = EventFlags::ADD | EventFlags::CLEAR;
        match self.change(descriptor, flags, key)? {
            [None, _] | [_, None] => Ok(()),
            // What the filter of a device, a file or another object says (`bsd/kern/kern_event.c`,
            // `bsd/miscfs/specfs/spec_vnops.c`).
            [Some(Errno::INVAL | Errno::NODEV | Errno::NOTSUP | Errno::OPNOTSUPP | Errno::PERM), _] => {
                Err(OsError::NOT_POLLABLE.into())
            }
            [Some(error), _] => Err(error.into()),
        }
    }

    /// Does nothing: each change is an event anyway.
    #[inline(always)]
    pub(crate) fn arm(&self, _: BorrowedFd<'_>, _: Interest) -> io::Result<()> {
        Ok(())
    }

    /// Ends the reports that `add` started. An event that was taken from the kernel before may
    /// still be processed afterwards.
    pub(crate) fn delete(&self, descriptor: BorrowedFd<'_>) -> io::Result<()> {
        match self.change(descriptor, EventFlags::DELETE, 0)? {
            [None, _] | [_, None] => Ok(()),
            [Some(error), _] => Err(error.into()),
        }
    }

    /// Changes the filters for reading and writing, and returns the error of each.
    fn change(
        &self,
        descriptor: BorrowedFd<'_>,
        flags: EventFlags,
        key: u64,
    ) -> rustix::io::Result<[Option<Errno>; 2]> {
        let number = descriptor.as_raw_fd();
        // With `EV_RECEIPT` the kernel answers each change, and returns no other events.
        let change = |filter| {
            Event::new(filter, flags | EventFlags::RECEIPT, ptr::without_provenance_mut(key as usize))
        };
        let changes = [change(EventFilter::Read(number)), change(EventFilter::Write(number))];
        let mut answers = Vec::new();
        answers.try_reserve_exact(changes.len()).map_err(|_| Errno::NOMEM)?;
        // SAFETY: the descriptor is borrowed, so it is open. It is deleted before it is closed
        // (invariant 1).
        unsafe { kevent_timespec(&self.0.queue, &changes, spare_capacity(&mut answers), None)? };
        let error = |answer: &Event| {
            let number = i32::try_from(answer.data()).unwrap_or(0);
            (number != 0).then(|| Errno::from_raw_os_error(number))
        };
        match &answers[..] {
            [read, write] => Ok([error(read), error(write)]),
            _ => Err(Errno::IO),
        }
    }

    /// Does nothing: the kernel ends all reports with the descriptor.
    pub(crate) fn close(&self) {}

    /// Sleeps until there are events or a wake-up, or until the timeout has passed (`None`: no
    /// limit; zero: does not sleep). The events replace those in `events`. A signal may end the
    /// wait early.
    pub(crate) fn wait(&self, timeout: Option<Duration>, events: &mut Events) -> OsResult<()> {
        events.list.clear();
        let timeout = timeout.map(rounded);
        // SAFETY: there are no changes. The registered descriptors are open (invariant 1).
        let result = unsafe {
            kevent_timespec(&self.0.queue, &[], spare_capacity(&mut events.list), timeout.as_ref())
        };
        match result {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Converts a timeout. The kernel counts in ticks of the processor's clock and rounds down
/// (`kevent_get_timeout` in `bsd/kern/kern_event.c`), so a microsecond is added.
fn rounded(timeout: Duration) -> Timespec {
    /// The longest wait in seconds. Some kernels refuse longer ones.
    const MOST: u64 = 100_000_000;
    if timeout.is_zero() {
        return Timespec { tv_sec: 0, tv_nsec: 0 };
    }
    timespec(timeout.saturating_add(Duration::from_micros(1)).min(Duration::from_secs(MOST)))
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: duration.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}

impl AsFd for Poller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.queue.as_fd()
    }
}

/// The buffer for the events of one wait.
pub(crate) struct Events {
    list: Vec<Event>,
}

// SAFETY: the kernel's events hold numbers. The type of the key is a pointer, but no pointer is
// stored (invariant 2).
unsafe impl Send for Events {}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").field("len", &self.list.len()).finish()
    }
}

impl Events {
    /// # Errors
    /// An error if there is no memory for the buffer.
    pub(crate) fn with_capacity(capacity: usize) -> io::Result<Self> {
        let mut list = Vec::new();
        list.try_reserve_exact(capacity)?;
        Ok(Self { list })
    }

    /// Returns the events of the last wait: their keys, and the readiness. The two directions of a
    /// descriptor are two events. Wake-ups are not among them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, Readiness)> {
        self.list.iter().filter_map(|event| Some((event.udata().addr() as u64, readiness(event)?)))
    }
}

/// Ends a [`Poller`]'s current or next wait, from any OS thread: an event of the kqueue itself
/// (`EVFILT_USER`).
#[derive(Debug)]
pub(crate) struct Waker {
    queue: OwnedFd,
}

impl Waker {
    pub(crate) fn wake(&self) {
        // The event was added with the queue, so triggering it needs no memory and cannot fail.
        let _ = self.change(EventFlags::empty(), UserFlags::TRIGGER);
    }

    fn change(&self, flags: EventFlags, user_flags: UserFlags) -> rustix::io::Result<()> {
        let filter = EventFilter::User { ident: 0, flags: user_flags, user_flags: UserDefinedFlags::new(0) };
        let change = Event::new(filter, flags, ptr::null_mut());
        // Without space for events the kernel only makes the changes, and returns the first error.
        let mut nothing: [Event; 0] = [];
        // SAFETY: the change names no descriptor.
        unsafe { kevent_timespec(&self.queue, &[change], &mut nothing[..], None)? };
        Ok(())
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.queue.as_fd()
    }
}

/// Blocks the calling OS thread until one descriptor is ready or has failed, the alarm has rung, or
/// the deadline of the operating system's clock has passed. Returns whether it is the descriptor.
///
/// `poll` does not work for some devices, and says that they have failed (poll(2), "BUGS"). The
/// caller's next call then tells. A short sleep keeps a caller that waits again from using up the
/// processor.
///
/// # Errors
/// `TimedOut` if the deadline has passed first.
pub(crate) fn poll_one(
    descriptor: BorrowedFd<'_>,
    interest: Interest,
    deadline: Option<Instant>,
    alarm: Option<&Alarm>,
) -> io::Result<bool> {
    const PAUSE: Duration = Duration::from_millis(1);
    let flags = match interest {
        Interest::Read => PollFlags::IN,
        Interest::Write => PollFlags::OUT,
    };
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(os_now()));
        let timeout = left.map(timespec);
        let second = alarm.map_or(descriptor, AsFd::as_fd);
        let mut polled =
            [PollFd::from_borrowed_fd(descriptor, flags), PollFd::from_borrowed_fd(second, PollFlags::IN)];
        let polled = &mut polled[..1 + usize::from(alarm.is_some())];
        match poll(polled, timeout.as_ref()) {
            Ok(0) if left == Some(Duration::ZERO) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => {
                if polled[0].revents().contains(PollFlags::NVAL) {
                    std::thread::sleep(left.map_or(PAUSE, |left| left.min(PAUSE)));
                }
                return Ok(!polled[0].revents().is_empty());
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Checks whether one descriptor is ready or has failed.
///
/// # Errors
/// `TimedOut` if it is not.
pub(crate) fn look_one(descriptor: BorrowedFd<'_>, interest: Interest) -> io::Result<()> {
    poll_one(descriptor, interest, Some(os_now()), None).map(drop)
}

/// Returns `false`: `poll` has no flag for it. A receiving call on a socket that was shut down
/// returns 0 by itself, also if it does not wait: the kernel looks for the end first (`soreceive`
/// in `bsd/kern/uipc_socket.c`). A listener cannot be shut down.
pub(crate) fn is_shut(_: BorrowedFd<'_>) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_never_cut_short() {
        let (poller, mut events) = (Poller::new().unwrap(), Events::with_capacity(8).unwrap());
        for timeout in [0, 1, 300, 1500, 2001].map(Duration::from_micros) {
            let start = Instant::now();
            poller.wait(Some(timeout), &mut events).unwrap();
            assert!(start.elapsed() >= timeout);
        }
        for timeout in [Duration::MAX, Duration::from_secs(1 << 40)] {
            poller.waker().wake();
            poller.wait(Some(timeout), &mut events).unwrap();
            assert_eq!(events.iter().count(), 0);
        }
    }
}
