//! Descriptors: [`std::os::fd`], as it is.
//!
//! What is open here (sockets, pipes, processes' pipes, the standard streams) has `AsFd` and
//! `AsRawFd`, and goes from and into descriptors as in std.
//!
//! # Examples
//!
//! ```
//! use greenthread::{net::UdpSocket, os::fd::{AsFd, OwnedFd}};
//!
//! let descriptor = OwnedFd::from(UdpSocket::bind("127.0.0.1:0")?);
//! let clone = UdpSocket::from(descriptor.as_fd().try_clone_to_owned()?);
//! assert_eq!(clone.local_addr()?, UdpSocket::from(descriptor).local_addr()?);
//! # Ok::<(), std::io::Error>(())
//! ```

pub use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
