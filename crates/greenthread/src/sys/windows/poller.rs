//! Readiness of sockets, by the crate `polling`: Windows's completion ports, and the request
//! `AFD_POLL` that reports readiness as a completion.
//!
//! Such a request reports once. So a thread that is about to wait *arms* its direction, and the
//! first event of a direction disarms it. A request reports readiness that exists already, so no
//! event is lost between a call that would have blocked and the request.
//!
//! A request may fail later than at its call: `polling` hands most of them to the system when the
//! worker waits. After an error it is not known which requests the system has, nor which events
//! were taken from the system and lost. A socket whose request has failed stays of no use to
//! `polling` until it is deleted there. So all sockets are deleted there, all directions are
//! disarmed, and the threads that wait for them try their calls again (`start_over`).
//!
//! Invariants:
//! 1. A socket that was added to `polling` stays open until it has been deleted there: its owner
//!    calls `delete` before it closes the socket. If the driver goes first, it calls `close` before
//!    that.

use std::{
    collections::{HashMap, hash_map::Entry},
    io,
    num::NonZero,
    os::windows::io::{AsRawSocket, BorrowedSocket, RawSocket},
    ptr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use polling::{
    Event,
    os::iocp::{CompletionPacket, PollerIocpExt},
};
use socket2::SockRef;
use windows_sys::Win32::Networking::WinSock::{
    FD_SET, POLLRDNORM, POLLWRNORM, TIMEVAL, WSAPOLLFD, WSAPoll, select,
};

use super::{
    super::{
        clock::os_now,
        readiness::{Interest, Readiness},
    },
    error::{OsError, OsResult},
    fd::BorrowedFd,
};

/// The keys of events that are no socket's. No socket has these numbers.
const WAKE_UP: usize = usize::MAX;
const LAST: usize = usize::MAX - 1;

/// The pause before the system is asked again to take a packet. A longer one delays a wake-up while
/// the system is short of memory; a shorter one uses more processor time then.
const SHORTAGE: Duration = Duration::from_millis(1);

/// The longest wait to write before the connection is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A completion port with a waker. Any OS thread may use `add`, `delete` and the waker.
#[derive(Debug)]
pub(crate) struct Poller {
    waker: Arc<Waker>,
    sources: Mutex<HashMap<RawSocket, Source>>,
    /// Whether a request has failed since the last wait. It may have been that of another socket,
    /// which `polling` has handed to the system by the way.
    is_doubtful: AtomicBool,
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
        let packet = CompletionPacket::new(Event::none(WAKE_UP));
        let waker = Arc::new(Waker { system, packet, is_posted: AtomicBool::new(false) });
        Ok(Self { waker, sources: Mutex::default(), is_doubtful: AtomicBool::new(false) })
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
        self.request(socket, source)
    }

    /// Requests the events of the armed directions. If that fails, no direction is armed.
    fn request(&self, socket: BorrowedSocket<'_>, source: &mut Source) -> io::Result<()> {
        let event = source.event(socket.as_raw_socket());
        let result = if source.known {
            self.waker.system.modify(socket, event)
        } else {
            // SAFETY: the socket is open, and its owner calls `delete` before it closes it
            // (invariant 1).
            unsafe { self.waker.system.add(socket.as_raw_socket(), event) }
        };
        source.known = true;
        if result.is_err() {
            self.disarm(socket, source);
            self.is_doubtful.store(true, Ordering::Relaxed);
        }
        result
    }

    /// Takes back the request of a socket.
    fn disarm(&self, socket: BorrowedSocket<'_>, source: &mut Source) {
        if source.known {
            // If this fails, `polling` has forgotten the socket nevertheless.
            let _ = self.waker.system.delete(socket);
        }
        *source = Source { key: source.key, known: false, read: false, write: false };
    }

    /// Disarms all directions, and reports those that were armed as ready.
    #[cold]
    fn start_over(&self, list: &mut Vec<(u64, Readiness)>) {
        for (&socket, source) in self.sources().iter_mut() {
            if source.read || source.write {
                let (readable, writable) = (source.read, source.write);
                list.push((source.key, Readiness { readable, writable, ..Readiness::default() }));
            }
            // SAFETY: the socket is among the sources, so it is open (invariant 1). It cannot be
            // deleted while they are locked.
            self.disarm(unsafe { BorrowedSocket::borrow_raw(socket) }, source);
        }
    }

    /// Ends all reports. To be called before the poller is dropped, while all sources are open.
    ///
    /// The system gives back a request only by an event, even if it was cancelled. So the events
    /// are taken from it: a request that is left in a port that is closed would never be freed, nor
    /// would its handle of AFD.
    pub(crate) fn close(&self) {
        self.start_over(&mut Vec::new());
        self.sources().clear();
        // This one is behind those of the cancelled requests.
        let last = CompletionPacket::new(Event::none(LAST));
        if self.waker.system.post(last).is_err() {
            return;
        }
        let mut events = polling::Events::new();
        while self.waker.system.wait(&mut events, Some(Duration::ZERO)).is_ok()
            && !events.iter().any(|event| event.key == LAST)
        {
            events.clear();
        }
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
        self.wait_by(timeout, events, |events, timeout| self.waker.system.wait(events, timeout))
    }

    /// As `wait`, with the call that waits.
    fn wait_by(
        &self,
        mut timeout: Option<Duration>,
        events: &mut Events,
        wait: impl FnOnce(&mut polling::Events, Option<Duration>) -> io::Result<usize>,
    ) -> OsResult<()> {
        events.list.clear();
        events.system.clear();
        if self.is_doubtful.load(Ordering::Relaxed) {
            self.is_doubtful.store(false, Ordering::Relaxed);
            self.start_over(&mut events.list);
            timeout = Some(Duration::ZERO);
        }
        let result = wait(&mut events.system, timeout);
        self.waker.is_posted.swap(false, Ordering::SeqCst);
        if let Err(error) = result {
            self.start_over(&mut events.list);
            return Err(error.into());
        }
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
///
/// `polling`'s own `notify` was rejected: if its post fails, or the wait that takes it, it takes
/// the next ones for done.
#[derive(Debug)]
pub(crate) struct Waker {
    system: polling::Poller,
    packet: CompletionPacket,
    /// Whether the packet was posted since the last wait has ended, or is being posted.
    is_posted: AtomicBool,
}

impl Waker {
    pub(crate) fn wake(&self) {
        // If it is set already, the wait that clears it ends after this call has begun, and what
        // the caller has done before is seen after that wait.
        if !self.is_posted.swap(true, Ordering::SeqCst) {
            until_done(|| self.system.post(self.packet.clone()));
        }
    }
}

/// Makes a call until it succeeds. Others rely on it.
fn until_done(mut call: impl FnMut() -> io::Result<()>) {
    while call().is_err() {
        thread::sleep(SHORTAGE);
    }
}

/// What ends an OS thread's wait for a socket. `WSAPoll` waits for sockets alone, so a thread that
/// may be interrupted looks now and then (`LOOK_AGAIN`).
#[derive(Debug)]
pub(crate) struct Alarm(AtomicBool);

impl Alarm {
    /// # Errors
    /// Never; other systems have something to make.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(AtomicBool::new(false)))
    }

    /// Ends the waits for this alarm.
    pub(crate) fn ring(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn has_rung(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Blocks the calling OS thread until one socket is ready or has failed, the alarm has rung, or the
/// deadline of the operating system's clock has passed. Returns whether it is the socket.
///
/// # Errors
/// `TimedOut` if the deadline has passed first.
pub(crate) fn poll_one(
    descriptor: BorrowedFd<'_>,
    interest: Interest,
    deadline: Option<Instant>,
    alarm: Option<&Alarm>,
) -> io::Result<bool> {
    let socket = socket_of(descriptor)?;
    let events = match interest {
        Interest::Read => POLLRDNORM,
        Interest::Write => POLLWRNORM,
    };
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(os_now()));
        let slice = match interest {
            Interest::Read if alarm.is_none() => left,
            _ => Some(left.map_or(LOOK_AGAIN, |left| left.min(LOOK_AGAIN))),
        };
        let timeout = slice.map_or(-1, milliseconds);
        let mut polled = WSAPOLLFD { fd: socket.as_raw_socket() as usize, events, revents: 0 };
        // SAFETY: the call reads and writes one entry.
        match unsafe { WSAPoll(&raw mut polled, 1, timeout) } {
            0 if interest == Interest::Write && has_not_connected(descriptor) => return Ok(true),
            0 if left == Some(Duration::ZERO) => return Err(io::ErrorKind::TimedOut.into()),
            0 if alarm.is_some_and(Alarm::has_rung) => return Ok(false),
            0 => {}
            -1 => return Err(io::Error::last_os_error()),
            _ => return Ok(true),
        }
    }
}

/// Whether a connection could not be made. Before version 2004 of Windows 10 `WSAPoll` does not
/// report that. `select` does; it reports urgent data of a connection as well.
fn has_not_connected(descriptor: BorrowedFd<'_>) -> bool {
    let mut failed = FD_SET { fd_count: 1, fd_array: [0; 64] };
    failed.fd_array[0] = descriptor.socket().as_raw_socket() as usize;
    let no_time = TIMEVAL { tv_sec: 0, tv_usec: 0 };
    // SAFETY: the call reads and writes the set, which has one socket, and reads the time.
    let count = unsafe { select(0, ptr::null_mut(), ptr::null_mut(), &raw mut failed, &raw const no_time) };
    count == 1 && SockRef::from(&descriptor.socket()).peer_addr().is_err()
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
    poll_one(descriptor, interest, Some(os_now()), None).map(drop)
}

/// Returns `false`: Windows does not tell. A socket that was shut down for reading receives 0
/// bytes.
pub(crate) fn is_shut(_: BorrowedFd<'_>) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream, UdpSocket};

    use windows_sys::Win32::System::Threading::{GetCurrentProcess, GetProcessHandleCount};

    use super::*;
    use crate::sys::fd::{AsFd, OwnedFd};

    const KEY: u64 = 7;
    const SECOND: Option<Duration> = Some(Duration::from_secs(1));

    /// A poller that knows a socket without data, the socket, and another that sends to it.
    fn armed() -> (Poller, OwnedFd, UdpSocket) {
        let (receiver, sender) =
            (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        sender.connect(receiver.local_addr().unwrap()).unwrap();
        let (poller, socket) = (Poller::new().unwrap(), OwnedFd::from(receiver));
        poller.add(socket.as_fd(), KEY).unwrap();
        poller.arm(socket.as_fd(), Interest::Read).unwrap();
        (poller, socket, sender)
    }

    fn keys(events: &Events) -> Vec<u64> {
        events.iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn after_an_error_of_a_wait_a_source_can_be_armed() {
        let (poller, socket, sender) = armed();
        let mut events = Events::with_capacity(8).unwrap();
        poller.wait(Some(Duration::ZERO), &mut events).unwrap();
        sender.send(b"lost").unwrap();
        // The event is taken from the system, and the wait fails.
        let result = poller.wait_by(SECOND, &mut events, |events, timeout| {
            poller.waker.system.wait(events, timeout)?;
            assert_eq!(events.len(), 1);
            events.clear();
            Err(io::ErrorKind::OutOfMemory.into())
        });
        assert!(result.is_err() && keys(&events) == [KEY]);
        poller.arm(socket.as_fd(), Interest::Read).unwrap();
        poller.wait(SECOND, &mut events).unwrap();
        assert_eq!(keys(&events), [KEY]);
        poller.delete(socket.as_fd()).unwrap();
        poller.close();
    }

    #[test]
    fn after_a_failed_request_all_sources_start_over() {
        let (poller, socket, sender) = armed();
        let mut events = Events::with_capacity(8).unwrap();
        poller.is_doubtful.store(true, Ordering::Relaxed);
        for _ in 0..2 {
            poller.wait(Some(Duration::ZERO), &mut events).unwrap();
            assert_eq!(keys(&events), [KEY]);
            poller.arm(socket.as_fd(), Interest::Read).unwrap();
            sender.send(b"news").unwrap();
        }
        poller.close();
    }

    #[test]
    fn a_wait_that_fails_takes_its_wake_up() {
        let (poller, mut events) = (Poller::new().unwrap(), Events::with_capacity(8).unwrap());
        let waker = poller.waker();
        waker.wake();
        let result = poller.wait_by(SECOND, &mut events, |events, timeout| {
            poller.waker.system.wait(events, timeout)?;
            Err(io::ErrorKind::OutOfMemory.into())
        });
        assert!(result.is_err());
        waker.wake();
        waker.wake();
        let start = Instant::now();
        poller.wait(Some(Duration::from_secs(60)), &mut events).unwrap();
        assert!(start.elapsed() < Duration::from_secs(30) && keys(&events).is_empty());
    }

    #[test]
    fn a_packet_is_posted_until_it_is_taken() {
        let mut left = 3;
        until_done(|| {
            left -= 1;
            if left == 0 { Ok(()) } else { Err(io::ErrorKind::OutOfMemory.into()) }
        });
        assert_eq!(left, 0);
    }

    #[test]
    fn a_closed_poller_leaves_no_handle() {
        let handles = || {
            let mut count = 0;
            // SAFETY: the call writes the variable.
            assert_ne!(unsafe { GetProcessHandleCount(GetCurrentProcess(), &mut count) }, 0);
            count
        };
        let sockets: Vec<OwnedFd> = (0..40).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap().into()).collect();
        let mut events = Events::with_capacity(8).unwrap();
        let before = handles();
        for _ in 0..50 {
            let poller = Poller::new().unwrap();
            for socket in &sockets {
                poller.add(socket.as_fd(), KEY).unwrap();
                poller.arm(socket.as_fd(), Interest::Read).unwrap();
            }
            poller.wait(Some(Duration::ZERO), &mut events).unwrap();
            poller.close();
        }
        // Each poller has had a port and two handles of AFD. Other tests run at the same time.
        let after = handles();
        assert!(after < before + 50, "{before} {after}");
    }

    #[test]
    fn a_connection_that_fails_is_noticed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connected = OwnedFd::from(TcpStream::connect(listener.local_addr().unwrap()).unwrap());
        assert!(!has_not_connected(connected.as_fd()));
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let _ = socket.connect(&address.into());
        let socket = OwnedFd::from(std::os::windows::io::OwnedSocket::from(socket));
        let start = Instant::now();
        while !has_not_connected(socket.as_fd()) {
            assert!(start.elapsed() < Duration::from_secs(30));
            thread::sleep(Duration::from_millis(10));
        }
        poll_one(socket.as_fd(), Interest::Write, None, None).unwrap();
    }
}
