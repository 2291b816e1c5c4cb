//! `UnixListener`.

use std::{
    fmt, io,
    iter::FusedIterator,
    os::{fd::OwnedFd, unix::net::SocketAddr},
    path::Path,
};

use super::{UnixStream, address};
use crate::{
    descriptor::fd_impls::descriptors,
    net::socket::Socket,
    sys::socket::{self, Family, Type, UnixAddress},
};

/// A Unix socket that listens for connections: [`std::os::unix::net::UnixListener`] for green
/// threads.
///
/// Dropping the listener closes it. The file at its path stays, as with std.
///
/// # Examples
///
/// ```
/// use greenthread::{os::unix::net::{UnixListener, UnixStream}, thread};
/// use std::io::{Read, Write};
///
/// # let directory = std::env::temp_dir().join(format!("greenthread-doc-{}-listener", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// let path = directory.join("socket");
/// greenthread::run(|| {
///     let listener = UnixListener::bind(&path)?;
///     let server = thread::spawn(move || listener.accept()?.0.write_all(b"good morning"));
///     let mut greeting = String::new();
///     UnixStream::connect(&path)?.read_to_string(&mut greeting)?;
///     assert_eq!(greeting, "good morning");
///     server.join().unwrap()
/// })?;
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct UnixListener(Socket);

impl UnixListener {
    /// Creates a listener that is bound to a path, and creates the socket's file there.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if the file exists; `InvalidInput` if the path cannot be that of a socket;
    /// otherwise the system's error.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::unix::net::UnixListener;
    ///
    /// # let directory = std::env::temp_dir().join(format!("greenthread-doc-{}-bind", std::process::id()));
    /// # std::fs::create_dir_all(&directory)?;
    /// let path = directory.join("socket");
    /// let listener = UnixListener::bind(&path)?;
    /// assert_eq!(UnixListener::bind(&path).unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixListener> {
        Self::bind_to(&address::path(path.as_ref())?)
    }

    /// Creates a listener that is bound to an address, which may be abstract. An abstract address
    /// has no file, and is free again when the listener is closed.
    ///
    /// # Errors
    ///
    /// As for [`bind`](Self::bind).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::{linux::net::SocketAddrExt, unix::net::{SocketAddr, UnixListener, UnixStream}};
    ///
    /// let address = SocketAddr::from_abstract_name(format!("greenthread-doc-bind-{}", std::process::id()))?;
    /// let listener = UnixListener::bind_addr(&address)?;
    /// UnixStream::connect_addr(&address)?;
    /// drop(listener);
    /// assert!(UnixStream::connect_addr(&address).is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind_addr(socket_addr: &SocketAddr) -> io::Result<UnixListener> {
        Self::bind_to(&socket::from_unix(socket_addr)?)
    }

    fn bind_to(address: &UnixAddress) -> io::Result<UnixListener> {
        let socket = socket::open_nonblocking(Family::Unix, Type::Stream)?;
        Ok(UnixListener(Socket::listen(socket, address)?.unix()))
    }

    /// Accepts a connection, and returns it with the address of its peer, which is usually unnamed.
    /// Blocks the calling thread until there is a connection.
    ///
    /// # Errors
    ///
    /// `WouldBlock` in non-blocking mode if there is no connection; otherwise the system's error.
    /// If no descriptor is left, the connection stays in the queue.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::unix::net::{UnixListener, UnixStream};
    ///
    /// # let directory = std::env::temp_dir().join(format!("greenthread-doc-{}-accept", std::process::id()));
    /// # std::fs::create_dir_all(&directory)?;
    /// let path = directory.join("socket");
    /// let listener = UnixListener::bind(&path)?;
    /// let client = UnixStream::connect(&path)?;
    /// let (_stream, address) = listener.accept()?;
    /// assert!(address.is_unnamed());
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let (descriptor, address) = self.0.accept(socket::to_unix)?;
        Ok((UnixStream::accepted(self.0.connection(descriptor)), address?))
    }

    /// Creates another handle to the same listener. Settings that are changed through one handle
    /// apply to both.
    ///
    /// # Errors
    ///
    /// An error if the process has no descriptor left.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::unix::net::UnixListener;
    ///
    /// # let directory = std::env::temp_dir().join(format!("greenthread-doc-{}-clone", std::process::id()));
    /// # std::fs::create_dir_all(&directory)?;
    /// let path = directory.join("socket");
    /// let listener = UnixListener::bind(&path)?;
    /// assert_eq!(listener.try_clone()?.local_addr()?.as_pathname(), Some(&*path));
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_clone(&self) -> io::Result<UnixListener> {
        self.0.try_clone().map(UnixListener)
    }

    /// Returns the address that this listener is bound to.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::unix::net::UnixListener;
    ///
    /// # let directory = std::env::temp_dir().join(format!("greenthread-doc-{}-local", std::process::id()));
    /// # std::fs::create_dir_all(&directory)?;
    /// let path = directory.join("socket");
    /// let listener = UnixListener::bind(&path)?;
    /// assert_eq!(listener.local_addr()?.as_pathname(), Some(&*path));
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        address::local(&self.0)
    }

    /// Sets whether [`accept`](Self::accept) returns `WouldBlock` instead of blocking.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::unix::net::UnixListener;
    ///
    /// # let directory = std::env::temp_dir().join(format!("greenthread-doc-{}-nonblocking", std::process::id()));
    /// # std::fs::create_dir_all(&directory)?;
    /// let path = directory.join("socket");
    /// let listener = UnixListener::bind(&path)?;
    /// listener.set_nonblocking(true)?;
    /// assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.0.set_accept_nonblocking(nonblocking);
        Ok(())
    }

    /// Returns the socket's pending error (`SO_ERROR`) and clears it.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::unix::net::UnixListener;
    ///
    /// # let directory = std::env::temp_dir().join(format!("greenthread-doc-{}-error", std::process::id()));
    /// # std::fs::create_dir_all(&directory)?;
    /// let path = directory.join("socket");
    /// assert!(UnixListener::bind(&path)?.take_error()?.is_none());
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.0.take_error()
    }

    /// Returns an iterator that calls [`accept`](Self::accept) again and again. It never ends.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::unix::net::{UnixListener, UnixStream};
    ///
    /// # let directory = std::env::temp_dir().join(format!("greenthread-doc-{}-incoming", std::process::id()));
    /// # std::fs::create_dir_all(&directory)?;
    /// let path = directory.join("socket");
    /// let listener = UnixListener::bind(&path)?;
    /// let _clients = [UnixStream::connect(&path)?, UnixStream::connect(&path)?];
    /// for stream in listener.incoming().take(2) {
    ///     assert_eq!(stream?.local_addr()?.as_pathname(), Some(&*path));
    /// }
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }
}

impl<'a> IntoIterator for &'a UnixListener {
    type Item = io::Result<UnixStream>;
    type IntoIter = Incoming<'a>;

    fn into_iter(self) -> Incoming<'a> {
        self.incoming()
    }
}

impl From<OwnedFd> for UnixListener {
    /// Converts a descriptor. Its mode (blocking or not) becomes the listener's mode.
    fn from(descriptor: OwnedFd) -> Self {
        UnixListener(Socket::adopt_listener(descriptor).unix())
    }
}

impl From<UnixListener> for OwnedFd {
    /// Converts a listener. The descriptor gets the mode that was set for the listener. It stays in
    /// non-blocking mode while other handles made by [`try_clone`](UnixListener::try_clone) exist,
    /// because these need that mode.
    fn from(listener: UnixListener) -> OwnedFd {
        listener.0.into_listening_descriptor()
    }
}

descriptors!(UnixListener, std::os::unix::net::UnixListener);

impl fmt::Debug for UnixListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        address::debug(f, "UnixListener", &self.0, false)
    }
}

/// An iterator that accepts connections and never ends. [`UnixListener::incoming`] returns it.
///
/// # Examples
///
/// ```
/// use greenthread::os::unix::net::{UnixListener, UnixStream};
/// # let dir = std::env::temp_dir().join(format!("greenthread-incoming-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// # let path = dir.join("socket");
///
/// let listener = UnixListener::bind(&path)?;
/// let client = UnixStream::connect(&path)?;
/// let mut incoming = listener.incoming();
/// let stream = incoming.next().unwrap()?;
/// assert_eq!(stream.local_addr()?.as_pathname(), client.peer_addr()?.as_pathname());
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "iterators are lazy and do nothing unless consumed"]
pub struct Incoming<'a> {
    listener: &'a UnixListener,
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<UnixStream>;

    /// Blocks the calling thread until there is a connection.
    fn next(&mut self) -> Option<io::Result<UnixStream>> {
        Some(self.listener.accept().map(|(stream, _)| stream))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}

impl FusedIterator for Incoming<'_> {}
