//! Sockets: their creation, their addresses, receiving and sending.
//!
//! The caller decides whether a call may block. Each call takes a flag for that (`MSG_DONTWAIT`),
//! so the descriptor's mode, which others share, does not change. No call raises `SIGPIPE`, and no
//! child process inherits a socket.

use std::{
    io::{self, IoSlice, IoSliceMut},
    net::{Shutdown, SocketAddr},
    os::{
        fd::{AsFd, OwnedFd},
        linux::net::SocketAddrExt,
        unix::{ffi::OsStrExt, net},
    },
    time::Duration,
};

pub(crate) use rustix::net::{
    SocketAddrAny as AnyAddress, SocketAddrUnix as UnixAddress, addr::SocketAddrArg as Address,
};
use rustix::{
    io::Errno,
    net::{
        self as rnet, AddressFamily, RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendFlags,
        SocketFlags, SocketType,
        sockopt::{self, Timeout},
    },
};

use super::{
    super::readiness::Interest,
    error::{OsError, OsResult},
};

/// Shutting down a Unix socket gives no event to threads that wait to write, and a non-blocking
/// `accept` on it says that it would block.
pub(crate) const NO_WRITE_SHUTDOWN_EVENT: bool = true;

/// The number of connections that may wait in the queue of a listener. The value is std's.
const BACKLOG: i32 = 128;

/// The flags of a send that does not block.
pub(super) const NONBLOCKING_SEND: SendFlags = SendFlags::NOSIGNAL.union(SendFlags::DONTWAIT);

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
            Self::AsSet => SendFlags::NOSIGNAL,
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
    fn to_system(self) -> AddressFamily {
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
    fn to_system(self) -> SocketType {
        match self {
            Self::Stream => SocketType::STREAM,
            Self::Datagram => SocketType::DGRAM,
        }
    }
}

/// Makes a socket in blocking mode.
#[inline]
pub(crate) fn open(family: Family, kind: Type) -> OsResult<OwnedFd> {
    Ok(rnet::socket_with(family.to_system(), kind.to_system(), SocketFlags::CLOEXEC, None)?)
}

/// Makes a socket in non-blocking mode.
#[inline]
pub(crate) fn open_nonblocking(family: Family, kind: Type) -> OsResult<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(rnet::socket_with(family.to_system(), kind.to_system(), flags, None)?)
}

/// Makes two Unix sockets in blocking mode that are connected to each other.
#[inline]
pub(crate) fn pair(kind: Type) -> OsResult<(OwnedFd, OwnedFd)> {
    Ok(rnet::socketpair(AddressFamily::UNIX, kind.to_system(), SocketFlags::CLOEXEC, None)?)
}

/// Binds a socket to an address.
#[inline]
pub(crate) fn bind(socket: impl AsFd, address: &impl Address) -> OsResult<()> {
    Ok(rnet::bind(socket, address)?)
}

/// Makes a socket listen for connections.
#[inline]
pub(crate) fn listen(socket: impl AsFd) -> OsResult<()> {
    Ok(rnet::listen(socket, BACKLOG)?)
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

/// Accepts a connection. It is in blocking mode, and comes with the peer's address if the system
/// gives one. The call waits as the listener's mode says.
#[inline]
pub(crate) fn accept(socket: impl AsFd) -> OsResult<(OwnedFd, Option<AnyAddress>)> {
    Ok(rnet::acceptfrom_with(socket, SocketFlags::CLOEXEC)?)
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

/// Converts the address of a Unix socket into std's form. If the system gave no address, the result
/// is unnamed.
///
/// # Errors
/// An error if the address is of another family.
pub(crate) fn to_unix(address: Option<AnyAddress>) -> io::Result<net::SocketAddr> {
    let address = address.map(UnixAddress::try_from).transpose()?;
    match &address {
        Some(address) if let Some(path) = address.path_bytes() => {
            net::SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(path))
        }
        Some(address)
            if let Some(name) = address.abstract_name()
                && !name.is_empty() =>
        {
            net::SocketAddr::from_abstract_name(name)
        }
        // std represents an unnamed address as an empty path. rustix cannot distinguish an unnamed
        // address from an empty abstract name.
        _ => net::SocketAddr::from_pathname(""),
    }
}

/// Converts std's form of a Unix socket's address into the system's form.
pub(crate) fn from_unix(address: &net::SocketAddr) -> io::Result<UnixAddress> {
    Ok(if let Some(path) = address.as_pathname() {
        UnixAddress::new(path)?
    } else if let Some(name) = address.as_abstract_name() {
        UnixAddress::new_abstract_name(name)?
    } else {
        UnixAddress::new_unnamed()
    })
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
    Ok(sockopt::socket_timeout(socket, option(interest))?)
}

/// Sets how long blocking calls wait; `None` means without limit.
#[inline]
pub(crate) fn set_timeout(socket: impl AsFd, interest: Interest, timeout: Option<Duration>) -> OsResult<()> {
    Ok(sockopt::set_socket_timeout(socket, option(interest), timeout)?)
}

#[inline]
fn option(interest: Interest) -> Timeout {
    match interest {
        Interest::Read => Timeout::Recv,
        Interest::Write => Timeout::Send,
    }
}
