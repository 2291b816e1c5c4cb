//! `TcpStream`.

use std::{
    fmt, io,
    net::{Shutdown, SocketAddr},
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use super::{ToSocketAddrs, addr::each_address, settings, socket::Socket};
use crate::{
    descriptor::fd_impls::{descriptors, reading, writing},
    driver::Interest,
    sys::{
        error::OsError,
        io::set_nonblocking,
        socket::{self, Family, Type},
        socket_options as options,
    },
    task::time::deadline_after,
};

/// A connection: [`std::net::TcpStream`], for green threads.
///
/// Reading and writing block the calling thread only. Several threads may use one stream at once,
/// also on different workers and OS threads, through references ([`Read`](std::io::Read) and
/// [`Write`](std::io::Write) are there for `&TcpStream`) or clones. It is closed when it is
/// dropped, and all its clones are.
///
/// As with a blocking socket of the system, a `write` comes back when the system has taken all of
/// the buffer, unless there is a timeout or an error before; still, only
/// [`write_all`](std::io::Write::write_all) promises it.
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
    /// One whose descriptor is fresh, with everything at its defaults.
    pub(super) fn accepted(socket: Socket) -> Self {
        Self(socket.tcp())
    }

    /// Connects to the first of the addresses that accepts. Blocks the calling thread, also while a
    /// name is looked up.
    ///
    /// # Errors
    ///
    /// If no address accepts, the error of the last (`ConnectionRefused` and others);
    /// `InvalidInput` if there are none.
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

    /// Connects to one address, and gives up after a while. Blocks the calling thread.
    ///
    /// # Errors
    ///
    /// `TimedOut` after the timeout; `InvalidInput` if it is zero; otherwise as for
    /// [`connect`](Self::connect).
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
        let ours = Socket::new(socket::open_nonblocking(Family::of(address), Type::Stream)?).tcp();
        let call = || socket::connect_on(&ours, address);
        let connected = ours.attempt_anywhere(Interest::Write, deadline, call);
        match connected {
            // Nothing but the deadline gives this one.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "connection timed out"));
            }
            result => result?,
        }
        set_nonblocking(&ours, false)?;
        Ok(TcpStream(ours))
    }

    /// The address of the other end.
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

    /// The address of this end.
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
    /// that direction go on: who reads gets `Ok(0)`, who writes an error.
    ///
    /// # Errors
    ///
    /// `NotConnected` if the other side has torn the connection down already.
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

    /// Reads without taking what is read away: the next read gives the same. Blocks like a read.
    ///
    /// # Errors
    ///
    /// As for reading.
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

    /// Sets `TCP_NODELAY`: data go out at once, however few they are.
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

    /// What [`set_nodelay`](Self::set_nodelay) has set.
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

    /// Sets `IP_TTL`: how many hops a packet may take.
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

    /// What [`set_ttl`](Self::set_ttl) has set.
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
    /// Keeps the timeouts and the mode, blocking or not, that the descriptor has.
    fn from(descriptor: OwnedFd) -> Self {
        TcpStream(Socket::adopt(descriptor).tcp())
    }
}

impl From<TcpStream> for OwnedFd {
    fn from(stream: TcpStream) -> OwnedFd {
        stream.0.into_descriptor()
    }
}

descriptors!(TcpStream, std::net::TcpStream);

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use std::os::fd::{AsFd, AsRawFd};

        let mut fields = f.debug_struct("TcpStream");
        if let Ok(address) = self.local_addr() {
            fields.field("addr", &address);
        }
        if let Ok(address) = self.peer_addr() {
            fields.field("peer", &address);
        }
        fields.field("fd", &self.0.as_fd().as_raw_fd()).finish()
    }
}

reading!(TcpStream, &TcpStream);
writing!(TcpStream, &TcpStream);
