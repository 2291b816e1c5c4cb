//! Sockets and handles: std's traits and types, which the types of this library implement.
//!
//! The library keeps its sockets in the system's non-blocking mode, whatever their own mode is. A
//! socket that is borrowed by [`AsSocket`] is in this mode, and if its user changes the mode, the
//! library's next call changes it back. A socket that is given away (by `OwnedSocket::from` or
//! [`IntoRawSocket`]) gets its own mode, unless there are other handles to it, which were made by
//! `try_clone`. A socket that the library is given is taken to be in blocking mode, because the
//! system does not tell the mode.
//!
//! # Examples
//!
//! ```
//! use greenthread::{net::UdpSocket, os::windows::io::OwnedSocket};
//!
//! let socket = OwnedSocket::from(UdpSocket::bind("127.0.0.1:0")?);
//! assert_ne!(UdpSocket::from(socket).local_addr()?.port(), 0);
//! # Ok::<(), std::io::Error>(())
//! ```

pub use std::os::windows::io::{
    AsHandle, AsRawHandle, AsRawSocket, AsSocket, BorrowedHandle, BorrowedSocket, FromRawHandle,
    FromRawSocket, HandleOrInvalid, HandleOrNull, IntoRawHandle, IntoRawSocket, InvalidHandleError,
    NullHandleError, OwnedHandle, OwnedSocket, RawHandle, RawSocket,
};
