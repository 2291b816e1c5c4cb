//! Unix sockets, their addresses, and conversions from and to std's address type.

use std::{
    fmt, io,
    os::{
        fd::{AsFd, AsRawFd},
        unix::net::SocketAddr,
    },
    path::Path,
};

use crate::{
    net::socket::Socket,
    sys::socket::{self, Family, Type, UnixAddress},
};

/// Converts a path into the system's form. std gives the error for a path that cannot be an
/// address.
pub(super) fn path(path: &Path) -> io::Result<UnixAddress> {
    socket::from_unix(&SocketAddr::from_pathname(path)?)
}

pub(super) fn local(socket: &Socket) -> io::Result<SocketAddr> {
    socket::to_unix(Some(socket::local_address(socket)?))
}

pub(super) fn peer(socket: &Socket) -> io::Result<SocketAddr> {
    socket::to_unix(socket::peer_address(socket)?)
}

/// Makes a socket in blocking mode.
pub(super) fn open(kind: Type) -> io::Result<Socket> {
    Ok(Socket::new(socket::open(Family::Unix, kind)?).unix())
}

/// Makes a socket in non-blocking mode.
pub(super) fn open_nonblocking(kind: Type) -> io::Result<Socket> {
    Ok(Socket::new(socket::open_nonblocking(Family::Unix, kind)?).unix())
}

/// Makes two sockets that are connected to each other.
pub(super) fn pair(kind: Type) -> io::Result<(Socket, Socket)> {
    let (one, two) = socket::pair(kind)?;
    Ok((Socket::new(one).unix(), Socket::new(two).unix()))
}

/// Formats a socket as std does.
pub(super) fn debug(f: &mut fmt::Formatter<'_>, name: &str, socket: &Socket, with_peer: bool) -> fmt::Result {
    let mut fields = f.debug_struct(name);
    fields.field("fd", &socket.as_fd().as_raw_fd());
    if let Ok(address) = local(socket) {
        fields.field("local", &address);
    }
    if with_peer && let Ok(address) = peer(socket) {
        fields.field("peer", &address);
    }
    fields.finish()
}
