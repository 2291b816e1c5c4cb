// Made by docs.rs from the documentation of std 1.95; not edited by hand.

// enum net::IpAddr
same! { [] net::IpAddr = std::net::IpAddr }

// enum net::Shutdown
same! { [] net::Shutdown = std::net::Shutdown }

// enum net::SocketAddr
same! { [] net::SocketAddr = std::net::SocketAddr }

// struct net::AddrParseError
same! { [] net::AddrParseError = std::net::AddrParseError }

// struct net::Incoming
implements! { ['a] [] net::Incoming<'a>: std::fmt::Debug }
implements! { ['a] [] net::Incoming<'a>: Iterator<Item = Result<net::TcpStream, std::io::Error>> }
implements! { ['x0] [] net::Incoming<'x0>: std::iter::FusedIterator }
implements! { ['a] [] net::Incoming<'a>: std::panic::RefUnwindSafe }
implements! { ['a] [] net::Incoming<'a>: Send }
implements! { ['a] [] net::Incoming<'a>: Sync }
implements! { ['a] [] net::Incoming<'a>: Unpin }
implements! { ['a] [] net::Incoming<'a>: std::panic::UnwindSafe }

// struct net::Ipv4Addr
same! { [] net::Ipv4Addr = std::net::Ipv4Addr }

// struct net::Ipv6Addr
same! { [] net::Ipv6Addr = std::net::Ipv6Addr }

// struct net::SocketAddrV4
same! { [] net::SocketAddrV4 = std::net::SocketAddrV4 }

// struct net::SocketAddrV6
same! { [] net::SocketAddrV6 = std::net::SocketAddrV6 }

// struct net::TcpListener
item! { fn bind<A: net::ToSocketAddrs>(addr: A) -> std::io::Result<net::TcpListener> { net::TcpListener::bind(addr) } }
item! { fn local_addr(this: &net::TcpListener) -> std::io::Result<std::net::SocketAddr> { net::TcpListener::local_addr(this) } }
item! { fn try_clone(this: &net::TcpListener) -> std::io::Result<net::TcpListener> { net::TcpListener::try_clone(this) } }
item! { fn accept(this: &net::TcpListener) -> std::io::Result<(net::TcpStream, std::net::SocketAddr)> { net::TcpListener::accept(this) } }
item! { fn incoming(this: &net::TcpListener) -> net::Incoming<'_> { net::TcpListener::incoming(this) } }
item! { fn set_ttl(this: &net::TcpListener, ttl: u32) -> std::io::Result<()> { net::TcpListener::set_ttl(this, ttl) } }
item! { fn ttl(this: &net::TcpListener) -> std::io::Result<u32> { net::TcpListener::ttl(this) } }
item! { fn take_error(this: &net::TcpListener) -> std::io::Result<Option<std::io::Error>> { net::TcpListener::take_error(this) } }
item! { fn set_nonblocking(this: &net::TcpListener, nonblocking: bool) -> std::io::Result<()> { net::TcpListener::set_nonblocking(this, nonblocking) } }
implements! { net::TcpListener: std::os::fd::AsFd }
implements! { net::TcpListener: std::os::fd::AsRawFd }
implements! { net::TcpListener: std::fmt::Debug }
implements! { net::TcpListener: From<std::os::fd::OwnedFd> }
implements! { std::os::fd::OwnedFd: From<net::TcpListener> }
implements! { net::TcpListener: std::os::fd::FromRawFd }
implements! { net::TcpListener: std::os::fd::IntoRawFd }
implements! { net::TcpListener: std::panic::RefUnwindSafe }
implements! { net::TcpListener: Send }
implements! { net::TcpListener: Sync }
implements! { net::TcpListener: Unpin }
implements! { net::TcpListener: std::panic::UnwindSafe }

// struct net::TcpStream
item! { fn connect<A: net::ToSocketAddrs>(addr: A) -> std::io::Result<net::TcpStream> { net::TcpStream::connect(addr) } }
item! { fn connect_timeout(addr: &std::net::SocketAddr, timeout: std::time::Duration) -> std::io::Result<net::TcpStream> { net::TcpStream::connect_timeout(addr, timeout) } }
item! { fn peer_addr(this: &net::TcpStream) -> std::io::Result<std::net::SocketAddr> { net::TcpStream::peer_addr(this) } }
item! { fn local_addr(this: &net::TcpStream) -> std::io::Result<std::net::SocketAddr> { net::TcpStream::local_addr(this) } }
item! { fn shutdown(this: &net::TcpStream, how: std::net::Shutdown) -> std::io::Result<()> { net::TcpStream::shutdown(this, how) } }
item! { fn try_clone(this: &net::TcpStream) -> std::io::Result<net::TcpStream> { net::TcpStream::try_clone(this) } }
item! { fn set_read_timeout(this: &net::TcpStream, dur: Option<std::time::Duration>) -> std::io::Result<()> { net::TcpStream::set_read_timeout(this, dur) } }
item! { fn set_write_timeout(this: &net::TcpStream, dur: Option<std::time::Duration>) -> std::io::Result<()> { net::TcpStream::set_write_timeout(this, dur) } }
item! { fn read_timeout(this: &net::TcpStream) -> std::io::Result<Option<std::time::Duration>> { net::TcpStream::read_timeout(this) } }
item! { fn write_timeout(this: &net::TcpStream) -> std::io::Result<Option<std::time::Duration>> { net::TcpStream::write_timeout(this) } }
item! { fn peek(this: &net::TcpStream, buf: &mut [u8]) -> std::io::Result<usize> { net::TcpStream::peek(this, buf) } }
item! { fn set_nodelay(this: &net::TcpStream, nodelay: bool) -> std::io::Result<()> { net::TcpStream::set_nodelay(this, nodelay) } }
item! { fn nodelay(this: &net::TcpStream) -> std::io::Result<bool> { net::TcpStream::nodelay(this) } }
item! { fn set_ttl(this: &net::TcpStream, ttl: u32) -> std::io::Result<()> { net::TcpStream::set_ttl(this, ttl) } }
item! { fn ttl(this: &net::TcpStream) -> std::io::Result<u32> { net::TcpStream::ttl(this) } }
item! { fn take_error(this: &net::TcpStream) -> std::io::Result<Option<std::io::Error>> { net::TcpStream::take_error(this) } }
item! { fn set_nonblocking(this: &net::TcpStream, nonblocking: bool) -> std::io::Result<()> { net::TcpStream::set_nonblocking(this, nonblocking) } }
implements! { net::TcpStream: std::os::fd::AsFd }
implements! { net::TcpStream: std::os::fd::AsRawFd }
implements! { net::TcpStream: std::fmt::Debug }
implements! { net::TcpStream: From<std::os::fd::OwnedFd> }
implements! { std::os::fd::OwnedFd: From<net::TcpStream> }
implements! { net::TcpStream: std::os::fd::FromRawFd }
implements! { net::TcpStream: std::os::fd::IntoRawFd }
implements! { ['x0] [] &'x0 net::TcpStream: std::io::Read }
implements! { net::TcpStream: std::io::Read }
implements! { net::TcpStream: os::linux::net::TcpStreamExt }
implements! { ['x0] [] &'x0 net::TcpStream: std::io::Write }
implements! { net::TcpStream: std::io::Write }
implements! { net::TcpStream: std::panic::RefUnwindSafe }
implements! { net::TcpStream: Send }
implements! { net::TcpStream: Sync }
implements! { net::TcpStream: Unpin }
implements! { net::TcpStream: std::panic::UnwindSafe }

// struct net::UdpSocket
item! { fn bind<A: net::ToSocketAddrs>(addr: A) -> std::io::Result<net::UdpSocket> { net::UdpSocket::bind(addr) } }
item! { fn recv_from(this: &net::UdpSocket, buf: &mut [u8]) -> std::io::Result<(usize, std::net::SocketAddr)> { net::UdpSocket::recv_from(this, buf) } }
item! { fn peek_from(this: &net::UdpSocket, buf: &mut [u8]) -> std::io::Result<(usize, std::net::SocketAddr)> { net::UdpSocket::peek_from(this, buf) } }
item! { fn send_to<A: net::ToSocketAddrs>(this: &net::UdpSocket, buf: &[u8], addr: A) -> std::io::Result<usize> { net::UdpSocket::send_to(this, buf, addr) } }
item! { fn peer_addr(this: &net::UdpSocket) -> std::io::Result<std::net::SocketAddr> { net::UdpSocket::peer_addr(this) } }
item! { fn local_addr(this: &net::UdpSocket) -> std::io::Result<std::net::SocketAddr> { net::UdpSocket::local_addr(this) } }
item! { fn try_clone(this: &net::UdpSocket) -> std::io::Result<net::UdpSocket> { net::UdpSocket::try_clone(this) } }
item! { fn set_read_timeout(this: &net::UdpSocket, dur: Option<std::time::Duration>) -> std::io::Result<()> { net::UdpSocket::set_read_timeout(this, dur) } }
item! { fn set_write_timeout(this: &net::UdpSocket, dur: Option<std::time::Duration>) -> std::io::Result<()> { net::UdpSocket::set_write_timeout(this, dur) } }
item! { fn read_timeout(this: &net::UdpSocket) -> std::io::Result<Option<std::time::Duration>> { net::UdpSocket::read_timeout(this) } }
item! { fn write_timeout(this: &net::UdpSocket) -> std::io::Result<Option<std::time::Duration>> { net::UdpSocket::write_timeout(this) } }
item! { fn set_broadcast(this: &net::UdpSocket, broadcast: bool) -> std::io::Result<()> { net::UdpSocket::set_broadcast(this, broadcast) } }
item! { fn broadcast(this: &net::UdpSocket) -> std::io::Result<bool> { net::UdpSocket::broadcast(this) } }
item! { fn set_multicast_loop_v4(this: &net::UdpSocket, multicast_loop_v4: bool) -> std::io::Result<()> { net::UdpSocket::set_multicast_loop_v4(this, multicast_loop_v4) } }
item! { fn multicast_loop_v4(this: &net::UdpSocket) -> std::io::Result<bool> { net::UdpSocket::multicast_loop_v4(this) } }
item! { fn set_multicast_ttl_v4(this: &net::UdpSocket, multicast_ttl_v4: u32) -> std::io::Result<()> { net::UdpSocket::set_multicast_ttl_v4(this, multicast_ttl_v4) } }
item! { fn multicast_ttl_v4(this: &net::UdpSocket) -> std::io::Result<u32> { net::UdpSocket::multicast_ttl_v4(this) } }
item! { fn set_multicast_loop_v6(this: &net::UdpSocket, multicast_loop_v6: bool) -> std::io::Result<()> { net::UdpSocket::set_multicast_loop_v6(this, multicast_loop_v6) } }
item! { fn multicast_loop_v6(this: &net::UdpSocket) -> std::io::Result<bool> { net::UdpSocket::multicast_loop_v6(this) } }
item! { fn set_ttl(this: &net::UdpSocket, ttl: u32) -> std::io::Result<()> { net::UdpSocket::set_ttl(this, ttl) } }
item! { fn ttl(this: &net::UdpSocket) -> std::io::Result<u32> { net::UdpSocket::ttl(this) } }
item! { fn join_multicast_v4(this: &net::UdpSocket, multiaddr: &std::net::Ipv4Addr, interface: &std::net::Ipv4Addr) -> std::io::Result<()> { net::UdpSocket::join_multicast_v4(this, multiaddr, interface) } }
item! { fn join_multicast_v6(this: &net::UdpSocket, multiaddr: &std::net::Ipv6Addr, interface: u32) -> std::io::Result<()> { net::UdpSocket::join_multicast_v6(this, multiaddr, interface) } }
item! { fn leave_multicast_v4(this: &net::UdpSocket, multiaddr: &std::net::Ipv4Addr, interface: &std::net::Ipv4Addr) -> std::io::Result<()> { net::UdpSocket::leave_multicast_v4(this, multiaddr, interface) } }
item! { fn leave_multicast_v6(this: &net::UdpSocket, multiaddr: &std::net::Ipv6Addr, interface: u32) -> std::io::Result<()> { net::UdpSocket::leave_multicast_v6(this, multiaddr, interface) } }
item! { fn take_error(this: &net::UdpSocket) -> std::io::Result<Option<std::io::Error>> { net::UdpSocket::take_error(this) } }
item! { fn connect<A: net::ToSocketAddrs>(this: &net::UdpSocket, addr: A) -> std::io::Result<()> { net::UdpSocket::connect(this, addr) } }
item! { fn send(this: &net::UdpSocket, buf: &[u8]) -> std::io::Result<usize> { net::UdpSocket::send(this, buf) } }
item! { fn recv(this: &net::UdpSocket, buf: &mut [u8]) -> std::io::Result<usize> { net::UdpSocket::recv(this, buf) } }
item! { fn peek(this: &net::UdpSocket, buf: &mut [u8]) -> std::io::Result<usize> { net::UdpSocket::peek(this, buf) } }
item! { fn set_nonblocking(this: &net::UdpSocket, nonblocking: bool) -> std::io::Result<()> { net::UdpSocket::set_nonblocking(this, nonblocking) } }
implements! { net::UdpSocket: std::os::fd::AsFd }
implements! { net::UdpSocket: std::os::fd::AsRawFd }
implements! { net::UdpSocket: std::fmt::Debug }
implements! { net::UdpSocket: From<std::os::fd::OwnedFd> }
implements! { std::os::fd::OwnedFd: From<net::UdpSocket> }
implements! { net::UdpSocket: std::os::fd::FromRawFd }
implements! { net::UdpSocket: std::os::fd::IntoRawFd }
implements! { net::UdpSocket: std::panic::RefUnwindSafe }
implements! { net::UdpSocket: Send }
implements! { net::UdpSocket: Sync }
implements! { net::UdpSocket: Unpin }
implements! { net::UdpSocket: std::panic::UnwindSafe }

// trait net::ToSocketAddrs
item! { fn to_socket_addrs<This: net::ToSocketAddrs>(this: &This) -> std::io::Result<This::Iter> { net::ToSocketAddrs::to_socket_addrs(this) } }
implements! { ['x0] [] (&'x0 str, u16): net::ToSocketAddrs<Iter = std::vec::IntoIter<std::net::SocketAddr>> }
implements! { (std::net::IpAddr, u16): net::ToSocketAddrs<Iter = std::option::IntoIter<std::net::SocketAddr>> }
implements! { (String, u16): net::ToSocketAddrs<Iter = std::vec::IntoIter<std::net::SocketAddr>> }
implements! { (std::net::Ipv4Addr, u16): net::ToSocketAddrs<Iter = std::option::IntoIter<std::net::SocketAddr>> }
implements! { (std::net::Ipv6Addr, u16): net::ToSocketAddrs<Iter = std::option::IntoIter<std::net::SocketAddr>> }
implements! { std::net::SocketAddr: net::ToSocketAddrs<Iter = std::option::IntoIter<std::net::SocketAddr>> }
implements! { str: net::ToSocketAddrs<Iter = std::vec::IntoIter<std::net::SocketAddr>> }
implements! { String: net::ToSocketAddrs<Iter = std::vec::IntoIter<std::net::SocketAddr>> }
implements! { std::net::SocketAddrV4: net::ToSocketAddrs<Iter = std::option::IntoIter<std::net::SocketAddr>> }
implements! { std::net::SocketAddrV6: net::ToSocketAddrs<Iter = std::option::IntoIter<std::net::SocketAddr>> }
implements! { ['a] [] &'a [std::net::SocketAddr]: net::ToSocketAddrs<Iter = std::iter::Cloned<std::slice::Iter<'a, std::net::SocketAddr>>> }
implements! { ['x0, T: net::ToSocketAddrs + ?Sized] [] &'x0 T: net::ToSocketAddrs<Iter = <T as net::ToSocketAddrs>::Iter> }
