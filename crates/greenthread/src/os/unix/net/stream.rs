//! `UnixStream`.

use std::{
    fmt, io,
    net::Shutdown,
    os::{fd::OwnedFd, unix::net::SocketAddr},
    path::Path,
};

use super::address;
use crate::{
    descriptor::fd_impls::{descriptors, reading, writing},
    net::{polled::polled, settings, socket::Socket},
    runtime,
    sys::{
        error::OsError,
        io::set_nonblocking,
        socket::{self, Type, UnixAddress},
    },
};

/// A connection between Unix sockets: [`std::os::unix::net::UnixStream`] for green threads.
///
/// Several threads may use one stream at once, as with [`TcpStream`](crate::net::TcpStream).
///
/// # Examples
///
/// ```
/// use greenthread::{os::unix::net::UnixStream, thread};
/// use std::io::{Read, Write};
///
/// greenthread::run(|| {
///     let (mut client, mut server) = UnixStream::pair()?;
///     let echo = thread::spawn(move || {
///         let mut buffer = [0; 4];
///         server.read_exact(&mut buffer)?;
///         server.write_all(&buffer)
///     });
///     client.write_all(b"ping")?;
///     let mut answer = String::new();
///     client.read_to_string(&mut answer)?;
///     assert_eq!(answer, "ping");
///     echo.join().unwrap()
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct UnixStream(Socket);

impl UnixStream {
    /// Wraps a newly accepted socket.
    pub(super) fn accepted(socket: Socket) -> Self {
        Self(socket.unix())
    }

    /// Connects to the listener at a path. Blocks the calling thread while the listener's queue is
    /// full. A green thread takes an OS thread for that time (see
    /// [`blocking_threads`](crate::RuntimeBuilder::blocking_threads)), since the system has no
    /// event for space in the queue.
    ///
    /// # Errors
    ///
    /// `NotFound`, `ConnectionRefused` (no process listens any more) or `PermissionDenied`;
    /// `InvalidInput` if the path cannot be that of a socket; `QuotaExceeded` if the queue is full
    /// and there is no OS thread to wait on.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::unix::net::{UnixListener, UnixStream};
    ///
    /// # let directory = std::env::temp_dir().join(format!("greenthread-doc-{}-connect", std::process::id()));
    /// # std::fs::create_dir_all(&directory)?;
    /// let path = directory.join("socket");
    /// let listener = UnixListener::bind(&path)?;
    /// let stream = UnixStream::connect(&path)?;
    /// assert_eq!(stream.peer_addr()?.as_pathname(), Some(&*path));
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn connect<P: AsRef<Path>>(path: P) -> io::Result<UnixStream> {
        Self::connect_to(&address::path(path.as_ref())?)
    }

    /// Connects to the listener with an address, as [`connect`](Self::connect) does with a path.
    ///
    /// # Errors
    ///
    /// As for [`connect`](Self::connect).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::{linux::net::SocketAddrExt, unix::net::{SocketAddr, UnixListener, UnixStream}};
    ///
    /// let address = SocketAddr::from_abstract_name(format!("greenthread-doc-{}", std::process::id()))?;
    /// let listener = UnixListener::bind_addr(&address)?;
    /// let stream = UnixStream::connect_addr(&address)?;
    /// assert_eq!(stream.peer_addr()?.as_abstract_name(), address.as_abstract_name());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn connect_addr(socket_addr: &SocketAddr) -> io::Result<UnixStream> {
        Self::connect_to(&socket::from_unix(socket_addr)?)
    }

    fn connect_to(address: &UnixAddress) -> io::Result<UnixStream> {
        if runtime::driver().is_none() {
            let socket = address::open(Type::Stream)?;
            socket::connect(&socket, address)?;
            return Ok(UnixStream(socket));
        }
        let socket = address::open_nonblocking(Type::Stream)?;
        let connected = socket::connect(&socket, address);
        set_nonblocking(&socket, false)?;
        match connected {
            // The listener's queue is full, and the system has no event for space in it. Therefore
            // a thread of the pool waits.
            Err(OsError::WOULD_BLOCK) => runtime::unblock_wait(|| socket::connect(&socket, address))??,
            result => result?,
        }
        Ok(UnixStream(socket))
    }

    /// Creates two streams without addresses that are connected to each other.
    ///
    /// # Errors
    ///
    /// An error if the process has no descriptors left.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::unix::net::UnixStream;
    /// use std::io::{Read, Write};
    ///
    /// let (mut one, mut two) = UnixStream::pair()?;
    /// one.write_all(b"word")?;
    /// assert_eq!(two.read(&mut [0; 8])?, 4);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let (one, two) = address::pair(Type::Stream)?;
        Ok((UnixStream(one), UnixStream(two)))
    }

    /// Returns the local address of this stream, which is unnamed if the socket is not bound.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::unix::net::UnixStream;
    ///
    /// let (socket, _other) = UnixStream::pair()?;
    /// assert!(socket.local_addr()?.is_unnamed());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        address::local(&self.0)
    }

    /// Returns the address of the peer, which is unnamed if the peer is not bound.
    ///
    /// # Errors
    ///
    /// `NotConnected` if this stream has no peer.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::unix::net::UnixStream;
    ///
    /// let (socket, _other) = UnixStream::pair()?;
    /// assert!(socket.peer_addr()?.is_unnamed());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        address::peer(&self.0)
    }

    /// Shuts down reading, writing or both, for all handles to the stream. Threads that wait for
    /// that direction stop waiting.
    ///
    /// # Errors
    ///
    /// `NotConnected` if this stream has no peer.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{net::Shutdown, os::unix::net::UnixStream};
    ///
    /// let (socket, other) = UnixStream::pair()?;
    /// socket.shutdown(Shutdown::Write)?;
    /// assert!(std::io::Write::write(&mut &socket, b"word").is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.shutdown(how)
    }

    settings!(
        UnixStream,
        "let (socket, _other) = greenthread::os::unix::net::UnixStream::pair()?;",
        "std::io::Read::read(&mut &socket, &mut [0])"
    );
}

impl From<OwnedFd> for UnixStream {
    /// Converts a descriptor. Its timeouts and its mode (blocking or not) stay as they are.
    fn from(descriptor: OwnedFd) -> Self {
        UnixStream(Socket::adopt(descriptor).unix())
    }
}

impl From<UnixStream> for OwnedFd {
    fn from(socket: UnixStream) -> OwnedFd {
        socket.0.into_descriptor()
    }
}

polled!(UnixStream);
descriptors!(UnixStream, std::os::unix::net::UnixStream);

impl fmt::Debug for UnixStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        address::debug(f, "UnixStream", &self.0, true)
    }
}

reading!(UnixStream, &UnixStream);
writing!(UnixStream, &UnixStream);
