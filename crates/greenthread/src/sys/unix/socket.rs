//! Sockets: their creation, their addresses, receiving and sending.
//!
//! The caller decides whether a call may block. Each call takes a flag for that (`MSG_DONTWAIT`),
//! so the descriptor's mode, which others share, does not change. No call raises `SIGPIPE`.
//!
//! Each port makes sockets in its own way, so that no child process inherits one.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    net::{Shutdown, SocketAddr},
    os::fd::{AsFd, AsRawFd},
    time::Duration,
};

pub(crate) use rustix::net::{
    SocketAddrAny as AnyAddress, SocketAddrUnix as UnixAddress, addr::SocketAddrArg as Address,
};
use rustix::{
    io::Errno,
    net::{
        self as rnet, AddressFamily, RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendFlags,
        SocketType, sockopt,
    },
};

use super::{
    super::{
        port::quirks::{BLOCKING_SEND, NONBLOCKING_SEND},
        readiness::Interest,
    },
    error::{OsError, OsResult},
};

/// Whether a call may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blocking {
    /// The call waits as the descriptor's mode and timeouts say.
    AsSet,
    /// The call does not wait. It fails with `WOULD_BLOCK` instead.
    Never,
}

impl Blocking {
    #[inline]
    const fn to_send(self) -> SendFlags {
        match self {
            Self::AsSet => BLOCKING_SEND,
            Self::Never => NONBLOCKING_SEND,
        }
    }

    #[inline]
    const fn to_receive(self, peek: bool) -> RecvFlags {
        let peek = if peek { RecvFlags::PEEK } else { RecvFlags::empty() };
        match self {
            Self::AsSet => peek,
            Self::Never => peek.union(RecvFlags::DONTWAIT),
        }
    }
}

/// The address family of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
    Unix,
}

impl Family {
    #[inline]
    pub(crate) fn of(address: &SocketAddr) -> Self {
        match address {
            SocketAddr::V4(_) => Self::V4,
            SocketAddr::V6(_) => Self::V6,
        }
    }

    #[inline]
    pub(in super::super) fn to_system(self) -> AddressFamily {
        match self {
            Self::V4 => AddressFamily::INET,
            Self::V6 => AddressFamily::INET6,
            Self::Unix => AddressFamily::UNIX,
        }
    }
}

/// The type of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Stream,
    Datagram,
}

impl Type {
    #[inline]
    pub(in super::super) fn to_system(self) -> SocketType {
        match self {
            Self::Stream => SocketType::STREAM,
            Self::Datagram => SocketType::DGRAM,
        }
    }
}

/// Binds a socket to an address.
#[inline]
pub(crate) fn bind(socket: impl AsFd, address: &impl Address) -> OsResult<()> {
    Ok(rnet::bind(socket, address)?)
}

/// Makes a socket listen for connections, of which this many may wait to be accepted.
#[inline]
pub(crate) fn listen(socket: impl AsFd, backlog: i32) -> OsResult<()> {
    Ok(rnet::listen(socket, backlog)?)
}

/// Connects a socket to an address. For a stream in blocking mode the call waits for the
/// connection.
#[inline]
pub(crate) fn connect(socket: impl AsFd, address: &impl Address) -> OsResult<()> {
    Ok(rnet::connect(socket, address)?)
}

/// Connects a TCP socket in non-blocking mode. The first call starts the connection, and each
/// further call reports its state.
///
/// # Errors
/// `WOULD_BLOCK` while the connection is being made.
#[inline]
pub(crate) fn connect_on(socket: impl AsFd, address: &SocketAddr) -> OsResult<()> {
    match rnet::connect(socket, address) {
        Ok(()) | Err(Errno::ISCONN) => Ok(()),
        Err(Errno::INPROGRESS | Errno::ALREADY) => Err(OsError::WOULD_BLOCK),
        // This error does not mean that the call would block, but that the system has run out of a
        // resource (such as ports).
        Err(Errno::AGAIN) => Err(Errno::ADDRNOTAVAIL.into()),
        Err(error) => Err(error.into()),
    }
}

/// Shuts down one direction, or both.
#[inline]
pub(crate) fn shutdown(socket: impl AsFd, how: Shutdown) -> OsResult<()> {
    let how = match how {
        Shutdown::Read => rnet::Shutdown::Read,
        Shutdown::Write => rnet::Shutdown::Write,
        Shutdown::Both => rnet::Shutdown::Both,
    };
    Ok(rnet::shutdown(socket, how)?)
}

/// Receives into one buffer, and returns the number of bytes. With `peek`, the data stays in the
/// queue.
#[inline]
pub(crate) fn receive(
    socket: impl AsFd,
    buffer: &mut [u8],
    peek: bool,
    blocking: Blocking,
) -> OsResult<usize> {
    Ok(rnet::recv(socket, buffer, blocking.to_receive(peek))?.1)
}

/// Receives into memory that need not be initialised. Returns how many bytes of it are then.
#[inline]
pub(crate) fn receive_uninit(
    socket: impl AsFd,
    buffer: &mut [MaybeUninit<u8>],
    blocking: Blocking,
) -> OsResult<usize> {
    let ((received, _), _) = rnet::recv(socket, buffer, blocking.to_receive(false))?;
    Ok(received.len())
}

/// Receives into several buffers.
#[inline]
pub(crate) fn receive_vectored(
    socket: impl AsFd,
    buffers: &mut [IoSliceMut<'_>],
    blocking: Blocking,
) -> OsResult<usize> {
    let nothing = &mut RecvAncillaryBuffer::default();
    Ok(rnet::recvmsg(socket, buffers, nothing, blocking.to_receive(false))?.bytes)
}

/// Receives a datagram, or as much of it as fits. Returns the number of bytes, and the sender's
/// address if the sender has one.
#[inline]
pub(crate) fn receive_from(
    socket: impl AsFd,
    buffer: &mut [u8],
    peek: bool,
    blocking: Blocking,
) -> OsResult<(usize, Option<AnyAddress>)> {
    let room = buffer.len();
    let (_, count, address) = rnet::recvfrom(socket, buffer, blocking.to_receive(peek))?;
    Ok((count.min(room), address))
}

/// Sends to the peer, and returns the number of bytes.
#[inline]
pub(crate) fn send(socket: impl AsFd, bytes: &[u8], blocking: Blocking) -> OsResult<usize> {
    Ok(rnet::send(socket, bytes, blocking.to_send())?)
}

/// Sends the content of several buffers.
#[inline]
pub(crate) fn send_vectored(
    socket: impl AsFd,
    buffers: &[IoSlice<'_>],
    blocking: Blocking,
) -> OsResult<usize> {
    Ok(rnet::sendmsg(socket, buffers, &mut SendAncillaryBuffer::default(), blocking.to_send())?)
}

/// Sends a datagram to an address.
#[inline]
pub(crate) fn send_to(
    socket: impl AsFd,
    bytes: &[u8],
    address: &impl Address,
    blocking: Blocking,
) -> OsResult<usize> {
    Ok(rnet::sendto(socket, bytes, blocking.to_send(), address)?)
}

/// Returns the local address of a socket.
#[inline]
pub(crate) fn local_address(socket: impl AsFd) -> OsResult<AnyAddress> {
    Ok(rnet::getsockname(socket)?)
}

/// Returns the peer's address, if the system gives one.
#[inline]
pub(crate) fn peer_address(socket: impl AsFd) -> OsResult<Option<AnyAddress>> {
    Ok(rnet::getpeername(socket)?)
}

/// Converts an IP address into std's form.
///
/// # Errors
/// An error if the address is of another family.
#[inline]
pub(crate) fn to_ip(address: AnyAddress) -> OsResult<SocketAddr> {
    Ok(address.try_into()?)
}

/// Returns the socket's pending error and clears it.
///
/// # Errors
/// An error if the system refuses to tell.
#[inline]
pub(crate) fn take_error(socket: impl AsFd) -> OsResult<Option<OsError>> {
    Ok(sockopt::socket_error(socket)?.err().map(OsError::from))
}

/// Returns how long blocking calls wait; `None` means without limit.
///
/// # Errors
/// An error if the descriptor is not a socket.
#[inline]
pub(crate) fn timeout(socket: impl AsFd, interest: Interest) -> OsResult<Option<Duration>> {
    let mut time = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let mut len = TIME_LEN;
    let socket = socket.as_fd().as_raw_fd();
    // SAFETY: the call writes at most `len` bytes to `time`.
    let result = unsafe {
        libc::getsockopt(socket, libc::SOL_SOCKET, option(interest), (&raw mut time).cast(), &raw mut len)
    };
    check(result)?;
    let time = Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    Ok((!time.is_zero()).then_some(time))
}

/// Sets how long blocking calls wait, rounded up to a microsecond; `None` means without limit.
#[inline]
pub(crate) fn set_timeout(socket: impl AsFd, interest: Interest, timeout: Option<Duration>) -> OsResult<()> {
    let rounded = timeout.unwrap_or_default().saturating_add(Duration::from_nanos(999));
    // In C, seconds have at least as many bits as a `long`.
    let seconds = rounded.as_secs().min(libc::c_long::MAX as u64);
    let time = libc::timeval { tv_sec: seconds as _, tv_usec: rounded.subsec_micros() as _ };
    let socket = socket.as_fd().as_raw_fd();
    // SAFETY: the call reads `time`.
    check(unsafe {
        libc::setsockopt(socket, libc::SOL_SOCKET, option(interest), (&raw const time).cast(), TIME_LEN)
    })
}

const TIME_LEN: libc::socklen_t = size_of::<libc::timeval>() as libc::socklen_t;

/// The option for a timeout, as the C library numbers it. (Linux has newer numbers, for 32-bit
/// machines, and the crate `rustix` asks for these everywhere. qemu 7.2 does not know them, and
/// writes an answer of another size.)
#[inline]
const fn option(interest: Interest) -> libc::c_int {
    match interest {
        Interest::Read => libc::SO_RCVTIMEO,
        Interest::Write => libc::SO_SNDTIMEO,
    }
}

fn check(result: libc::c_int) -> OsResult<()> {
    if result == 0 {
        return Ok(());
    }
    Err(OsError::of(&io::Error::last_os_error()).unwrap_or(OsError::OTHER))
}
