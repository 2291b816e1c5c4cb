//! `std::net`, for green threads: the same names, the same meaning, and only the calling thread
//! waits.
//!
//! Everything here works on green threads and on OS threads. On a green thread a call that would
//! block parks the thread, and its worker runs others; on an OS thread (and inside
//! [`without_yield`](crate::thread::without_yield)) it blocks the OS thread, as std's does. A
//! socket may be used by several threads at once, of any workers and of none, and be closed by any.
//!
//! # Examples
//!
//! A server that echoes, with a thread for each connection:
//!
//! ```
//! use greenthread::{net::{TcpListener, TcpStream}, thread};
//! use std::io::{Read, Write};
//!
//! greenthread::run(|| {
//!     let listener = TcpListener::bind("127.0.0.1:0")?;
//!     let address = listener.local_addr()?;
//!     thread::spawn(move || {
//!         for stream in listener.incoming() {
//!             let Ok(mut stream) = stream else { continue };
//!             thread::spawn(move || {
//!                 let mut buffer = [0; 1024];
//!                 while let Ok(count @ 1..) = stream.read(&mut buffer) {
//!                     if stream.write_all(&buffer[..count]).is_err() {
//!                         break;
//!                     }
//!                 }
//!             });
//!         }
//!     });
//!
//!     let mut stream = TcpStream::connect(address)?;
//!     stream.write_all(b"hello")?;
//!     let mut answer = [0; 5];
//!     stream.read_exact(&mut answer)?;
//!     assert_eq!(&answer, b"hello");
//!     std::io::Result::Ok(())
//! })?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Differs from std
//!
//! * [`ToSocketAddrs`] is a trait of our own, with std's implementations, because a name must be
//!   looked up off the worker. For a type that implements std's only, pass what its
//!   `to_socket_addrs` gives, collected.
//! * Timeouts and non-blocking mode are what was set by the methods of these types, or through the
//!   descriptor (by `socket2::SockRef`, say) before the call: the kernel is asked again after each
//!   `as_fd` and `as_raw_fd`. What is changed later through a descriptor that was kept, or by
//!   another process, green threads do not notice. Clones by `try_clone` share these settings, as
//!   std's do.
//! * The descriptor of a [`TcpListener`] is in the kernel's non-blocking mode whatever
//!   `set_nonblocking` says, since `accept` has no flag of its own for it. So the mode of a
//!   listener is set by its own method only.
//! * A thread that waits to write to a Unix socket is freed by `shutdown` of these types, of
//!   `Shutdown::Write` through the descriptor it does not notice.
//! * With `SO_LINGER`, closing waits for the unsent bytes: for the thread that drops the socket, as
//!   in std, and for no other. (An `OwnedFd` that a socket was turned into is std's, and blocks its
//!   worker.)
//! * Vectored writes raise no `SIGPIPE`, like plain ones.
//! * What is still unstable in std (`read_buf`, `set_linger`, `into_incoming`) is not there;
//!   [`socket2`](https://docs.rs/socket2)'s `SockRef` takes any of these sockets and sets every
//!   option.

mod addr;
mod listener;
pub(crate) mod socket;
mod socket_options;
mod stream;
mod udp;

pub use std::net::{
    AddrParseError, IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV4, SocketAddrV6,
};

pub use addr::ToSocketAddrs;
pub use listener::{Incoming, TcpListener};
pub(crate) use socket_options::settings;
pub use stream::TcpStream;
pub use udp::UdpSocket;
