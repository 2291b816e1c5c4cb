//! Readiness of sockets, by the crate `polling`: Windows's completion ports, and the request
//! `AFD_POLL` that reports readiness as a completion.
//!
//! Such a request reports once. So a thread that is about to wait *arms* its direction, and the
//! first event of a direction disarms it. A request reports readiness that exists already, so no
//! event is lost between a call that would have blocked and the request.
//!
//! Invariants:
//! 1. A socket that was added to `polling` stays open until it has been deleted there: its owner
//!    calls `delete` before it closes the socket.

use std::{
    collections::{HashMap, hash_map::Entry},
    io,
    num::NonZero,
    os::windows::io::{AsRawSocket, BorrowedSocket, RawSocket},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use polling::Event;
use windows_sys::Win32::Networking::WinSock::{POLLRDNORM, POLLWRNORM, WSAPOLLFD, WSAPoll};

use super::{
    super::{
        clock::os_now,
        readiness::{Interest, Readiness},
    },
    error::{OsError, OsResult},
    fd::BorrowedFd,
};

/// A completion port with a waker. Any OS thread may use `add`, `delete` and the waker.
#[derive(Debug)]
pub(crate) struct Poller {
    waker: Arc<Waker>,
    sources: Mutex<HashMap<RawSocket, Source>>,
}

/// A socket that was added.
#[derive(Debug)]
struct Source {
    key: u64,
    /// Whether `polling` knows the socket. It learns of the socket when that is armed first: a
    /// socket without an armed direction whose connection is reset would keep `polling` busy.
    known: bool,
    read: bool,
    write: bool,
}

impl Source {
    fn event(&self, socket: RawSocket) -> Event {
        Event::new(socket as usize, self.read, self.write)
    }
}

impl Poller {
    /// # Errors
    /// An error if no handle or no memory is left.
    pub(crate) fn new() -> io::Result<Self> {
        let system = polling::Poller::new()?;
        Ok(Self { waker: Arc::new(Waker { system }), sources: Mutex::default() })
    }

    pub(crate) fn waker(&self) -> Arc<Waker> {
        self.waker.clone()
    }

    fn sources(&self) -> MutexGuard<'_, HashMap<RawSocket, Source>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a socket with `key`. Its events are reported once it is armed.
    ///
    /// # Errors
    /// `NOT_POLLABLE` if the descriptor is no socket, or an error if there is no memory.
    pub(crate) fn add(&self, descriptor: BorrowedFd<'_>, key: u64) -> io::Result<()> {
        let socket = socket_of(descriptor)?.as_raw_socket();
        let mut sources = self.sources();
        sources.try_reserve(1)?;
        match sources.entry(socket) {
            Entry::Occupied(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Entry::Vacant(entry) => {
                entry.insert(Source { key, known: false, read: false, write: false });
                Ok(())
            }
        }
    }

    /// Makes the next readiness of one direction, or readiness that exists already, an event.
    ///
    /// # Errors
    /// An error if the system has no memory for the request.
    pub(crate) fn arm(&self, descriptor: BorrowedFd<'_>, interest: Interest) -> io::Result<()> {
        let socket = socket_of(descriptor)?;
        let mut sources = self.sources();
        let Some(source) = sources.get_mut(&socket.as_raw_socket()) else { return Ok(()) };
        let armed = match interest {
            Interest::Read => &mut source.read,
            Interest::Write => &mut source.write,
        };
        if std::mem::replace(armed, true) {
            return Ok(());
        }
        let result = self.request(socket, source);
        if result.is_err() {
            match interest {
                Interest::Read => source.read = false,
                Interest::Write => source.write = false,
            }
        }
        result
    }

    /// Requests the events of the armed directions.
    fn request(&self, socket: BorrowedSocket<'_>, source: &mut Source) -> io::Result<()> {
        let event = source.event(socket.as_raw_socket());
        if source.known {
            return self.waker.system.modify(socket, event);
        }
        // SAFETY: the socket is open, and its owner calls `delete` before it closes it (invariant
        // 1).
        let added = unsafe { self.waker.system.add(socket.as_raw_socket(), event) };
        if added.is_err() {
            // The crate may know the socket although it could not ask the system about it.
            let _ = self.waker.system.delete(socket);
        }
        source.known = added.is_ok();
        added
    }

    /// Ends the reports that `add` started. An event that was taken from the system before may
    /// still be processed afterwards.
    pub(crate) fn delete(&self, descriptor: BorrowedFd<'_>) -> io::Result<()> {
        let socket = socket_of(descriptor)?;
        match self.sources().remove(&socket.as_raw_socket()) {
            Some(Source { known: true, .. }) => self.waker.system.delete(socket),
            _ => Ok(()),
        }
    }

    /// Sleeps until there are events or a wake-up, or until the timeout has passed (`None`: no
    /// limit; zero: does not sleep). The events replace those in `events`.
    pub(crate) fn wait(&self, timeout: Option<Duration>, events: &mut Events) -> OsResult<()> {
        events.list.clear();
        events.system.clear();
        self.waker.system.wait(&mut events.system, timeout)?;
        if events.system.is_empty() {
            return Ok(());
        }
        let mut sources = self.sources();
        for event in events.system.iter() {
            let socket = event.key as RawSocket;
            let Some(source) = sources.get_mut(&socket) else { continue };
            let mut readiness =
                Readiness { readable: event.readable, writable: event.writable, ..Readiness::default() };
            source.read &= !event.readable;
            source.write &= !event.writable;
            if source.read || source.write {
                // SAFETY: the socket is among the sources, so it is open (invariant 1). It cannot
                // be deleted while they are locked.
                let borrowed = unsafe { BorrowedSocket::borrow_raw(socket) };
                if self.request(borrowed, source).is_err() {
                    (source.read, source.write) = (false, false);
                    (readiness.readable, readiness.writable) = (true, true);
                }
            }
            events.list.push((source.key, readiness));
        }
        Ok(())
    }
}

fn socket_of(descriptor: BorrowedFd<'_>) -> io::Result<BorrowedSocket<'_>> {
    match descriptor {
        BorrowedFd::Socket(_) => Ok(descriptor.socket()),
        BorrowedFd::Handle(_) => Err(OsError::NOT_POLLABLE.into()),
    }
}

/// The buffer for the events of one wait.
pub(crate) struct Events {
    system: polling::Events,
    list: Vec<(u64, Readiness)>,
}

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
        let capacity = NonZero::new(capacity).unwrap_or(NonZero::<usize>::MIN);
        Ok(Self { system: polling::Events::with_capacity(capacity), list })
    }

    /// Returns the events of the last wait: their keys, and the readiness. Wake-ups are not among
    /// them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, Readiness)> {
        self.list.iter().copied()
    }
}

/// Ends a [`Poller`]'s current or next wait, from any OS thread.
#[derive(Debug)]
pub(crate) struct Waker {
    system: polling::Poller,
}

impl Waker {
    pub(crate) fn wake(&self) {
        // This can fail only when the system has no memory.
        let _ = self.system.notify();
    }
}

/// Blocks the calling OS thread until one socket is ready or has failed, or the deadline of the
/// operating system's clock has passed.
///
/// # Errors
/// `TimedOut` if the deadline has passed first.
pub(crate) fn poll_one(
    descriptor: BorrowedFd<'_>,
    interest: Interest,
    deadline: Option<Instant>,
) -> io::Result<()> {
    let socket = socket_of(descriptor)?;
    let events = match interest {
        Interest::Read => POLLRDNORM,
        Interest::Write => POLLWRNORM,
    };
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(os_now()));
        let timeout = left.map_or(-1, milliseconds);
        let mut polled = WSAPOLLFD { fd: socket.as_raw_socket() as usize, events, revents: 0 };
        // SAFETY: the call reads and writes one entry.
        match unsafe { WSAPoll(&raw mut polled, 1, timeout) } {
            0 if left == Some(Duration::ZERO) => return Err(io::ErrorKind::TimedOut.into()),
            0 => {}
            -1 => return Err(io::Error::last_os_error()),
            _ => return Ok(()),
        }
    }
}

/// Converts a timeout, and rounds it up.
fn milliseconds(timeout: Duration) -> i32 {
    timeout.as_nanos().div_ceil(1_000_000).try_into().unwrap_or(i32::MAX)
}

/// Checks whether one socket is ready or has failed.
///
/// # Errors
/// `TimedOut` if it is not.
pub(crate) fn look_one(descriptor: BorrowedFd<'_>, interest: Interest) -> io::Result<()> {
    poll_one(descriptor, interest, Some(os_now()))
}

/// Returns `false`: Windows does not tell. A socket that was shut down for reading receives 0
/// bytes.
pub(crate) fn is_shut(_: BorrowedFd<'_>) -> bool {
    false
}
