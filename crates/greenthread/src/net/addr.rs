//! Socket addresses. Names are looked up off the worker.

use std::{
    io, iter,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6},
    option, slice, vec,
};

use crate::runtime;

/// A value that can be converted into socket addresses, by a name lookup if necessary:
/// [`std::net::ToSocketAddrs`], but only the calling thread waits for the answer.
///
/// The trait is implemented for the types for which std implements its own trait: addresses, pairs
/// of a host and a port, strings, slices of addresses, and references to these. A string that is an
/// address is only parsed. Any other string is a host name, which the system looks up on an OS
/// thread while the green thread is parked. If no OS thread is available, the lookup fails with an
/// error of the kind `QuotaExceeded` (see
/// [`blocking_threads`](crate::RuntimeBuilder::blocking_threads)).
///
/// A lookup that has begun can't be [cancelled](crate::cancel#what-cant-be-cancelled), and a
/// timeout around it ends after it. A program that makes many connections to one host can look its
/// name up first, and pass the addresses.
///
/// # Examples
///
/// ```
/// use greenthread::net::{SocketAddr, ToSocketAddrs};
///
/// let address = SocketAddr::from(([127, 0, 0, 1], 443));
/// assert_eq!("127.0.0.1:443".to_socket_addrs()?.collect::<Vec<_>>(), [address]);
/// assert!("localhost:443".to_socket_addrs()?.any(|found| found == address));
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait ToSocketAddrs {
    /// The iterator over the addresses.
    type Iter: Iterator<Item = SocketAddr>;

    /// Converts this value into an iterator over its addresses, which may be empty.
    ///
    /// Blocks the calling thread while a name is looked up.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if a string is neither an address nor of the form `host:port`; otherwise the
    /// error that the system gives for the lookup.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::ToSocketAddrs;
    ///
    /// let mut addresses = "127.0.0.1:80".to_socket_addrs()?;
    /// assert_eq!(addresses.next(), Some(([127, 0, 0, 1], 80).into()));
    /// assert_eq!("no port".to_socket_addrs().unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn to_socket_addrs(&self) -> io::Result<Self::Iter>;
}

/// Implements the trait for types that std converts into one address without a lookup.
macro_rules! plain {
    ($($type:ty),*) => { $(
        impl ToSocketAddrs for $type {
            type Iter = option::IntoIter<SocketAddr>;

            fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
                std::net::ToSocketAddrs::to_socket_addrs(self)
            }
        }
    )* };
}

plain!(SocketAddr, SocketAddrV4, SocketAddrV6, (IpAddr, u16), (Ipv4Addr, u16), (Ipv6Addr, u16));

impl ToSocketAddrs for (&str, u16) {
    type Iter = vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        let (host, port) = *self;
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)].into_iter());
        }
        let host = host.to_owned();
        runtime::unblock_wait(move || std::net::ToSocketAddrs::to_socket_addrs(&(&*host, port)))?
    }
}

impl ToSocketAddrs for (String, u16) {
    type Iter = vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        (&*self.0, self.1).to_socket_addrs()
    }
}

impl ToSocketAddrs for str {
    type Iter = vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        if let Ok(address) = self.parse() {
            return Ok(vec![address].into_iter());
        }
        match self.rsplit_once(':').map(|(host, port)| (host, port.parse())) {
            Some((host, Ok(port))) => (host, port).to_socket_addrs(),
            // std gives the error for a malformed string. It looks nothing up for such a string.
            _ => std::net::ToSocketAddrs::to_socket_addrs(self),
        }
    }
}

impl ToSocketAddrs for String {
    type Iter = vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        (**self).to_socket_addrs()
    }
}

impl<'a> ToSocketAddrs for &'a [SocketAddr] {
    type Iter = iter::Cloned<slice::Iter<'a, SocketAddr>>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        Ok(self.iter().cloned())
    }
}

impl<T: ToSocketAddrs + ?Sized> ToSocketAddrs for &T {
    type Iter = T::Iter;

    fn to_socket_addrs(&self) -> io::Result<T::Iter> {
        (**self).to_socket_addrs()
    }
}

/// Calls `attempt` with each address until it succeeds. If it never succeeds, the error is that of
/// the last address.
pub(super) fn each_address<A: ToSocketAddrs, T>(
    addresses: A,
    mut attempt: impl FnMut(&SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut last = None;
    for address in addresses.to_socket_addrs()? {
        match attempt(&address) {
            Ok(success) => return Ok(success),
            Err(error) => last = Some(error),
        }
    }
    Err(last
        .unwrap_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "could not resolve to any addresses")))
}
