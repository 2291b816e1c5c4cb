//! Unix sockets: [`std::os::unix::net`], for green threads.
//!
//! Streams, listeners and datagrams by a path, by an abstract name
//! (`greenthread::os::linux::net::SocketAddrExt`), or in pairs without any name. They wait as
//! [`greenthread::net`](crate::net)'s do.
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
//! What differs in [`greenthread::net`](crate::net) does so here. And a green thread that waits to
//! write does not notice when *the other end* is shut down for reading only, since Linux has no
//! event for that; that it is closed, or that this end is shut down, it does notice.

mod address;
mod datagram;
mod listener;
mod stream;

pub use std::os::unix::net::SocketAddr;

pub use datagram::UnixDatagram;
pub use listener::{Incoming, UnixListener};
pub use stream::UnixStream;
