//! Readiness of descriptors: Linux's epoll.
//!
//! A descriptor is added once, edge-triggered, for both directions. Adding it reports what it is
//! ready for at that moment. After that each change of its state gives one event, until it is
//! deleted. Therefore one wait of a worker is one system call, whatever the worker waits for.
//!
//! Invariants:
//! 1. The kernel writes at most `capacity` events to the start of the buffer that `epoll_pwait2`
//!    gets, and returns their number.
//! 2. `rustix`'s `Event` has the layout of the kernel's `epoll_event` (asserted below).

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use rustix::{
    buffer::spare_capacity,
    event::{
        EventfdFlags, PollFd, PollFlags, Timespec,
        epoll::{self, CreateFlags, EventData, EventFlags},
        eventfd, poll,
    },
    io::Errno,
};

pub(crate) use super::super::unix::alarm::Alarm;
use super::{
    super::{
        clock::os_now,
        readiness::{Interest, Readiness},
    },
    error::{OsResult, is_refused},
};

#[inline]
fn readiness(flags: EventFlags) -> Readiness {
    let gone = flags.intersects(EventFlags::HUP | EventFlags::ERR);
    let read_ahead = gone || flags.intersects(EventFlags::RDHUP | EventFlags::PRI);
    Readiness {
        readable: read_ahead || flags.contains(EventFlags::IN),
        writable: gone || flags.contains(EventFlags::OUT),
        read_ahead,
        write_ahead: gone,
    }
}

/// The key of the waker. No descriptor is added with this key.
const WAKER: u64 = u64::MAX;

/// An epoll instance with a waker. Any OS thread may use `add`, `delete` and the waker.
#[derive(Debug)]
pub(crate) struct Poller {
    epoll: OwnedFd,
    waker: Arc<Waker>,
    /// Whether timeouts have a resolution of a millisecond only, because the kernel has no
    /// `epoll_pwait2` (before Linux 5.11) or a filter forbids it.
    coarse: AtomicBool,
}

impl Poller {
    /// # Errors
    /// An error if no descriptor or no memory is left.
    pub(crate) fn new() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        // Each write to an edge-triggered eventfd is an event of its own, so the eventfd is never
        // read.
        epoll::add(&epoll, &event, EventData::new_u64(WAKER), EventFlags::IN | EventFlags::ET)?;
        Ok(Self { epoll, waker: Arc::new(Waker { event }), coarse: AtomicBool::new(false) })
    }

    pub(crate) fn waker(&self) -> Arc<Waker> {
        self.waker.clone()
    }

    /// Starts to report events for both directions of a descriptor, with `key`. Readiness that
    /// exists already is reported first.
    ///
    /// # Errors
    /// An error if the descriptor cannot be waited for, or if the kernel's memory or
    /// `max_user_watches` is used up.
    pub(crate) fn add(&self, descriptor: BorrowedFd<'_>, key: u64) -> io::Result<()> {
        debug_assert_ne!(key, WAKER);
        let events = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::PRI | EventFlags::ET;
        Ok(epoll::add(&self.epoll, descriptor, EventData::new_u64(key), events)?)
    }

    /// Does nothing: each change is an event anyway.
    #[inline(always)]
    pub(crate) fn arm(&self, _: BorrowedFd<'_>, _: Interest) -> io::Result<()> {
        Ok(())
    }

    /// Ends the reports that `add` started. An event that was taken from the kernel before may
    /// still be processed afterwards.
    pub(crate) fn delete(&self, descriptor: BorrowedFd<'_>) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, descriptor)?)
    }

    /// Does nothing: the kernel ends all reports with the descriptor.
    pub(crate) fn close(&self) {}

    /// Sleeps until there are events or a wake-up, or until the timeout has passed (`None`: no
    /// limit; zero: does not sleep). The events replace those in `events`. A signal may end the
    /// wait early.
    pub(crate) fn wait(&self, timeout: Option<Duration>, events: &mut Events) -> OsResult<()> {
        events.list.clear();
        match self.wait_into(timeout, events) {
            Err(Errno::INTR) => Ok(()),
            result => Ok(result?),
        }
    }

    fn wait_into(&self, timeout: Option<Duration>, events: &mut Events) -> rustix::io::Result<()> {
        let timeout = match timeout {
            None => None,
            Some(Duration::ZERO) => Some(Timespec { tv_sec: 0, tv_nsec: 0 }),
            Some(timeout) => {
                if !self.coarse.load(Relaxed) {
                    match wait_fine(self.epoll.as_fd(), timeout, events) {
                        Err(error) if is_refused(error) => self.coarse.store(true, Relaxed),
                        result => return result,
                    }
                }
                // `epoll_pwait` takes a C int of milliseconds. `rustix` rounds up, as it must.
                let timeout = timeout.min(Duration::from_millis(i32::MAX as u64));
                Some(timespec(timeout))
            }
        };
        epoll::wait(&self.epoll, spare_capacity(&mut events.list), timeout.as_ref())?;
        Ok(())
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: duration.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}

/// The kernel's `timespec`, which may differ from the C library's.
#[repr(C)]
struct KernelTimespec {
    seconds: i64,
    nanoseconds: i64,
}

/// `epoll_pwait2`, by a raw system call. `rustix` has it only without support for older kernels,
/// and older C libraries lack it.
fn wait_fine(epoll: BorrowedFd<'_>, timeout: Duration, events: &mut Events) -> rustix::io::Result<()> {
    use std::os::fd::AsRawFd;

    const _: () = assert!(size_of::<epoll::Event>() == size_of::<libc::epoll_event>());
    let timeout = KernelTimespec {
        seconds: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        nanoseconds: timeout.subsec_nanos().into(),
    };
    debug_assert!(events.list.is_empty());
    // SAFETY: the buffer has space for `capacity` events of the kernel's layout (invariants 1 and
    // 2). The timeout outlives the call, and there is no signal mask.
    let count = unsafe {
        libc::syscall(
            libc::SYS_epoll_pwait2,
            epoll.as_raw_fd(),
            events.list.as_mut_ptr(),
            events.list.capacity().min(i32::MAX as usize) as i32,
            &raw const timeout,
            std::ptr::null::<libc::sigset_t>(),
            0_usize,
        )
    };
    let Ok(count) = usize::try_from(count) else {
        return Err(Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO));
    };
    // SAFETY: the kernel has written `count` events (invariant 1).
    unsafe { events.list.set_len(count) };
    Ok(())
}

impl AsFd for Poller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

/// The buffer for the events of one wait.
pub(crate) struct Events {
    list: Vec<epoll::Event>,
}

// SAFETY: the kernel's events hold numbers. rustix's type also views these 64 bits as a pointer,
// but no pointer is stored.
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

    /// Returns the events of the last wait: their keys, and the readiness. Wake-ups are not among
    /// them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, Readiness)> {
        let all = self.list.iter().map(|event| (event.data.u64(), readiness(event.flags)));
        all.filter(|(key, _)| *key != WAKER)
    }
}

/// Ends a [`Poller`]'s current or next wait, from any OS thread.
#[derive(Debug)]
pub(crate) struct Waker {
    event: OwnedFd,
}

impl Waker {
    pub(crate) fn wake(&self) {
        // The write can fail only when the counter is at its limit of 2^64 wake-ups.
        let _ = rustix::io::write(&self.event, &1_u64.to_ne_bytes());
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}

/// Blocks the calling OS thread until one descriptor is ready or has failed, the alarm has rung, or
/// the deadline of the operating system's clock has passed. Returns whether it is the descriptor.
///
/// # Errors
/// `TimedOut` if the deadline has passed first.
pub(crate) fn poll_one(
    descriptor: BorrowedFd<'_>,
    interest: Interest,
    deadline: Option<Instant>,
    alarm: Option<&Alarm>,
) -> io::Result<bool> {
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
            Ok(_) => return Ok(!polled[0].revents().is_empty()),
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

/// Returns whether a socket was shut down for reading.
pub(crate) fn is_shut(socket: BorrowedFd<'_>) -> bool {
    let mut polled = [PollFd::from_borrowed_fd(socket, PollFlags::RDHUP)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut polled, Some(&now)) == Ok(1) && polled[0].revents().contains(PollFlags::RDHUP)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tests both the fine timeouts and those of a kernel without `epoll_pwait2`.
    #[test]
    fn a_timeout_is_never_cut_short() {
        let (poller, mut events) = (Poller::new().unwrap(), Events::with_capacity(8).unwrap());
        for coarse in [false, true] {
            poller.coarse.store(coarse, Relaxed);
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
}
