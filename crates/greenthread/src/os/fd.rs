//! Descriptors: a re-export of [`std::os::fd`].
//!
//! The types of this crate that own a descriptor (sockets, pipes, pipes to processes, the standard
//! streams) implement `AsFd` and `AsRawFd`, and convert from and into descriptors as std's types
//! do.
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
