//! Sockets: their creation, their addresses, receiving and sending.
//!
//! All sockets are in the system's non-blocking mode (see `fd`). A call that may wait waits by
//! `poll_one`, for as long as the socket's timeouts say. No child process inherits a socket.

use std::{
    convert::Infallible,
    io::{self, IoSlice, IoSliceMut, Read, Write},
    mem::MaybeUninit,
    net::{Shutdown, SocketAddr},
    os::windows::io::OwnedSocket,
    time::Duration,
};

pub(crate) use socket2::SockAddr as AnyAddress;
use socket2::{Domain, SockRef, Socket};
use windows_sys::Win32::Networking::WinSock::{WSAEALREADY, WSAEINPROGRESS, WSAEINVAL, WSAEISCONN};

use super::{
    super::{clock::os_now, readiness::Interest},
    error::{OsError, OsResult},
    fd::{AsFd, BorrowedFd, OwnedFd},
    poller::poll_one,
};

/// Shutting down a socket ends no request for its events.
pub(crate) const NO_SHUTDOWN_EVENT: bool = true;

/// The time after which an OS thread that waits for a socket makes its call again, since it may
/// have been shut down.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The largest number of bytes that one send hands over. The system takes a send as a whole while
/// it has any room, and keeps all of its bytes in memory. A datagram is smaller.
const MOST_BYTES: usize = 1 << 20;

/// Whether a call may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blocking {
    /// The call waits as the descriptor's mode and timeouts say.
    AsSet,
    /// The call does not wait. It fails with `WOULD_BLOCK` instead.
    Never,
}

/// The address family of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

impl Family {
    pub(crate) fn of(address: &SocketAddr) -> Self {
        match address {
            SocketAddr::V4(_) => Self::V4,
            SocketAddr::V6(_) => Self::V6,
        }
    }
}

/// The type of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Stream,
    Datagram,
}

/// An address that a socket can be bound or connected to.
pub(crate) trait Address {
    fn to_system(&self) -> AnyAddress;
}

impl Address for SocketAddr {
    fn to_system(&self) -> AnyAddress {
        (*self).into()
    }
}

impl Address for Infallible {
    fn to_system(&self) -> AnyAddress {
        match *self {}
    }
}

/// Makes a socket in blocking mode.
pub(crate) fn open(family: Family, kind: Type) -> OsResult<OwnedFd> {
    open_with(family, kind, false)
}

/// Makes a socket in non-blocking mode.
pub(crate) fn open_nonblocking(family: Family, kind: Type) -> OsResult<OwnedFd> {
    open_with(family, kind, true)
}

fn open_with(family: Family, kind: Type, nonblocking: bool) -> OsResult<OwnedFd> {
    let domain = match family {
        Family::V4 => Domain::IPV4,
        Family::V6 => Domain::IPV6,
    };
    let kind = match kind {
        Type::Stream => socket2::Type::STREAM,
        Type::Datagram => socket2::Type::DGRAM,
    };
    own(Socket::new(domain, kind, None)?, nonblocking)
}

/// Wraps a new socket.
fn own(socket: Socket, nonblocking: bool) -> OsResult<OwnedFd> {
    socket.set_nonblocking(true)?;
    Ok(OwnedFd::from_nonblocking(OwnedSocket::from(socket), nonblocking))
}

/// Binds a socket to an address.
pub(crate) fn bind(socket: impl AsFd, address: &impl Address) -> OsResult<()> {
    with(socket, |socket| socket.bind(&address.to_system()))
}

/// Makes a socket listen for connections, of which this many may wait to be accepted.
pub(crate) fn listen(socket: impl AsFd, backlog: i32) -> OsResult<()> {
    with(socket, |socket| socket.listen(backlog))
}

/// Connects a datagram socket to an address.
pub(crate) fn connect(socket: impl AsFd, address: &impl Address) -> OsResult<()> {
    with(socket, |socket| socket.connect(&address.to_system()))
}

/// Connects a TCP socket in non-blocking mode. The first call starts the connection, and each
/// further call reports its state.
///
/// # Errors
/// `WOULD_BLOCK` while the connection is being made.
pub(crate) fn connect_on(socket: impl AsFd, address: &SocketAddr) -> OsResult<()> {
    let socket = socket.as_fd();
    ensure_mode(socket)?;
    // A connection that has failed is reported here. Another call of `connect` would try again.
    if let Some(error) = take_error(socket)? {
        return Err(error);
    }
    let result = with_system(socket, |socket| socket.connect(&(*address).into()));
    match result.map_err(|error| error.raw_os_error().unwrap_or(0)) {
        Ok(()) | Err(WSAEISCONN) => Ok(()),
        Err(WSAEINPROGRESS | WSAEALREADY) => Err(OsError::WOULD_BLOCK),
        // An older error for a connection that is being made, or that has just been made.
        Err(WSAEINVAL) if take_error(socket)?.is_none() && peer_address(socket).is_ok() => Ok(()),
        Err(code) => Err(OsError::from_code(code)),
    }
}

/// Accepts a connection. It is in blocking mode, and comes with the peer's address. The call waits
/// as the listener's mode says.
pub(crate) fn accept(socket: impl AsFd) -> OsResult<(OwnedFd, Option<AnyAddress>)> {
    let (connection, address) =
        wait_and(socket.as_fd(), Interest::Read, Blocking::AsSet, |socket| socket.accept())?;
    Ok((own(connection, false)?, Some(address)))
}

/// Shuts down one direction, or both.
pub(crate) fn shutdown(socket: impl AsFd, how: Shutdown) -> OsResult<()> {
    with(socket, |socket| socket.shutdown(how))
}

/// Receives into one buffer, and returns the number of bytes. With `peek`, the data stays in the
/// queue.
pub(crate) fn receive(
    socket: impl AsFd,
    buffer: &mut [u8],
    peek: bool,
    blocking: Blocking,
) -> OsResult<usize> {
    let call = |socket: &Socket| {
        if peek { socket.peek(uninit(buffer)) } else { socket.recv(uninit(buffer)) }
    };
    end_at_shutdown(wait_and(socket.as_fd(), Interest::Read, blocking, call))
}

/// Receives into memory that need not be initialised. Returns how many bytes of it are then.
pub(crate) fn receive_uninit(
    socket: impl AsFd,
    buffer: &mut [MaybeUninit<u8>],
    blocking: Blocking,
) -> OsResult<usize> {
    end_at_shutdown(wait_and(socket.as_fd(), Interest::Read, blocking, |socket: &Socket| socket.recv(buffer)))
}

/// Receives into several buffers.
pub(crate) fn receive_vectored(
    socket: impl AsFd,
    buffers: &mut [IoSliceMut<'_>],
    blocking: Blocking,
) -> OsResult<usize> {
    let call = |mut socket: &Socket| socket.read_vectored(buffers);
    end_at_shutdown(wait_and(socket.as_fd(), Interest::Read, blocking, call))
}

/// Receives a datagram. Returns the number of bytes, and the sender's address if the sender has
/// one.
///
/// # Errors
/// An error if the datagram does not fit, as in std.
pub(crate) fn receive_from(
    socket: impl AsFd,
    buffer: &mut [u8],
    peek: bool,
    blocking: Blocking,
) -> OsResult<(usize, Option<AnyAddress>)> {
    let call = |socket: &Socket| {
        if peek { socket.peek_from(uninit(buffer)) } else { socket.recv_from(uninit(buffer)) }
    };
    match wait_and(socket.as_fd(), Interest::Read, blocking, call) {
        Err(OsError::BROKEN_PIPE) => Ok((0, None)),
        result => result.map(|(count, address)| (count, Some(address))),
    }
}

/// A socket that was shut down for reading gives an error, which means the end.
fn end_at_shutdown(result: OsResult<usize>) -> OsResult<usize> {
    match result {
        Err(OsError::BROKEN_PIPE) => Ok(0),
        result => result,
    }
}

/// Returns the buffer in the form that socket2 asks for.
fn uninit(buffer: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    // SAFETY: the types have the same layout. socket2 writes only initialized bytes into it.
    unsafe { &mut *(std::ptr::from_mut(buffer) as *mut [MaybeUninit<u8>]) }
}

/// Sends to the peer, and returns the number of bytes.
pub(crate) fn send(socket: impl AsFd, bytes: &[u8], blocking: Blocking) -> OsResult<usize> {
    let socket = socket.as_fd();
    let first = &bytes[..bytes.len().min(MOST_BYTES)];
    let mut done = wait_and(socket, Interest::Write, blocking, |socket| socket.send(first))?;
    // A call that may wait returns when all is sent.
    while blocking == Blocking::AsSet && done < bytes.len() && !socket.is_nonblocking() {
        let rest = &bytes[done..bytes.len().min(done + MOST_BYTES)];
        let Ok(count) = wait_and(socket, Interest::Write, blocking, |socket| socket.send(rest)) else {
            break;
        };
        done += count;
    }
    Ok(done)
}

/// Sends the content of several buffers.
pub(crate) fn send_vectored(
    socket: impl AsFd,
    buffers: &[IoSlice<'_>],
    blocking: Blocking,
) -> OsResult<usize> {
    let socket = socket.as_fd();
    let all: usize = buffers.iter().map(|buffer| buffer.len()).sum();
    let mut done = if all > MOST_BYTES {
        let first = buffers.iter().find(|buffer| !buffer.is_empty()).map_or(&[][..], |buffer| buffer);
        let first = &first[..first.len().min(MOST_BYTES)];
        wait_and(socket, Interest::Write, blocking, |socket| socket.send(first))?
    } else {
        wait_and(socket, Interest::Write, blocking, |mut socket: &Socket| socket.write_vectored(buffers))?
    };
    if blocking == Blocking::AsSet && !socket.is_nonblocking() {
        let mut skip = done;
        for buffer in buffers {
            let rest = &buffer[skip.min(buffer.len())..];
            skip -= buffer.len() - rest.len();
            if !rest.is_empty() {
                let Ok(count) = send(socket, rest, blocking) else { break };
                done += count;
                if count < rest.len() {
                    break;
                }
            }
        }
    }
    Ok(done)
}

/// Sends a datagram to an address.
pub(crate) fn send_to(
    socket: impl AsFd,
    bytes: &[u8],
    address: &impl Address,
    blocking: Blocking,
) -> OsResult<usize> {
    let address = address.to_system();
    wait_and(socket.as_fd(), Interest::Write, blocking, |socket| socket.send_to(bytes, &address))
}

/// Makes a call. If it would block, and may wait, waits until the socket is ready, and repeats it.
fn wait_and<T>(
    socket: BorrowedFd<'_>,
    interest: Interest,
    blocking: Blocking,
    mut call: impl FnMut(&Socket) -> io::Result<T>,
) -> OsResult<T> {
    let mut deadline = None;
    loop {
        ensure_mode(socket)?;
        match with(socket, &mut call) {
            Err(OsError::WOULD_BLOCK) if blocking == Blocking::AsSet && !socket.is_nonblocking() => {}
            result => return result,
        }
        let deadline = match deadline {
            Some(deadline) => deadline,
            None => {
                let timeout = timeout(socket, interest)?;
                *deadline.insert(timeout.and_then(|timeout| os_now().checked_add(timeout)))
            }
        };
        let again = os_now() + LOOK_AGAIN;
        let until = deadline.map_or(again, |deadline| deadline.min(again));
        match poll_one(socket, interest, Some(until), None) {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                if deadline.is_some_and(|deadline| deadline <= os_now()) {
                    return Err(OsError::WOULD_BLOCK);
                }
            }
            result => _ = result?,
        }
    }
}

/// Puts a socket that the user has had back into non-blocking mode, in which no call waits.
fn ensure_mode(socket: BorrowedFd<'_>) -> OsResult<()> {
    if socket.is_exposed() { set_system_nonblocking(socket, true) } else { Ok(()) }
}

/// Makes one call of socket2.
pub(super) fn with<T>(socket: impl AsFd, call: impl FnOnce(&Socket) -> io::Result<T>) -> OsResult<T> {
    Ok(with_system(socket, call)?)
}

/// As `with`, with the system's error.
fn with_system<T>(descriptor: impl AsFd, call: impl FnOnce(&Socket) -> io::Result<T>) -> io::Result<T> {
    match descriptor.as_fd() {
        socket @ BorrowedFd::Socket(_) => call(&SockRef::from(&socket.socket())),
        BorrowedFd::Handle(_) => Err(OsError::NOT_POLLABLE.into()),
    }
}

/// Sets the system's mode of a socket.
pub(super) fn set_system_nonblocking(socket: impl AsFd, nonblocking: bool) -> OsResult<()> {
    with(socket, |socket| socket.set_nonblocking(nonblocking))
}

/// Returns the local address of a socket.
pub(crate) fn local_address(socket: impl AsFd) -> OsResult<AnyAddress> {
    with(socket, Socket::local_addr)
}

/// Returns the peer's address, if the system gives one.
pub(crate) fn peer_address(socket: impl AsFd) -> OsResult<Option<AnyAddress>> {
    with(socket, Socket::peer_addr).map(Some)
}

/// Converts an IP address into std's form.
///
/// # Errors
/// An error if the address is of another family.
pub(crate) fn to_ip(address: AnyAddress) -> OsResult<SocketAddr> {
    address.as_socket().ok_or(OsError::INVALID)
}

/// Returns the socket's pending error and clears it.
///
/// # Errors
/// An error if the system refuses to tell.
pub(crate) fn take_error(socket: impl AsFd) -> OsResult<Option<OsError>> {
    Ok(with(socket, Socket::take_error)?.map(OsError::from))
}

/// Returns how long blocking calls wait; `None` means without limit.
///
/// # Errors
/// An error if the descriptor is not a socket.
pub(crate) fn timeout(socket: impl AsFd, interest: Interest) -> OsResult<Option<Duration>> {
    with(socket, |socket| match interest {
        Interest::Read => socket.read_timeout(),
        Interest::Write => socket.write_timeout(),
    })
}

/// Sets how long blocking calls wait; `None` means without limit.
pub(crate) fn set_timeout(socket: impl AsFd, interest: Interest, timeout: Option<Duration>) -> OsResult<()> {
    with(socket, |socket| match interest {
        Interest::Read => socket.set_read_timeout(timeout),
        Interest::Write => socket.set_write_timeout(timeout),
    })
}
