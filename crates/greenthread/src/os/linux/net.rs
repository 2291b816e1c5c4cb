//! Linux-specific properties of sockets: [`std::os::linux::net`] for green threads.
//!
//! # Examples
//!
//! ```
//! use greenthread::os::{linux::net::SocketAddrExt, unix::net::SocketAddr};
//!
//! let address = SocketAddr::from_abstract_name(b"hidden")?;
//! assert_eq!(address.as_abstract_name(), Some(&b"hidden"[..]));
//! # Ok::<(), std::io::Error>(())
//! ```

use std::io;

pub use std::os::linux::net::SocketAddrExt;

use crate::{net::TcpStream, sys::socket_options as options};

/// Linux-specific methods of [`TcpStream`]: [`std::os::linux::net::TcpStreamExt`].
///
/// # Examples
///
/// ```
/// use greenthread::{net::{TcpListener, TcpStream}, os::linux::net::TcpStreamExt};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let stream = TcpStream::connect(listener.local_addr()?)?;
/// stream.set_quickack(true)?;
/// assert!(stream.quickack()?);
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait TcpStreamExt: sealed::Sealed {
    /// Sets `TCP_QUICKACK`: if set, received data is acknowledged at once. The system may reset the
    /// option later.
    ///
    /// # Errors
    ///
    /// The system's error.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{net::{TcpListener, TcpStream}, os::linux::net::TcpStreamExt};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let stream = TcpStream::connect(listener.local_addr()?)?;
    /// stream.set_quickack(true)?;
    /// assert!(stream.quickack()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn set_quickack(&self, quickack: bool) -> io::Result<()>;

    /// Returns whether `TCP_QUICKACK` is set.
    ///
    /// # Errors
    ///
    /// The system's error.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{net::{TcpListener, TcpStream}, os::linux::net::TcpStreamExt};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let stream = TcpStream::connect(listener.local_addr()?)?;
    /// stream.set_quickack(false)?;
    /// assert!(!stream.quickack()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn quickack(&self) -> io::Result<bool>;
}

impl TcpStreamExt for TcpStream {
    fn set_quickack(&self, quickack: bool) -> io::Result<()> {
        Ok(options::set_tcp_quickack(self, quickack)?)
    }

    fn quickack(&self) -> io::Result<bool> {
        Ok(options::tcp_quickack(self)?)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for crate::net::TcpStream {}
}
