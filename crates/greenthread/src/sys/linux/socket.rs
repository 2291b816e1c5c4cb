//! Sockets: making them, their addresses, receiving and sending.
//!
//! What a socket's calls wait for is the caller's business: each says by a flag of its own
//! (`MSG_DONTWAIT`) whether it may block, so the descriptor's mode, which others share, is left
//! alone. No call raises `SIGPIPE`, and no child inherits a socket.

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

/// A Unix socket that is shut down has no event for those who wait to write, and its non-blocking
/// `accept` says that it would block.
pub(crate) const NO_WRITE_SHUTDOWN_EVENT: bool = true;

/// How many connections may wait to be accepted; as in std.
const BACKLOG: i32 = 128;

/// The flags of a send that doesn't block.
pub(super) const NONBLOCKING_SEND: SendFlags = SendFlags::NOSIGNAL.union(SendFlags::DONTWAIT);

/// How a call waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blocking {
    /// As the descriptor's mode and timeouts say.
    AsSet,
    /// Not at all: the call gives `WOULD_BLOCK` instead.
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

/// What addresses a socket has.
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

/// What goes through a socket.
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

/// A new socket, in blocking mode.
#[inline]
pub(crate) fn open(family: Family, kind: Type) -> OsResult<OwnedFd> {
    Ok(rnet::socket_with(family.to_system(), kind.to_system(), SocketFlags::CLOEXEC, None)?)
}

/// A new socket, in non-blocking mode.
#[inline]
pub(crate) fn open_nonblocking(family: Family, kind: Type) -> OsResult<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(rnet::socket_with(family.to_system(), kind.to_system(), flags, None)?)
}

/// Two Unix sockets that are connected to each other, in blocking mode.
#[inline]
pub(crate) fn pair(kind: Type) -> OsResult<(OwnedFd, OwnedFd)> {
    Ok(rnet::socketpair(AddressFamily::UNIX, kind.to_system(), SocketFlags::CLOEXEC, None)?)
}

/// Names a socket.
#[inline]
pub(crate) fn bind(socket: impl AsFd, address: &impl Address) -> OsResult<()> {
    Ok(rnet::bind(socket, address)?)
}

/// From now on it takes connections.
#[inline]
pub(crate) fn listen(socket: impl AsFd) -> OsResult<()> {
    Ok(rnet::listen(socket, BACKLOG)?)
}

/// Names the peer. A stream in blocking mode waits for it.
#[inline]
pub(crate) fn connect(socket: impl AsFd, address: &impl Address) -> OsResult<()> {
    Ok(rnet::connect(socket, address)?)
}

/// Connects a TCP socket in non-blocking mode: the first call begins, each further one tells how it
/// stands.
///
/// # Errors
/// `WOULD_BLOCK` as long as it is under way.
#[inline]
pub(crate) fn connect_on(socket: impl AsFd, address: &SocketAddr) -> OsResult<()> {
    match rnet::connect(socket, address) {
        Ok(()) | Err(Errno::ISCONN) => Ok(()),
        Err(Errno::INPROGRESS | Errno::ALREADY) => Err(OsError::WOULD_BLOCK),
        // Not that it would block, but that the system has run out of something.
        Err(Errno::AGAIN) => Err(Errno::ADDRNOTAVAIL.into()),
        Err(error) => Err(error.into()),
    }
}

/// The next connection, in blocking mode, and who made it, if the system says. Blocks as the
/// listener's mode says.
#[inline]
pub(crate) fn accept(socket: impl AsFd) -> OsResult<(OwnedFd, Option<AnyAddress>)> {
    Ok(rnet::acceptfrom_with(socket, SocketFlags::CLOEXEC)?)
}

/// Shuts down a direction, or both.
#[inline]
pub(crate) fn shutdown(socket: impl AsFd, how: Shutdown) -> OsResult<()> {
    let how = match how {
        Shutdown::Read => rnet::Shutdown::Read,
        Shutdown::Write => rnet::Shutdown::Write,
        Shutdown::Both => rnet::Shutdown::Both,
    };
    Ok(rnet::shutdown(socket, how)?)
}

/// Receives into one buffer; how many bytes. With `peek`, they stay there.
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

/// Receives a datagram, as much of it as fits, and who sent it, if that has a name.
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

/// Sends to the peer; how many bytes.
#[inline]
pub(crate) fn send(socket: impl AsFd, bytes: &[u8], blocking: Blocking) -> OsResult<usize> {
    Ok(rnet::send(socket, bytes, blocking.to_send())?)
}

/// Sends what is in several buffers.
#[inline]
pub(crate) fn send_vectored(
    socket: impl AsFd,
    buffers: &[IoSlice<'_>],
    blocking: Blocking,
) -> OsResult<usize> {
    Ok(rnet::sendmsg(socket, buffers, &mut SendAncillaryBuffer::default(), blocking.to_send())?)
}

/// Sends a datagram to somebody.
#[inline]
pub(crate) fn send_to(
    socket: impl AsFd,
    bytes: &[u8],
    address: &impl Address,
    blocking: Blocking,
) -> OsResult<usize> {
    Ok(rnet::sendto(socket, bytes, blocking.to_send(), address)?)
}

/// The socket's own address.
#[inline]
pub(crate) fn local_address(socket: impl AsFd) -> OsResult<AnyAddress> {
    Ok(rnet::getsockname(socket)?)
}

/// The peer's address, if the system says.
#[inline]
pub(crate) fn peer_address(socket: impl AsFd) -> OsResult<Option<AnyAddress>> {
    Ok(rnet::getpeername(socket)?)
}

/// std's form of an address of IP.
///
/// # Errors
/// It is another one.
#[inline]
pub(crate) fn to_ip(address: AnyAddress) -> OsResult<SocketAddr> {
    Ok(address.try_into()?)
}

/// std's form of a Unix socket's address; of none where the system gave none.
///
/// # Errors
/// It is another one.
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
        // To std, a path of no bytes is no name; rustix can't tell that from an abstract name of no
        // bytes.
        _ => net::SocketAddr::from_pathname(""),
    }
}

/// The system's form of a Unix socket's address.
pub(crate) fn from_unix(address: &net::SocketAddr) -> io::Result<UnixAddress> {
    Ok(if let Some(path) = address.as_pathname() {
        UnixAddress::new(path)?
    } else if let Some(name) = address.as_abstract_name() {
        UnixAddress::new_abstract_name(name)?
    } else {
        UnixAddress::new_unnamed()
    })
}

/// Takes the error that is pending off the socket.
///
/// # Errors
/// The system doesn't say.
#[inline]
pub(crate) fn take_error(socket: impl AsFd) -> OsResult<Option<OsError>> {
    Ok(sockopt::socket_error(socket)?.err().map(OsError::from))
}

/// How long blocking calls wait; none is for ever.
///
/// # Errors
/// It is no socket.
#[inline]
pub(crate) fn timeout(socket: impl AsFd, interest: Interest) -> OsResult<Option<Duration>> {
    Ok(sockopt::socket_timeout(socket, option(interest))?)
}

/// Sets how long blocking calls wait.
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
