//! `TcpStream`.

use std::{
    fmt,
    io::{self, IoSlice, IoSliceMut, Read, Write},
    net::{Shutdown, SocketAddr},
    os::fd::{AsFd, OwnedFd},
    time::{Duration, Instant},
};

use rustix::{
    io::{Errno, ioctl_fionbio},
    net::{self, AddressFamily, SocketFlags, SocketType, sockopt},
};

use super::{ToSocketAddrs, addr::each_address, descriptors, socket::Socket};
use crate::driver::Interest;

/// A connection: [`std::net::TcpStream`], for green threads.
///
/// Reading and writing block the calling thread only. Several threads may use one stream at once, also on
/// different workers and OS threads, through references ([`Read`] and [`Write`] are there for `&TcpStream`)
/// or clones. It is closed when it is dropped, and all its clones are.
///
/// As with a blocking socket of the system, a `write` comes back when the system has taken all of the buffer,
/// unless there is a timeout or an error before; still, only [`write_all`](Write::write_all) promises it.
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

pub(super) fn family(address: &SocketAddr) -> AddressFamily {
    match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    }
}

impl TcpStream {
    /// One whose descriptor is fresh, with everything at its defaults.
    pub(super) fn ours(descriptor: OwnedFd) -> Self {
        Self(Socket::new(descriptor))
    }

    /// Connects to the first of the addresses that accepts. Blocks the calling thread, also while a name is
    /// looked up.
    ///
    /// # Errors
    ///
    /// If no address accepts, the error of the last (`ConnectionRefused` and others); `InvalidInput` if
    /// there are none.
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
        Self::connect_until(addr, Instant::now().checked_add(timeout))
    }

    fn connect_until(address: &SocketAddr, deadline: Option<Instant>) -> io::Result<TcpStream> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = Socket::new(net::socket_with(family(address), SocketType::STREAM, flags, None)?);
        // The first call begins, each further one tells how it stands: that is how Linux does it.
        let connected = socket.attempt_anywhere(Interest::Write, deadline, || {
            match net::connect(&socket, address) {
                Ok(()) | Err(Errno::ISCONN) => Ok(()),
                Err(Errno::INPROGRESS | Errno::ALREADY) => Err(Errno::AGAIN),
                // Not that it would block, but that the system has run out of something.
                Err(Errno::AGAIN) => Err(Errno::ADDRNOTAVAIL),
                Err(error) => Err(error),
            }
        });
        match connected {
            // Nothing but the deadline gives this one.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "connection timed out"));
            }
            result => result?,
        }
        ioctl_fionbio(&socket, false)?;
        Ok(TcpStream(socket))
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
        Ok(net::getpeername(&self.0)?.ok_or(Errno::INVAL)?.try_into()?)
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
        Ok(net::getsockname(&self.0)?.try_into()?)
    }

    /// Shuts down reading, writing or both, for all handles to the stream. Threads that wait for that
    /// direction go on: who reads gets `Ok(0)`, who writes an error.
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
        let how = match how {
            Shutdown::Read => net::Shutdown::Read,
            Shutdown::Write => net::Shutdown::Write,
            Shutdown::Both => net::Shutdown::Both,
        };
        Ok(net::shutdown(&self.0, how)?)
    }

    /// Another handle to the same stream: the same data, and what is set on one holds for both.
    ///
    /// # Errors
    ///
    /// The process has no descriptor left.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let stream = TcpStream::connect(listener.local_addr()?)?;
    /// assert_eq!(stream.try_clone()?.local_addr()?, stream.local_addr()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_clone(&self) -> io::Result<TcpStream> {
        self.0.try_clone().map(TcpStream)
    }

    /// How long a read may block; with `None`, for ever. A read that takes longer gives `WouldBlock`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the timeout is zero.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{TcpListener, TcpStream};
    /// use std::{io::{ErrorKind, Read}, time::Duration};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let mut stream = TcpStream::connect(listener.local_addr()?)?;
    /// stream.set_read_timeout(Some(Duration::from_millis(5)))?;
    /// assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    /// let zero = stream.set_read_timeout(Some(Duration::ZERO));
    /// assert_eq!(zero.unwrap_err().kind(), ErrorKind::InvalidInput);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_read_timeout(&self, dur: Option<Duration>) -> io::Result<()> {
        self.0.set_timeout(Interest::Read, dur)
    }

    /// How long a write may block; with `None`, for ever. A write that takes longer returns how much it has
    /// written, or, if that is nothing, gives `WouldBlock`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the timeout is zero.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{TcpListener, TcpStream};
    /// use std::{io::{ErrorKind, Write}, time::Duration};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let mut stream = TcpStream::connect(listener.local_addr()?)?;
    /// stream.set_write_timeout(Some(Duration::from_millis(5)))?;
    /// // Nobody reads.
    /// let error = loop {
    ///     if let Err(error) = stream.write(&[0; 65536]) {
    ///         break error;
    ///     }
    /// };
    /// assert_eq!(error.kind(), ErrorKind::WouldBlock);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_write_timeout(&self, dur: Option<Duration>) -> io::Result<()> {
        self.0.set_timeout(Interest::Write, dur)
    }

    /// What [`set_read_timeout`](Self::set_read_timeout) has set.
    pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
        self.0.timeout(Interest::Read)
    }

    /// What [`set_write_timeout`](Self::set_write_timeout) has set.
    pub fn write_timeout(&self) -> io::Result<Option<Duration>> {
        self.0.timeout(Interest::Write)
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
        Ok(sockopt::set_tcp_nodelay(&self.0, nodelay)?)
    }

    /// What [`set_nodelay`](Self::set_nodelay) has set.
    pub fn nodelay(&self) -> io::Result<bool> {
        Ok(sockopt::tcp_nodelay(&self.0)?)
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
        Ok(sockopt::set_ip_ttl(&self.0, ttl)?)
    }

    /// What [`set_ttl`](Self::set_ttl) has set.
    pub fn ttl(&self) -> io::Result<u32> {
        Ok(sockopt::ip_ttl(&self.0)?)
    }

    /// The error that is pending on the socket (`SO_ERROR`), which is so taken off it.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let stream = TcpStream::connect(listener.local_addr()?)?;
    /// assert!(stream.take_error()?.is_none());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.0.take_error()
    }

    /// Whether reading and writing give `WouldBlock` instead of blocking.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{TcpListener, TcpStream};
    /// use std::io::{ErrorKind, Read};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let mut stream = TcpStream::connect(listener.local_addr()?)?;
    /// stream.set_nonblocking(true)?;
    /// assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.0.set_nonblocking(nonblocking)
    }
}

impl From<OwnedFd> for TcpStream {
    /// Keeps the timeouts and the mode, blocking or not, that the descriptor has.
    fn from(descriptor: OwnedFd) -> Self {
        TcpStream(Socket::adopt(descriptor))
    }
}

impl From<TcpStream> for OwnedFd {
    fn from(stream: TcpStream) -> OwnedFd {
        stream.0.into_descriptor()
    }
}

descriptors!(TcpStream);

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use std::os::fd::AsRawFd;

        let mut fields = f.debug_struct("TcpStream");
        if let Ok(address) = self.local_addr() {
            fields.field("addr", &address);
        }
        if let Ok(address) = self.peer_addr() {
            fields.field("peer", &address);
        }
        fields.field("fd", &self.as_raw_fd()).finish()
    }
}

/// Both for a stream and for a reference to one, as in std.
macro_rules! read_write {
    ($($type:ty),*) => { $(
        impl Read for $type {
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                self.0.read(buf)
            }

            fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                self.0.read_vectored(bufs)
            }
        }

        impl Write for $type {
            fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
                self.0.write(buf)
            }

            fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                self.0.write_vectored(bufs)
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
    )* };
}

read_write!(TcpStream, &TcpStream);
