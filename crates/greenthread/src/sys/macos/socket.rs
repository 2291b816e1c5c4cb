//! Sockets: their creation, the state of a connection, and the addresses of Unix sockets.
//!
//! macOS has no flags that make a socket close on exec from the start. A child process that another
//! OS thread starts between the two calls, by a bare `fork` and `exec`, inherits the socket. (std
//! has the same gap. A program that is started by `posix_spawn` with `POSIX_SPAWN_CLOEXEC_DEFAULT`
//! does not.)

use std::{
    io,
    net::SocketAddr,
    os::{
        fd::{AsFd, OwnedFd},
        unix::{ffi::OsStrExt, net},
    },
};

use rustix::{
    io::{FdFlags, fcntl_setfd, ioctl_fionbio},
    net::{self as rnet, AddressFamily, SocketFlags, sockopt::set_socket_nosigpipe},
};

pub(crate) use super::super::unix::socket::{
    Address, AnyAddress, Blocking, Family, Type, UnixAddress, bind, connect, listen, local_address,
    peer_address, receive, receive_from, receive_uninit, receive_vectored, send, send_to, send_vectored,
    set_timeout, shutdown, take_error, timeout, to_ip,
};

use super::{super::unix::socket, error::OsResult};

/// Shutting down a socket is an event for the threads that wait for it: both directions of
/// `soshutdown` wake them (`bsd/kern/uipc_socket2.c`).
pub(crate) const NO_SHUTDOWN_EVENT: bool = false;

/// Shutting down a socket wakes the threads that wait to write: `socantsendmore` activates the
/// events for writing, with `EV_EOF` (`bsd/kern/uipc_socket2.c`). A listener cannot be shut down:
/// `soshutdown` requires a connection (`bsd/kern/uipc_socket.c`).
pub(crate) const NO_WRITE_SHUTDOWN_EVENT: bool = false;

/// Makes a socket safe for a process with children, and for a peer that is gone.
fn prepare(socket: &OwnedFd) -> OsResult<()> {
    fcntl_setfd(socket, FdFlags::CLOEXEC)?;
    // The call fails for a socket whose peer is gone already. Its sends have a flag as well.
    let _ = set_socket_nosigpipe(socket, true);
    Ok(())
}

/// Makes a socket in blocking mode.
pub(crate) fn open(family: Family, kind: Type) -> OsResult<OwnedFd> {
    let socket = rnet::socket(family.to_system(), kind.to_system(), None)?;
    prepare(&socket)?;
    Ok(socket)
}

/// Makes a socket in non-blocking mode.
pub(crate) fn open_nonblocking(family: Family, kind: Type) -> OsResult<OwnedFd> {
    let socket = open(family, kind)?;
    ioctl_fionbio(&socket, true)?;
    Ok(socket)
}

/// Makes two Unix sockets in blocking mode that are connected to each other.
pub(crate) fn pair(kind: Type) -> OsResult<(OwnedFd, OwnedFd)> {
    let (a, b) = rnet::socketpair(AddressFamily::UNIX, kind.to_system(), SocketFlags::empty(), None)?;
    prepare(&a)?;
    prepare(&b)?;
    Ok((a, b))
}

/// Connects a TCP socket in non-blocking mode. The first call starts the connection, and each
/// further call reports its state.
///
/// # Errors
/// `WOULD_BLOCK` while the connection is being made.
pub(crate) fn connect_on(socket: impl AsFd, address: &SocketAddr) -> OsResult<()> {
    // A connection that has failed leaves its error with the socket. Whether another `connect`
    // reports it depends on how far the kernel has taken the connection down (`tcp_usr_connect` in
    // `bsd/netinet/tcp_usrreq.c`).
    if let Some(error) = take_error(&socket)? {
        return Err(error);
    }
    socket::connect_on(socket, address)
}

/// Accepts a connection. It is in blocking mode, and comes with the peer's address if the system
/// gives one. The call waits as the listener's mode says.
pub(crate) fn accept(listener: impl AsFd) -> OsResult<(OwnedFd, Option<AnyAddress>)> {
    let (socket, peer) = rnet::acceptfrom(listener)?;
    prepare(&socket)?;
    // A connection inherits the listener's mode (accept(2)).
    ioctl_fionbio(&socket, false)?;
    Ok((socket, peer))
}

/// Converts the address of a Unix socket into std's form. If the system gave no address, the result
/// is unnamed.
///
/// # Errors
/// An error if the address is of another family.
pub(crate) fn to_unix(address: Option<AnyAddress>) -> io::Result<net::SocketAddr> {
    let address = address.map(UnixAddress::try_from).transpose()?;
    let path = address.as_ref().and_then(UnixAddress::path_bytes).unwrap_or_default();
    // std represents an unnamed address as an empty path.
    net::SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(path))
}

/// Converts std's form of a Unix socket's address into the system's form.
pub(crate) fn from_unix(address: &net::SocketAddr) -> io::Result<UnixAddress> {
    Ok(UnixAddress::new(address.as_pathname().unwrap_or(std::path::Path::new("")))?)
}
