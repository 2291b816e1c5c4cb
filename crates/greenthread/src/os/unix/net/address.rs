//! Addresses of Unix sockets, from and to std's type.

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

/// The system's form of a path. std has the words for what is wrong with it.
pub(super) fn path(path: &Path) -> io::Result<UnixAddress> {
    socket::from_unix(&SocketAddr::from_pathname(path)?)
}

pub(super) fn local(ours: &Socket) -> io::Result<SocketAddr> {
    socket::to_unix(Some(socket::local_address(ours)?))
}

pub(super) fn peer(ours: &Socket) -> io::Result<SocketAddr> {
    socket::to_unix(socket::peer_address(ours)?)
}

/// A new socket, in blocking mode.
pub(super) fn open(kind: Type) -> io::Result<Socket> {
    Ok(Socket::new(socket::open(Family::Unix, kind)?).unix())
}

/// A new socket, in non-blocking mode.
pub(super) fn open_nonblocking(kind: Type) -> io::Result<Socket> {
    Ok(Socket::new(socket::open_nonblocking(Family::Unix, kind)?).unix())
}

/// Two sockets that are connected.
pub(super) fn pair(kind: Type) -> io::Result<(Socket, Socket)> {
    let (one, two) = socket::pair(kind)?;
    Ok((Socket::new(one).unix(), Socket::new(two).unix()))
}

/// Like std's own.
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
