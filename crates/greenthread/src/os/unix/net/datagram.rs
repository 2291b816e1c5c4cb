//! `UnixDatagram`.

use std::{
    fmt, io,
    net::Shutdown,
    os::{fd::OwnedFd, unix::net::SocketAddr},
    path::Path,
};

use super::address;
use crate::{
    descriptor::fd_impls::descriptors,
    net::{settings, socket::Socket},
    sys::socket::{self, Type, UnixAddress},
};

/// A Unix socket for datagrams: [`std::os::unix::net::UnixDatagram`] for green threads.
///
/// Datagrams arrive whole and in order, and none is lost: a sender waits while the receiver's queue
/// is full. Several threads may use one socket at once; each datagram goes to one of the receiving
/// threads.
///
/// # Examples
///
/// ```
/// use greenthread::{os::unix::net::UnixDatagram, thread};
///
/// greenthread::run(|| {
///     let (one, two) = UnixDatagram::pair()?;
///     let sender = thread::spawn(move || two.send(b"hello"));
///     let mut buffer = [0; 16];
///     assert_eq!(one.recv(&mut buffer)?, 5);
///     assert_eq!(sender.join().unwrap()?, 5);
///     std::io::Result::Ok(())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct UnixDatagram(Socket);

impl UnixDatagram {
    /// Creates a socket that is bound to a path, and creates the socket's file there.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if the file exists; `InvalidInput` if the path cannot be that of a socket;
    /// otherwise the system's error.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::unix::net::UnixDatagram;
    ///
    /// # let directory = std::env::temp_dir().join(format!("greenthread-doc-{}-dbind", std::process::id()));
    /// # std::fs::create_dir_all(&directory)?;
    /// let path = directory.join("socket");
    /// let socket = UnixDatagram::bind(&path)?;
    /// assert_eq!(socket.local_addr()?.as_pathname(), Some(&*path));
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixDatagram> {
        Self::bind_to(&address::path(path.as_ref())?)
    }

    /// Creates a socket that is bound to an address, which may be abstract.
    ///
    /// # Errors
    ///
    /// As for [`bind`](Self::bind).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::{linux::net::SocketAddrExt, unix::net::{SocketAddr, UnixDatagram}};
    ///
    /// let address = SocketAddr::from_abstract_name(format!("greenthread-doc-d-{}", std::process::id()))?;
    /// let socket = UnixDatagram::bind_addr(&address)?;
    /// assert_eq!(socket.local_addr()?.as_abstract_name(), address.as_abstract_name());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind_addr(socket_addr: &SocketAddr) -> io::Result<UnixDatagram> {
        Self::bind_to(&socket::from_unix(socket_addr)?)
    }

    fn bind_to(address: &UnixAddress) -> io::Result<UnixDatagram> {
        let socket = address::open(Type::Datagram)?;
        socket::bind(&socket, address)?;
        Ok(UnixDatagram(socket))
    }

    /// Creates a socket that is not bound to an address.
    ///
    /// # Errors
    ///
    /// An error if the process has no descriptor left.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::unix::net::UnixDatagram;
    ///
    /// assert!(UnixDatagram::unbound()?.local_addr()?.is_unnamed());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn unbound() -> io::Result<UnixDatagram> {
        Ok(UnixDatagram(address::open(Type::Datagram)?))
    }

    /// Creates two sockets without addresses that are connected to each other.
    ///
    /// # Errors
    ///
    /// An error if the process has no descriptors left.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::unix::net::UnixDatagram;
    ///
    /// let (one, two) = UnixDatagram::pair()?;
    /// one.send(b"word")?;
    /// assert_eq!(two.recv(&mut [0; 8])?, 4);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
        let (one, two) = address::pair(Type::Datagram)?;
        Ok((UnixDatagram(one), UnixDatagram(two)))
    }

    /// Connects this socket to the socket at a path: [`send`](Self::send) sends to that socket, and
    /// only datagrams from that socket are received from then on.
    ///
    /// # Errors
    ///
    /// An error if there is no such socket, or if the path cannot be that of a socket.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::unix::net::UnixDatagram;
    ///
    /// # let directory = std::env::temp_dir().join(format!("greenthread-doc-{}-dconnect", std::process::id()));
    /// # std::fs::create_dir_all(&directory)?;
    /// let path = directory.join("socket");
    /// let receiver = UnixDatagram::bind(&path)?;
    /// let sender = UnixDatagram::unbound()?;
    /// sender.connect(&path)?;
    /// sender.send(b"word")?;
    /// assert_eq!(receiver.recv(&mut [0; 8])?, 4);
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        Ok(socket::connect(&self.0, &address::path(path.as_ref())?)?)
    }

    /// Connects this socket to an address, as [`connect`](Self::connect) does to a path.
    ///
    /// # Errors
    ///
    /// As for [`connect`](Self::connect).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::{linux::net::SocketAddrExt, unix::net::{SocketAddr, UnixDatagram}};
    ///
    /// let address = SocketAddr::from_abstract_name(format!("greenthread-doc-dc-{}", std::process::id()))?;
    /// let receiver = UnixDatagram::bind_addr(&address)?;
    /// let sender = UnixDatagram::unbound()?;
    /// sender.connect_addr(&address)?;
    /// assert_eq!(sender.send(b"word")?, 4);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn connect_addr(&self, socket_addr: &SocketAddr) -> io::Result<()> {
        Ok(socket::connect(&self.0, &socket::from_unix(socket_addr)?)?)
    }

    /// Receives a datagram and returns its length and its sender. Blocks the calling thread until a
    /// datagram arrives. If the datagram is longer than the buffer, the rest of it is lost, and the
    /// length is that of the buffer.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if the [timeout](Self::set_read_timeout) has passed, and in non-blocking mode
    /// if no datagram is there; otherwise the system's error.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::unix::net::UnixDatagram;
    ///
    /// # let directory = std::env::temp_dir().join(format!("greenthread-doc-{}-drecv", std::process::id()));
    /// # std::fs::create_dir_all(&directory)?;
    /// let path = directory.join("socket");
    /// let receiver = UnixDatagram::bind(&path)?;
    /// UnixDatagram::unbound()?.send_to(b"word", &path)?;
    /// let (count, sender) = receiver.recv_from(&mut [0; 8])?;
    /// assert_eq!((count, sender.is_unnamed()), (4, true));
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let (count, address) = self.0.receive_from(buf)?;
        Ok((count, socket::to_unix(address)?))
    }

    /// Receives a datagram as [`recv_from`](Self::recv_from) does, and returns only its length.
    ///
    /// # Errors
    ///
    /// As for [`recv_from`](Self::recv_from).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::unix::net::UnixDatagram;
    ///
    /// let (one, two) = UnixDatagram::pair()?;
    /// one.send(b"datagram")?;
    /// assert_eq!(two.recv(&mut [0; 4])?, 4);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }

    /// Sends a datagram to the socket at a path, and returns its length. Blocks the calling thread
    /// while the receiver's queue is full.
    ///
    /// # Errors
    ///
    /// An error if there is no such socket, or if it is connected to another socket; `WouldBlock`
    /// if the [timeout](Self::set_write_timeout) has passed, and in non-blocking mode if the queue
    /// is full.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::unix::net::UnixDatagram;
    ///
    /// # let directory = std::env::temp_dir().join(format!("greenthread-doc-{}-dsend", std::process::id()));
    /// # std::fs::create_dir_all(&directory)?;
    /// let path = directory.join("socket");
    /// let receiver = UnixDatagram::bind(&path)?;
    /// assert_eq!(UnixDatagram::unbound()?.send_to(b"word", &path)?, 4);
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn send_to<P: AsRef<Path>>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        self.0.send_to_unix(buf, &address::path(path.as_ref())?)
    }

    /// Sends a datagram to an address, as [`send_to`](Self::send_to) does to a path.
    ///
    /// # Errors
    ///
    /// As for [`send_to`](Self::send_to).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::{linux::net::SocketAddrExt, unix::net::{SocketAddr, UnixDatagram}};
    ///
    /// let address = SocketAddr::from_abstract_name(format!("greenthread-doc-ds-{}", std::process::id()))?;
    /// let receiver = UnixDatagram::bind_addr(&address)?;
    /// assert_eq!(UnixDatagram::unbound()?.send_to_addr(b"word", &address)?, 4);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn send_to_addr(&self, buf: &[u8], socket_addr: &SocketAddr) -> io::Result<usize> {
        self.0.send_to_unix(buf, &socket::from_unix(socket_addr)?)
    }

    /// Sends a datagram to the socket that [`connect`](Self::connect) has set, or to the other
    /// socket of a [`pair`](Self::pair). Blocks as [`send_to`](Self::send_to) does.
    ///
    /// # Errors
    ///
    /// An error if the socket is not connected; otherwise as for [`send_to`](Self::send_to).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::unix::net::UnixDatagram;
    ///
    /// let (one, _two) = UnixDatagram::pair()?;
    /// assert_eq!(one.send(b"word")?, 4);
    /// assert!(UnixDatagram::unbound()?.send(b"word").is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.send_datagram(buf)
    }

    /// Returns the local address of this socket, which is unnamed if the socket is not bound.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::unix::net::UnixDatagram;
    ///
    /// let (socket, _other) = UnixDatagram::pair()?;
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
    /// `NotConnected` if this socket has no peer.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::unix::net::UnixDatagram;
    ///
    /// let (socket, _other) = UnixDatagram::pair()?;
    /// assert!(socket.peer_addr()?.is_unnamed());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        address::peer(&self.0)
    }

    /// Shuts down reading, writing or both, for all handles to the socket. Threads that wait for
    /// that direction stop waiting.
    ///
    /// # Errors
    ///
    /// `NotConnected` if this socket has no peer.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{net::Shutdown, os::unix::net::UnixDatagram};
    ///
    /// let (socket, other) = UnixDatagram::pair()?;
    /// socket.shutdown(Shutdown::Write)?;
    /// assert!(socket.send(b"word").is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.shutdown(how)
    }

    settings!(
        UnixDatagram,
        "let (socket, _other) = greenthread::os::unix::net::UnixDatagram::pair()?;",
        "socket.recv(&mut [0])"
    );
}

impl From<OwnedFd> for UnixDatagram {
    /// Converts a descriptor. Its timeouts and its mode (blocking or not) stay as they are.
    fn from(descriptor: OwnedFd) -> Self {
        UnixDatagram(Socket::adopt(descriptor).unix())
    }
}

impl From<UnixDatagram> for OwnedFd {
    fn from(socket: UnixDatagram) -> OwnedFd {
        socket.0.into_descriptor()
    }
}

descriptors!(UnixDatagram, std::os::unix::net::UnixDatagram);

impl fmt::Debug for UnixDatagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        address::debug(f, "UnixDatagram", &self.0, true)
    }
}
