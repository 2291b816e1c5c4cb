//! `TcpStream`.

use std::{
    fmt, io,
    net::{Shutdown, SocketAddr},
    time::{Duration, Instant},
};

use super::{ToSocketAddrs, addr::each_address, polled::polled, settings, socket::Socket};
use crate::{
    descriptor::fd_impls::{descriptors, reading, writing},
    driver::Interest,
    sys::{
        error::OsError,
        fd::{self, OwnedFd},
        io::set_nonblocking,
        socket::{self, Family, Type},
        socket_options as options,
    },
    task::time::deadline_after,
};

/// A TCP connection: [`std::net::TcpStream`] for green threads.
///
/// Reading and writing block only the calling thread. Several threads may use one stream at once,
/// on different workers and OS threads, through references ([`Read`](std::io::Read) and
/// [`Write`](std::io::Write) are implemented for `&TcpStream`) or through clones. The connection is
/// closed when the stream and all of its clones have been dropped.
///
/// A `write` returns when the system has taken the whole buffer, or earlier after a timeout or an
/// error, as it does for a blocking socket of the system. Only
/// [`write_all`](std::io::Write::write_all) guarantees that everything is written.
///
/// The timeouts of a stream are for one call each. [`cancel::timeout`](crate::cancel::timeout) is
/// for several calls together: a whole request, from connecting to the last byte.
///
/// # Examples
///
/// ```
/// use greenthread::{net::{TcpListener, TcpStream}, thread};
/// use std::io::{Read, Write};
///
/// greenthread::run(|| {
///     let listener = TcpListener::bind("127.0.0.1:0")?;
///     let address = listener.local_addr()?;
///     let server = thread::spawn(move || listener.accept()?.0.write_all(b"good morning"));
///     let mut greeting = String::new();
///     TcpStream::connect(address)?.read_to_string(&mut greeting)?;
///     assert_eq!(greeting, "good morning");
///     server.join().unwrap()
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct TcpStream(Socket);

impl TcpStream {
    /// Wraps a newly accepted socket.
    pub(super) fn accepted(socket: Socket) -> Self {
        Self(socket.tcp())
    }

    /// Connects to the first of the addresses that accepts the connection. Blocks the calling
    /// thread, also while a name is looked up. Connecting can be cancelled, but
    /// [a lookup that has begun](ToSocketAddrs) can't.
    ///
    /// # Errors
    ///
    /// If no address accepts, the error for the last address (for example `ConnectionRefused`).
    /// `InvalidInput` if there are no addresses.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let stream = TcpStream::connect(("localhost", listener.local_addr()?.port()))?;
    /// assert_eq!(stream.peer_addr()?, listener.local_addr()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn connect<A: ToSocketAddrs>(addr: A) -> io::Result<TcpStream> {
        each_address(addr, |address| Self::connect_until(address, None))
    }

    /// Connects to one address, and fails after the timeout. Blocks the calling thread.
    ///
    /// # Errors
    ///
    /// `TimedOut` if the timeout has passed; `InvalidInput` if the timeout is zero; otherwise as
    /// for [`connect`](Self::connect).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{TcpListener, TcpStream};
    /// use std::time::Duration;
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let stream = TcpStream::connect_timeout(&listener.local_addr()?, Duration::from_secs(1))?;
    /// assert_eq!(stream.peer_addr()?, listener.local_addr()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn connect_timeout(addr: &SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
        if timeout.is_zero() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "cannot set a 0 duration timeout"));
        }
        Self::connect_until(addr, deadline_after(timeout))
    }

    fn connect_until(address: &SocketAddr, deadline: Option<Instant>) -> io::Result<TcpStream> {
        let socket = Socket::new(socket::open_nonblocking(Family::of(address), Type::Stream)?).tcp();
        let call = || socket::connect_on(&socket, address);
        let connected = socket.attempt_anywhere(Interest::Write, deadline, call);
        match connected {
            // Only the deadline gives `WouldBlock` here.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "connection timed out"));
            }
            result => result?,
        }
        set_nonblocking(&socket, false)?;
        Ok(TcpStream(socket))
    }

    /// Returns the address of the peer.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let stream = TcpStream::connect(listener.local_addr()?)?;
    /// assert_eq!(stream.peer_addr()?, listener.local_addr()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(socket::to_ip(socket::peer_address(&self.0)?.ok_or(OsError::INVALID)?)?)
    }

    /// Returns the local address of this connection.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{Ipv4Addr, TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let stream = TcpStream::connect(listener.local_addr()?)?;
    /// assert_eq!(stream.local_addr()?.ip(), Ipv4Addr::LOCALHOST);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(socket::to_ip(socket::local_address(&self.0)?)?)
    }

    /// Shuts down reading, writing or both, for all handles to the stream. Threads that wait for
    /// that direction stop waiting: a reader gets `Ok(0)`, and a writer gets an error.
    ///
    /// # Errors
    ///
    /// `NotConnected` if the peer has already torn the connection down.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{net::{Shutdown, TcpListener, TcpStream}, thread};
    /// use std::io::Read;
    ///
    /// greenthread::run(|| {
    ///     let listener = TcpListener::bind("127.0.0.1:0")?;
    ///     let stream = TcpStream::connect(listener.local_addr()?)?;
    ///     let mut clone = stream.try_clone()?;
    ///     let reader = thread::spawn(move || clone.read(&mut [0; 16]));
    ///     stream.shutdown(Shutdown::Read)?;
    ///     assert_eq!(reader.join().unwrap()?, 0);
    ///     std::io::Result::Ok(())
    /// })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.shutdown(how)
    }

    /// Reads without removing the data: the next read returns the same data. Blocks as a read does.
    ///
    /// # Errors
    ///
    /// As for a read.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{TcpListener, TcpStream};
    /// use std::io::{Read, Write};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let stream = TcpStream::connect(listener.local_addr()?)?;
    /// listener.accept()?.0.write_all(b"word")?;
    /// let mut buffer = [0; 8];
    /// assert_eq!(stream.peek(&mut buffer)?, 4);
    /// assert_eq!((&stream).read(&mut buffer)?, 4);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.peek(buf)
    }

    /// Sets `TCP_NODELAY`: if set, data is sent at once, however little it is.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let stream = TcpStream::connect(listener.local_addr()?)?;
    /// stream.set_nodelay(true)?;
    /// assert!(stream.nodelay()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        Ok(options::set_tcp_nodelay(&self.0, nodelay)?)
    }

    /// Returns the value of `TCP_NODELAY`; see [`set_nodelay`](Self::set_nodelay).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let stream = TcpStream::connect(listener.local_addr()?)?;
    /// assert!(!stream.nodelay()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn nodelay(&self) -> io::Result<bool> {
        Ok(options::tcp_nodelay(&self.0)?)
    }

    /// Sets `IP_TTL`: the number of hops that a packet may take.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let stream = TcpStream::connect(listener.local_addr()?)?;
    /// stream.set_ttl(100)?;
    /// assert_eq!(stream.ttl()?, 100);
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
    /// use greenthread::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let stream = TcpStream::connect(listener.local_addr()?)?;
    /// stream.set_ttl(42)?;
    /// assert_eq!(stream.ttl()?, 42);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn ttl(&self) -> io::Result<u32> {
        Ok(options::ip_ttl(&self.0)?)
    }

    settings!(
        TcpStream,
        "use greenthread::net::{TcpListener, TcpStream};
let listener = TcpListener::bind(\"127.0.0.1:0\")?;
let socket = TcpStream::connect(listener.local_addr()?)?;",
        "std::io::Read::read(&mut &socket, &mut [0])"
    );
}

impl From<OwnedFd> for TcpStream {
    /// Converts a descriptor. Its timeouts and its mode (blocking or not) stay as they are.
    fn from(descriptor: OwnedFd) -> Self {
        TcpStream(Socket::adopt(descriptor).tcp())
    }
}

impl From<TcpStream> for OwnedFd {
    fn from(stream: TcpStream) -> OwnedFd {
        stream.0.into_descriptor()
    }
}

polled!(TcpStream);
descriptors!(TcpStream, std::net::TcpStream);

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("TcpStream");
        if let Ok(address) = self.local_addr() {
            fields.field("addr", &address);
        }
        if let Ok(address) = self.peer_addr() {
            fields.field("peer", &address);
        }
        fields.field(fd::FIELD, &fd::number(&self.0)).finish()
    }
}

reading!(TcpStream, &TcpStream);
writing!(TcpStream, &TcpStream);
