//! Addresses of Unix sockets, from and to std's type.

use std::{
    fmt, io,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        linux::net::SocketAddrExt,
        unix::{ffi::OsStrExt, net::SocketAddr},
    },
    path::Path,
};

use rustix::net::{self, SocketAddrAny, SocketAddrUnix, SocketFlags, SocketType};

use crate::net::socket::Socket;

/// The system's form of an address.
pub(super) fn to_system(address: &SocketAddr) -> io::Result<SocketAddrUnix> {
    Ok(if let Some(path) = address.as_pathname() {
        SocketAddrUnix::new(path)?
    } else if let Some(name) = address.as_abstract_name() {
        SocketAddrUnix::new_abstract_name(name)?
    } else {
        SocketAddrUnix::new_unnamed()
    })
}

/// The system's form of a path. std has the words for what is wrong with it.
pub(super) fn path(path: &Path) -> io::Result<SocketAddrUnix> {
    to_system(&SocketAddr::from_pathname(path)?)
}

/// std's form of an address; of none where the system gave none.
pub(super) fn from_system(address: Option<SocketAddrAny>) -> io::Result<SocketAddr> {
    let address = address.map(SocketAddrUnix::try_from).transpose()?;
    match &address {
        Some(address) if let Some(path) = address.path_bytes() => {
            SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(path))
        }
        Some(address)
            if let Some(name) = address.abstract_name()
                && !name.is_empty() =>
        {
            SocketAddr::from_abstract_name(name)
        }
        // To std, a path of no bytes is no name; rustix can't tell that from an abstract name of no bytes.
        _ => SocketAddr::from_pathname(""),
    }
}

pub(super) fn local(socket: &Socket) -> io::Result<SocketAddr> {
    from_system(Some(net::getsockname(socket)?))
}

pub(super) fn peer(socket: &Socket) -> io::Result<SocketAddr> {
    from_system(net::getpeername(socket)?)
}

/// A new socket in such a mode.
pub(super) fn socket(kind: SocketType, mode: SocketFlags) -> io::Result<Socket> {
    Ok(Socket::new(open(kind, mode)?).unix())
}

/// The same, for one that will listen.
pub(super) fn open(kind: SocketType, mode: SocketFlags) -> io::Result<OwnedFd> {
    Ok(net::socket_with(net::AddressFamily::UNIX, kind, SocketFlags::CLOEXEC | mode, None)?)
}

/// Two sockets that are connected.
pub(super) fn pair(kind: SocketType) -> io::Result<(Socket, Socket)> {
    let (one, two) = net::socketpair(net::AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)?;
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
