//! Unix sockets: [`std::os::unix::net`] for green threads.
//!
//! The module has streams, listeners and datagram sockets. They have a path, an abstract name
//! (`greenthread::os::linux::net::SocketAddrExt`), or no address (in pairs). They wait as the
//! sockets of [`greenthread::net`](crate::net) do.
//!
//! # Examples
//!
//! ```
//! use greenthread::{os::unix::net::UnixStream, thread};
//! use std::io::{Read, Write};
//!
//! greenthread::run(|| {
//!     let (mut one, mut two) = UnixStream::pair()?;
//!     let writer = thread::spawn(move || two.write_all(b"hello"));
//!     let mut all = String::new();
//!     one.read_to_string(&mut all)?;
//!     assert_eq!(all, "hello");
//!     writer.join().unwrap()
//! })?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Differs from std
//!
//! The differences of [`greenthread::net`](crate::net) apply here too. In addition, a green thread
//! that waits to write does not notice that *the peer* has been shut down for reading only, because
//! Linux has no event for that. The thread does notice that the peer has been closed, and that this
//! end has been shut down.

mod address;
mod datagram;
mod listener;
mod stream;

pub use std::os::unix::net::SocketAddr;

pub use datagram::UnixDatagram;
pub use listener::{Incoming, UnixListener};
pub use stream::UnixStream;
