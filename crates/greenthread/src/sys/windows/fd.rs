//! Descriptors: sockets and handles, which Windows tells apart.
//!
//! A call on a Windows socket waits or not as the socket's mode says; there is no flag for one
//! call. So all sockets of the library are in the system's non-blocking mode. The mode that the
//! user has set is kept beside the socket. The system does not tell a socket's mode. A socket that
//! comes from the user is taken to be in blocking mode. One that is given back gets the user's
//! mode.
//!
//! A socket that the user has ever had is *exposed*. The user may have put it into blocking mode,
//! in which a call would block the worker. Since the system does not tell, each call that may wait
//! sets the mode before.

use std::{
    fmt, fs,
    io::{self, PipeReader, PipeWriter},
    net,
    os::windows::io::{
        AsHandle, AsRawHandle, AsRawSocket, AsSocket, BorrowedHandle, BorrowedSocket, OwnedHandle,
        OwnedSocket,
    },
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use socket2::SockRef;

/// The name of the field that shows a socket's number in its debug output.
pub(crate) const FIELD: &str = "socket";

/// Returns the number of a descriptor, for debug output.
pub(crate) fn number(descriptor: impl AsFd) -> impl fmt::Debug {
    match descriptor.as_fd() {
        BorrowedFd::Socket(socket) => socket.socket.as_raw_socket(),
        BorrowedFd::Handle(handle) => handle.as_raw_handle() as u64,
    }
}

/// A socket or a handle. It is closed when it is dropped.
pub(crate) enum OwnedFd {
    Socket(Socket),
    Handle(OwnedHandle),
}

/// A socket in the system's non-blocking mode, with what is known of the user's mode. Clones share
/// both.
pub(crate) struct Socket {
    socket: OwnedSocket,
    mode: Arc<Mode>,
}

struct Mode {
    /// Whether the user wants the non-blocking mode.
    nonblocking: AtomicBool,
    /// Whether the user has had access to the socket itself.
    exposed: AtomicBool,
}

impl Socket {
    fn new(socket: OwnedSocket, nonblocking: bool, exposed: bool) -> Self {
        let mode = Mode { nonblocking: nonblocking.into(), exposed: exposed.into() };
        Self { socket, mode: Arc::new(mode) }
    }
}

/// A borrowed [`OwnedFd`].
#[derive(Clone, Copy)]
pub(crate) enum BorrowedFd<'a> {
    Socket(&'a Socket),
    Handle(BorrowedHandle<'a>),
}

/// A type with a descriptor inside.
pub(crate) trait AsFd {
    fn as_fd(&self) -> BorrowedFd<'_>;
}

impl OwnedFd {
    /// Wraps a socket that is in the system's non-blocking mode, with the mode that the user wants.
    pub(super) fn from_nonblocking(socket: OwnedSocket, nonblocking: bool) -> Self {
        Self::Socket(Socket::new(socket, nonblocking, false))
    }

    /// Whether it is a socket that has clones.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Self::Socket(socket) if Arc::strong_count(&socket.mode) > 1)
    }
}

impl<'a> BorrowedFd<'a> {
    /// Returns the socket. All callers have one.
    pub(crate) fn socket(self) -> BorrowedSocket<'a> {
        match self {
            Self::Socket(socket) => socket.socket.as_socket(),
            Self::Handle(_) => panic!("a handle is not a socket"),
        }
    }

    /// Returns the socket for the user, who may change its mode.
    pub(crate) fn lent_socket(self) -> BorrowedSocket<'a> {
        if let Self::Socket(socket) = self {
            socket.mode.exposed.store(true, Relaxed);
        }
        self.socket()
    }

    /// Whether the user has had access to the socket.
    pub(super) fn is_exposed(self) -> bool {
        matches!(self, Self::Socket(socket) if socket.mode.exposed.load(Relaxed))
    }

    /// Returns the handle. All callers have one.
    pub(crate) fn handle(self) -> BorrowedHandle<'a> {
        match self {
            Self::Handle(handle) => handle,
            Self::Socket(_) => panic!("a socket is not a handle"),
        }
    }

    /// Makes another descriptor for the same socket or file.
    pub(crate) fn try_clone_to_owned(&self) -> io::Result<OwnedFd> {
        Ok(match self {
            Self::Socket(Socket { socket, mode }) => {
                OwnedFd::Socket(Socket { socket: socket.try_clone()?, mode: mode.clone() })
            }
            Self::Handle(handle) => OwnedFd::Handle(handle.try_clone_to_owned()?),
        })
    }

    /// Returns whether the user wants the descriptor in non-blocking mode.
    pub(super) fn is_nonblocking(self) -> bool {
        matches!(self, Self::Socket(socket) if socket.mode.nonblocking.load(Relaxed))
    }

    /// Sets the mode that the user wants. A handle has none.
    pub(super) fn set_nonblocking(self, nonblocking: bool) {
        if let Self::Socket(socket) = self {
            socket.mode.nonblocking.store(nonblocking, Relaxed);
        }
    }
}

impl AsFd for OwnedFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Socket(socket) => BorrowedFd::Socket(socket),
            Self::Handle(handle) => BorrowedFd::Handle(handle.as_handle()),
        }
    }
}

impl AsFd for BorrowedFd<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        *self
    }
}

impl<T: AsFd + ?Sized> AsFd for &T {
    fn as_fd(&self) -> BorrowedFd<'_> {
        (**self).as_fd()
    }
}

impl From<OwnedSocket> for OwnedFd {
    fn from(socket: OwnedSocket) -> Self {
        // If this fails, the socket's calls fail as well, and report the error.
        let _ = SockRef::from(&socket).set_nonblocking(true);
        Self::Socket(Socket::new(socket, false, true))
    }
}

impl From<OwnedFd> for OwnedSocket {
    /// Gives the socket the user's mode, unless clones need the system's non-blocking mode.
    fn from(descriptor: OwnedFd) -> Self {
        match descriptor {
            OwnedFd::Socket(Socket { socket, mut mode }) => {
                if Arc::get_mut(&mut mode).is_none() {
                    mode.exposed.store(true, Relaxed);
                } else if !mode.nonblocking.load(Relaxed) {
                    let _ = SockRef::from(&socket).set_nonblocking(false);
                }
                socket
            }
            OwnedFd::Handle(_) => panic!("a handle is not a socket"),
        }
    }
}

impl From<OwnedHandle> for OwnedFd {
    fn from(handle: OwnedHandle) -> Self {
        Self::Handle(handle)
    }
}

impl From<OwnedFd> for OwnedHandle {
    fn from(descriptor: OwnedFd) -> Self {
        match descriptor {
            OwnedFd::Handle(handle) => handle,
            OwnedFd::Socket(_) => panic!("a socket is not a handle"),
        }
    }
}

macro_rules! owners {
    ($($through:ident: $($type:ty),*;)*) => { $($(
        impl From<$type> for OwnedFd {
            fn from(owner: $type) -> Self {
                $through::from(owner).into()
            }
        }

        impl From<OwnedFd> for $type {
            fn from(descriptor: OwnedFd) -> Self {
                $through::from(descriptor).into()
            }
        }
    )*)* };
}

owners! {
    OwnedSocket: net::TcpStream, net::TcpListener, net::UdpSocket;
    OwnedHandle: fs::File, PipeReader, PipeWriter, process::ChildStdin, process::ChildStdout, process::ChildStderr;
}

impl fmt::Debug for OwnedFd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_fd().fmt(f)
    }
}

impl fmt::Debug for BorrowedFd<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(socket) => socket.socket.fmt(f),
            Self::Handle(handle) => handle.fmt(f),
        }
    }
}
