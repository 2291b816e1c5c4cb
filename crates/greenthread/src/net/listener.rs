//! `TcpListener`.

use std::{fmt, io, iter::FusedIterator, net::SocketAddr};

use super::{TcpStream, ToSocketAddrs, addr::each_address, socket::Socket};
use crate::{
    descriptor::fd_impls::descriptors,
    sys::{
        error::OsError,
        fd::{self, OwnedFd},
        socket::{self, Family, Type},
        socket_options as options,
    },
};

/// A TCP socket that listens for connections: [`std::net::TcpListener`] for green threads.
///
/// Several threads may accept connections from one listener; each connection goes to one of them.
/// (A connection wakes all threads of one worker that wait for it, so many accepting threads gain
/// nothing.) Dropping the listener closes it.
///
/// # Examples
///
/// ```
/// use greenthread::{net::{TcpListener, TcpStream}, thread};
///
/// greenthread::run(|| {
///     let listener = TcpListener::bind("127.0.0.1:0")?;
///     let address = listener.local_addr()?;
///     let client = thread::spawn(move || TcpStream::connect(address));
///     let (_stream, peer) = listener.accept()?;
///     assert_eq!(client.join().unwrap()?.local_addr()?, peer);
///     std::io::Result::Ok(())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct TcpListener(Socket);

impl TcpListener {
    /// Creates a listener that is bound to the first of the addresses that can be bound. With port
    /// 0 the system chooses a port; [`local_addr`](Self::local_addr) returns it.
    ///
    /// Blocks the calling thread only while a name is looked up. As in std, `SO_REUSEADDR` is set.
    /// As many connections as the system allows (on Linux `/proc/sys/net/core/somaxconn`) wait to
    /// be accepted; with std it is 128.
    ///
    /// # Errors
    ///
    /// If no address can be bound, the error for the last address. `InvalidInput` if there are no
    /// addresses.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{SocketAddr, TcpListener};
    ///
    /// let addresses = [SocketAddr::from(([127, 0, 0, 1], 0)), SocketAddr::from(([0, 0, 0, 0], 0))];
    /// let listener = TcpListener::bind(&addresses[..])?;
    /// assert_ne!(listener.local_addr()?.port(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<TcpListener> {
        each_address(addr, |address| {
            let socket = socket::open_nonblocking(Family::of(address), Type::Stream)?;
            options::set_socket_reuseaddr(&socket, true)?;
            Ok(TcpListener(Socket::listen(socket, address)?))
        })
    }

    /// Returns the address that this listener is bound to.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{Ipv4Addr, TcpListener};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// assert_eq!(listener.local_addr()?.ip(), Ipv4Addr::LOCALHOST);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(socket::to_ip(socket::local_address(&self.0)?)?)
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
    /// use greenthread::net::TcpListener;
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// assert_eq!(listener.try_clone()?.local_addr()?, listener.local_addr()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_clone(&self) -> io::Result<TcpListener> {
        self.0.try_clone().map(TcpListener)
    }

    /// Accepts a connection, and returns it with the address of its peer. Blocks the calling thread
    /// until there is a connection.
    ///
    /// # Errors
    ///
    /// `WouldBlock` in non-blocking mode if there is no connection. Other errors are about the
    /// connection (`ConnectionAborted`: the next connection may be fine), or about the system (no
    /// descriptor is left: the connection stays in the queue).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let client = TcpStream::connect(listener.local_addr()?)?;
    /// let (stream, peer) = listener.accept()?;
    /// assert_eq!((stream.peer_addr()?, client.local_addr()?), (peer, peer));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let to_ip = |address: Option<_>| socket::to_ip(address.ok_or(OsError::INVALID)?);
        let (descriptor, address) = self.0.accept(to_ip)?;
        Ok((TcpStream::accepted(self.0.connection(descriptor)), address?))
    }

    /// Returns an iterator that calls [`accept`](Self::accept) again and again. It never ends.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let address = listener.local_addr()?;
    /// let _clients = [TcpStream::connect(address)?, TcpStream::connect(address)?];
    /// for stream in listener.incoming().take(2) {
    ///     assert_eq!(stream?.local_addr()?, address);
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }

    /// Sets `IP_TTL`: the number of hops that a packet may take. Accepted connections inherit it.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::TcpListener;
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// listener.set_ttl(100)?;
    /// assert_eq!(listener.ttl()?, 100);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        Ok(options::set_ip_ttl(&self.0, ttl)?)
    }

    /// Returns the value of `IP_TTL`; see [`set_ttl`](Self::set_ttl).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::TcpListener;
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// listener.set_ttl(42)?;
    /// assert_eq!(listener.ttl()?, 42);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn ttl(&self) -> io::Result<u32> {
        Ok(options::ip_ttl(&self.0)?)
    }

    /// Returns the socket's pending error (`SO_ERROR`) and clears it.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::TcpListener;
    ///
    /// assert!(TcpListener::bind("127.0.0.1:0")?.take_error()?.is_none());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.0.take_error()
    }

    /// Sets `IPV6_V6ONLY`. The system refuses this once a listener is bound, and every listener of
    /// this type is bound.
    ///
    /// # Errors
    ///
    /// The system's error: `InvalidInput`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #![allow(deprecated)]
    /// use greenthread::net::TcpListener;
    ///
    /// assert!(TcpListener::bind("127.0.0.1:0")?.set_only_v6(true).is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[deprecated(note = "it has to be set before the listener is bound")]
    pub fn set_only_v6(&self, only_v6: bool) -> io::Result<()> {
        Ok(options::set_ipv6_v6only(&self.0, only_v6)?)
    }

    /// Returns whether an IPv6 listener refuses IPv4 connections.
    ///
    /// # Errors
    ///
    /// An error if this is not an IPv6 listener.
    ///
    /// # Examples
    ///
    /// ```
    /// # #![allow(deprecated)]
    /// use greenthread::net::TcpListener;
    ///
    /// assert!(TcpListener::bind("127.0.0.1:0")?.only_v6().is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[deprecated(note = "its counterpart has to be set before the listener is bound")]
    pub fn only_v6(&self) -> io::Result<bool> {
        Ok(options::ipv6_v6only(&self.0)?)
    }

    /// Sets whether [`accept`](Self::accept) returns `WouldBlock` instead of blocking.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::TcpListener;
    /// use std::io::ErrorKind;
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// listener.set_nonblocking(true)?;
    /// assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.0.set_accept_nonblocking(nonblocking);
        Ok(())
    }
}

impl From<OwnedFd> for TcpListener {
    /// Converts a descriptor. Its mode (blocking or not) becomes the listener's mode.
    fn from(descriptor: OwnedFd) -> Self {
        TcpListener(Socket::adopt_listener(descriptor))
    }
}

impl From<TcpListener> for OwnedFd {
    /// Converts a listener. The descriptor gets the mode that was set for the listener. It stays in
    /// non-blocking mode while other handles made by [`try_clone`](TcpListener::try_clone) exist,
    /// because these need that mode.
    fn from(listener: TcpListener) -> OwnedFd {
        listener.0.into_listening_descriptor()
    }
}

descriptors!(TcpListener, std::net::TcpListener);

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("TcpListener");
        if let Ok(address) = self.local_addr() {
            fields.field("addr", &address);
        }
        fields.field(fd::FIELD, &fd::number(&self.0)).finish()
    }
}

/// An iterator that accepts connections and never ends. [`TcpListener::incoming`] returns it.
///
/// # Examples
///
/// ```
/// use greenthread::net::{TcpListener, TcpStream};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let client = TcpStream::connect(listener.local_addr()?)?;
/// let mut incoming = listener.incoming();
/// let stream = incoming.next().unwrap()?;
/// assert_eq!(stream.peer_addr()?, client.local_addr()?);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "iterators are lazy and do nothing unless consumed"]
pub struct Incoming<'a> {
    listener: &'a TcpListener,
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    /// Blocks the calling thread until there is a connection.
    fn next(&mut self) -> Option<io::Result<TcpStream>> {
        Some(self.listener.accept().map(|(stream, _)| stream))
    }
}

impl FusedIterator for Incoming<'_> {}
