//! Sockets: their creation, and the addresses of Unix sockets.

use std::{
    io,
    os::{
        fd::{AsFd, OwnedFd},
        linux::net::SocketAddrExt,
        unix::{ffi::OsStrExt, net},
    },
};

use rustix::net::{self as rnet, AddressFamily, SocketFlags};

pub(crate) use super::super::unix::socket::{
    Address, AnyAddress, Blocking, Family, Type, UnixAddress, bind, connect, connect_on, listen,
    local_address, peer_address, receive, receive_from, receive_uninit, receive_vectored, send, send_to,
    send_vectored, set_timeout, shutdown, take_error, timeout, to_ip,
};

use super::error::OsResult;

/// Shutting down a socket is an event for threads that wait for it, with one exception.
pub(crate) const NO_SHUTDOWN_EVENT: bool = false;

/// Shutting down a Unix socket gives no event to threads that wait to write, and a non-blocking
/// `accept` on it says that it would block.
pub(crate) const NO_WRITE_SHUTDOWN_EVENT: bool = true;

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

/// Accepts a connection. It is in blocking mode, and comes with the peer's address if the system
/// gives one. The call waits as the listener's mode says.
#[inline]
pub(crate) fn accept(socket: impl AsFd) -> OsResult<(OwnedFd, Option<AnyAddress>)> {
    Ok(rnet::acceptfrom_with(socket, SocketFlags::CLOEXEC)?)
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
