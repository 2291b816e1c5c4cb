//! `std::net` for green threads: the same names with the same meaning. A call that waits blocks
//! only the calling thread.
//!
//! Everything in this module works on green threads and on OS threads. On a green thread, a call
//! that would block parks the thread, and its worker runs other threads. On an OS thread (and
//! inside [`without_yield`](crate::thread::without_yield)) the call blocks the OS thread, as in
//! std. Several threads may use one socket at once. They may belong to different workers or to
//! none, and any of them may close the socket.
//!
//! # Examples
//!
//! An echo server with one thread for each connection:
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
//! * [`ToSocketAddrs`] is a trait of this crate, with the implementations that std's trait has.
//!   std's own trait would look names up on the worker and block it. To pass a type that implements
//!   only std's trait, call its `to_socket_addrs` and collect the result.
//! * Green threads observe timeouts and non-blocking mode that were set by the methods of these
//!   types, or through the descriptor (by `socket2::SockRef`, for example) before the call: each
//!   `as_fd` and `as_raw_fd` makes the library ask the kernel again. Green threads do not notice a
//!   change that is made later through a descriptor that was kept, or by another process. Clones
//!   made by `try_clone` share these settings, as in std.
//! * The descriptor of a [`TcpListener`] is always in the kernel's non-blocking mode, whatever
//!   `set_nonblocking` says, because `accept` has no flag that makes one call non-blocking.
//!   Therefore only the listener's own method sets its mode.
//! * The method `shutdown` of these types wakes a thread that waits to write to a Unix socket.
//!   `Shutdown::Write` through the descriptor does not wake it.
//! * With `SO_LINGER`, closing a socket waits until its unsent bytes have gone out. Only the thread
//!   that drops the socket waits, as in std. (A socket that was converted into an `OwnedFd` is
//!   std's. Dropping that blocks the worker.)
//! * Vectored writes do not raise `SIGPIPE`, and neither do plain writes.
//! * Methods that are still unstable in std (`read_buf`, `set_linger`, `into_incoming`) are
//!   missing. The `SockRef` of [`socket2`](https://docs.rs/socket2) accepts all of these sockets
//!   and sets every option.

mod addr;
mod listener;
pub(crate) mod polled;
pub(crate) mod socket;
mod socket_options;
mod stream;
mod udp;

pub use std::net::{
    AddrParseError, IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV4, SocketAddrV6,
};

pub use addr::ToSocketAddrs;
pub use listener::{Incoming, TcpListener};
pub use polled::{Polled, Stream};
pub(crate) use socket_options::settings;
pub use stream::TcpStream;
pub use udp::UdpSocket;
