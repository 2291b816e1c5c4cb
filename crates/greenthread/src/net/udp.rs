//! `UdpSocket`.

use std::{
    fmt, io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
};

use super::{ToSocketAddrs, addr::each_address, settings, socket::Socket};
use crate::{
    descriptor::fd_impls::descriptors,
    sys::{
        error::OsError,
        fd::{self, OwnedFd},
        socket::{self, AnyAddress, Family, Type},
        socket_options as options,
    },
};

/// A UDP socket: [`std::net::UdpSocket`] for green threads.
///
/// Several threads may send and receive on one socket at once, through references or clones. If
/// several threads receive, each datagram goes to one of them.
///
/// # Examples
///
/// ```
/// use greenthread::{net::UdpSocket, thread};
///
/// greenthread::run(|| {
///     let server = UdpSocket::bind("127.0.0.1:0")?;
///     let address = server.local_addr()?;
///     let echo = thread::spawn(move || {
///         let mut buffer = [0; 1024];
///         let (count, client) = server.recv_from(&mut buffer)?;
///         server.send_to(&buffer[..count], client)
///     });
///
///     let client = UdpSocket::bind("127.0.0.1:0")?;
///     client.send_to(b"hello", address)?;
///     let mut answer = [0; 1024];
///     assert_eq!(client.recv_from(&mut answer)?, (5, address));
///     assert_eq!(echo.join().unwrap()?, 5);
///     std::io::Result::Ok(())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct UdpSocket(Socket);

/// Adds the sender's address in std's form. The system gives one for every datagram of an internet
/// socket.
fn received((count, address): (usize, Option<AnyAddress>)) -> io::Result<(usize, SocketAddr)> {
    Ok((count, socket::to_ip(address.ok_or(OsError::INVALID)?)?))
}

impl UdpSocket {
    /// Creates a UDP socket that is bound to the first of the addresses that can be bound. With
    /// port 0 the system chooses a port; [`local_addr`](Self::local_addr) returns it.
    ///
    /// Blocks the calling thread only while a name is looked up.
    ///
    /// # Errors
    ///
    /// If no address can be bound, the error for the last address. `InvalidInput` if there are no
    /// addresses.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = greenthread::net::UdpSocket::bind("127.0.0.1:0")?;
    /// assert_ne!(socket.local_addr()?.port(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<UdpSocket> {
        each_address(addr, |address| {
            let socket = socket::open(Family::of(address), Type::Datagram)?;
            socket::bind(&socket, address)?;
            Ok(UdpSocket(Socket::new(socket)))
        })
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
    /// use greenthread::net::UdpSocket;
    ///
    /// let (one, two) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    /// two.send_to(b"datagram", one.local_addr()?)?;
    /// let mut buffer = [0; 100];
    /// assert_eq!(one.recv_from(&mut buffer)?, (8, two.local_addr()?));
    /// assert_eq!(&buffer[..8], b"datagram");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        received(self.0.receive_from(buf)?)
    }

    /// Receives a datagram as [`recv_from`](Self::recv_from) does, but does not remove it from the
    /// queue: the next call returns the same datagram.
    ///
    /// # Errors
    ///
    /// As for [`recv_from`](Self::recv_from).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::UdpSocket;
    ///
    /// let (one, two) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    /// two.send_to(b"datagram", one.local_addr()?)?;
    /// let mut buffer = [0; 16];
    /// assert_eq!(one.peek_from(&mut buffer)?, (8, two.local_addr()?));
    /// assert_eq!(one.recv_from(&mut buffer)?, (8, two.local_addr()?));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        received(self.0.peek_from(buf)?)
    }

    /// Sends a datagram to the first of the addresses, and returns its length. Blocks the calling
    /// thread while the socket's send buffer is full, and while a name is looked up.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there is no address; otherwise the system's error, for example if the
    /// datagram is too large. On a connected socket the error may be about an earlier datagram
    /// (`ConnectionRefused`).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::UdpSocket;
    ///
    /// let (one, two) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    /// assert_eq!(two.send_to(b"datagram", one.local_addr()?)?, 8);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], addr: A) -> io::Result<usize> {
        let Some(address) = addr.to_socket_addrs()?.next() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no addresses to send data to"));
        };
        self.0.send_to(buf, &address)
    }

    /// Returns the address that [`connect`](Self::connect) has set.
    ///
    /// # Errors
    ///
    /// `NotConnected` if `connect` was not called.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::UdpSocket;
    ///
    /// let (one, two) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    /// one.connect(two.local_addr()?)?;
    /// assert_eq!(one.peer_addr()?, two.local_addr()?);
    /// assert!(two.peer_addr().is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(socket::to_ip(socket::peer_address(&self.0)?.ok_or(OsError::NOT_CONNECTED)?)?)
    }

    /// Returns the address that this socket is bound to.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{Ipv4Addr, UdpSocket};
    ///
    /// assert_eq!(UdpSocket::bind("127.0.0.1:0")?.local_addr()?.ip(), Ipv4Addr::LOCALHOST);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(socket::to_ip(socket::local_address(&self.0)?)?)
    }

    /// Connects this socket to an address: [`send`](Self::send) sends to that address, and only
    /// datagrams from that address are received from then on. Blocks the calling thread only while
    /// a name is looked up.
    ///
    /// # Errors
    ///
    /// If the system refuses every address, the error for the last one.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::UdpSocket;
    ///
    /// let (one, two) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    /// one.connect(two.local_addr()?)?;
    /// one.send(b"word")?;
    /// assert_eq!(two.recv(&mut [0; 8])?, 4);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn connect<A: ToSocketAddrs>(&self, addr: A) -> io::Result<()> {
        each_address(addr, |address| Ok(socket::connect(&self.0, address)?))
    }

    /// Sends a datagram to the address that [`connect`](Self::connect) has set. Blocks as
    /// [`send_to`](Self::send_to) does.
    ///
    /// # Errors
    ///
    /// An error if the socket is not connected; otherwise as for [`send_to`](Self::send_to).
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = greenthread::net::UdpSocket::bind("127.0.0.1:0")?;
    /// assert!(socket.send(b"to nobody").is_err());
    /// socket.connect(socket.local_addr()?)?;
    /// assert_eq!(socket.send(b"to myself")?, 9);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.send_datagram(buf)
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
    /// let socket = greenthread::net::UdpSocket::bind("127.0.0.1:0")?;
    /// socket.connect(socket.local_addr()?)?;
    /// socket.send(b"to myself")?;
    /// assert_eq!(socket.recv(&mut [0; 16])?, 9);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }

    /// Receives a datagram as [`recv`](Self::recv) does, but does not remove it from the queue: the
    /// next call returns the same datagram.
    ///
    /// # Errors
    ///
    /// As for [`recv_from`](Self::recv_from).
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = greenthread::net::UdpSocket::bind("127.0.0.1:0")?;
    /// socket.connect(socket.local_addr()?)?;
    /// socket.send(b"to myself")?;
    /// assert_eq!(socket.peek(&mut [0; 16])?, 9);
    /// assert_eq!(socket.recv(&mut [0; 16])?, 9);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.peek(buf)
    }

    /// Sets `SO_BROADCAST`: whether this socket may send to broadcast addresses.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::UdpSocket;
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0")?;
    /// socket.set_broadcast(true)?;
    /// assert_eq!(socket.broadcast()?, true);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_broadcast(&self, broadcast: bool) -> io::Result<()> {
        Ok(options::set_socket_broadcast(&self.0, broadcast)?)
    }

    /// Returns the value of `SO_BROADCAST`; see [`set_broadcast`](Self::set_broadcast).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::UdpSocket;
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0")?;
    /// socket.set_broadcast(true)?;
    /// assert_eq!(socket.broadcast()?, true);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn broadcast(&self) -> io::Result<bool> {
        Ok(options::socket_broadcast(&self.0)?)
    }

    /// Sets `IP_MULTICAST_LOOP`: whether datagrams that this socket sends to an IPv4 group are also
    /// delivered to this machine.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::UdpSocket;
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0")?;
    /// socket.set_multicast_loop_v4(false)?;
    /// assert_eq!(socket.multicast_loop_v4()?, false);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_multicast_loop_v4(&self, multicast_loop_v4: bool) -> io::Result<()> {
        Ok(options::set_ip_multicast_loop(&self.0, multicast_loop_v4)?)
    }

    /// Returns the value of `IP_MULTICAST_LOOP`; see
    /// [`set_multicast_loop_v4`](Self::set_multicast_loop_v4).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::UdpSocket;
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0")?;
    /// socket.set_multicast_loop_v4(false)?;
    /// assert_eq!(socket.multicast_loop_v4()?, false);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn multicast_loop_v4(&self) -> io::Result<bool> {
        Ok(options::ip_multicast_loop(&self.0)?)
    }

    /// Sets `IP_MULTICAST_TTL`: the number of hops that a datagram to an IPv4 group may take.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::UdpSocket;
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0")?;
    /// socket.set_multicast_ttl_v4(42)?;
    /// assert_eq!(socket.multicast_ttl_v4()?, 42);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_multicast_ttl_v4(&self, multicast_ttl_v4: u32) -> io::Result<()> {
        Ok(options::set_ip_multicast_ttl(&self.0, multicast_ttl_v4)?)
    }

    /// Returns the value of `IP_MULTICAST_TTL`; see
    /// [`set_multicast_ttl_v4`](Self::set_multicast_ttl_v4).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::UdpSocket;
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0")?;
    /// socket.set_multicast_ttl_v4(42)?;
    /// assert_eq!(socket.multicast_ttl_v4()?, 42);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn multicast_ttl_v4(&self) -> io::Result<u32> {
        Ok(options::ip_multicast_ttl(&self.0)?)
    }

    /// Sets `IP_TTL`: the number of hops that a datagram may take.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::UdpSocket;
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0")?;
    /// socket.set_ttl(42)?;
    /// assert_eq!(socket.ttl()?, 42);
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
    /// use greenthread::net::UdpSocket;
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0")?;
    /// socket.set_ttl(42)?;
    /// assert_eq!(socket.ttl()?, 42);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn ttl(&self) -> io::Result<u32> {
        Ok(options::ip_ttl(&self.0)?)
    }

    /// Sets `IPV6_MULTICAST_LOOP`: whether datagrams that this socket sends to an IPv6 group are
    /// also delivered to this machine.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::UdpSocket;
    ///
    /// // Not every machine has IPv6.
    /// let Ok(socket) = UdpSocket::bind("[::1]:0") else { return Ok(()) };
    /// socket.set_multicast_loop_v6(false)?;
    /// assert_eq!(socket.multicast_loop_v6()?, false);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_multicast_loop_v6(&self, multicast_loop_v6: bool) -> io::Result<()> {
        Ok(options::set_ipv6_multicast_loop(&self.0, multicast_loop_v6)?)
    }

    /// Returns the value of `IPV6_MULTICAST_LOOP`; see
    /// [`set_multicast_loop_v6`](Self::set_multicast_loop_v6).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::UdpSocket;
    ///
    /// // Not every machine has IPv6.
    /// let Ok(socket) = UdpSocket::bind("[::1]:0") else { return Ok(()) };
    /// socket.set_multicast_loop_v6(false)?;
    /// assert_eq!(socket.multicast_loop_v6()?, false);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn multicast_loop_v6(&self) -> io::Result<bool> {
        Ok(options::ipv6_multicast_loop(&self.0)?)
    }

    /// Joins an IPv4 multicast group. `interface` is the address of a local interface; with
    /// `UNSPECIFIED` the system chooses the interface.
    ///
    /// # Errors
    ///
    /// An error if the address is not that of a group, or if there is no such interface.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{Ipv4Addr, UdpSocket};
    ///
    /// let socket = UdpSocket::bind("0.0.0.0:0")?;
    /// let group = Ipv4Addr::new(239, 1, 2, 3);
    /// socket.join_multicast_v4(&group, &Ipv4Addr::LOCALHOST)?;
    /// socket.leave_multicast_v4(&group, &Ipv4Addr::LOCALHOST)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn join_multicast_v4(&self, multiaddr: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        Ok(options::set_ip_add_membership(&self.0, multiaddr, interface)?)
    }

    /// Leaves an IPv4 multicast group that [`join_multicast_v4`](Self::join_multicast_v4) has
    /// joined. `interface` is the address of a local interface; with `UNSPECIFIED` the system
    /// chooses the interface.
    ///
    /// # Errors
    ///
    /// An error if the socket is not a member of the group.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{Ipv4Addr, UdpSocket};
    ///
    /// let socket = UdpSocket::bind("0.0.0.0:0")?;
    /// let group = Ipv4Addr::new(239, 1, 2, 3);
    /// socket.join_multicast_v4(&group, &Ipv4Addr::LOCALHOST)?;
    /// socket.leave_multicast_v4(&group, &Ipv4Addr::LOCALHOST)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn leave_multicast_v4(&self, multiaddr: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        Ok(options::set_ip_drop_membership(&self.0, multiaddr, interface)?)
    }

    /// Joins an IPv6 multicast group. `interface` is the index of a local interface; with 0 the
    /// system chooses the interface.
    ///
    /// # Errors
    ///
    /// An error if the address is not that of a group, or if there is no such interface.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{Ipv6Addr, UdpSocket};
    ///
    /// // Not every machine has IPv6.
    /// let Ok(socket) = UdpSocket::bind("[::]:0") else { return Ok(()) };
    /// let group = Ipv6Addr::new(0xff15, 0, 0, 0, 0, 0, 0, 1);
    /// socket.join_multicast_v6(&group, 1)?;
    /// socket.leave_multicast_v6(&group, 1)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn join_multicast_v6(&self, multiaddr: &Ipv6Addr, interface: u32) -> io::Result<()> {
        Ok(options::set_ipv6_add_membership(&self.0, multiaddr, interface)?)
    }

    /// Leaves an IPv6 multicast group that [`join_multicast_v6`](Self::join_multicast_v6) has
    /// joined. `interface` is the index of a local interface; with 0 the system chooses the
    /// interface.
    ///
    /// # Errors
    ///
    /// An error if the socket is not a member of the group.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{Ipv6Addr, UdpSocket};
    ///
    /// // Not every machine has IPv6.
    /// let Ok(socket) = UdpSocket::bind("[::]:0") else { return Ok(()) };
    /// let group = Ipv6Addr::new(0xff15, 0, 0, 0, 0, 0, 0, 1);
    /// socket.join_multicast_v6(&group, 1)?;
    /// socket.leave_multicast_v6(&group, 1)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn leave_multicast_v6(&self, multiaddr: &Ipv6Addr, interface: u32) -> io::Result<()> {
        Ok(options::set_ipv6_drop_membership(&self.0, multiaddr, interface)?)
    }

    settings!(
        UdpSocket,
        "let socket = greenthread::net::UdpSocket::bind(\"127.0.0.1:0\")?;",
        "socket.recv(&mut [0])"
    );
}

impl From<OwnedFd> for UdpSocket {
    /// Converts a descriptor. Its timeouts and its mode (blocking or not) stay as they are.
    fn from(descriptor: OwnedFd) -> Self {
        UdpSocket(Socket::adopt(descriptor))
    }
}

impl From<UdpSocket> for OwnedFd {
    fn from(socket: UdpSocket) -> OwnedFd {
        socket.0.into_descriptor()
    }
}

descriptors!(UdpSocket, std::net::UdpSocket);

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("UdpSocket");
        if let Ok(address) = self.local_addr() {
            fields.field("addr", &address);
        }
        fields.field(fd::FIELD, &fd::number(&self.0)).finish()
    }
}
