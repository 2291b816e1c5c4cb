//! Descriptors: a re-export of [`std::os::fd`], and waiting for descriptors that belong to others.
//!
//! The types of this crate that own a descriptor (sockets, pipes, pipes to processes, the standard
//! streams) implement `AsFd` and `AsRawFd`, and convert from and into descriptors as std's types
//! do.
//!
//! [`wait`] and [`Watched`] are for descriptors of other crates and of C libraries: a green thread
//! waits until such a descriptor is ready, and then makes the call itself.
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

use std::{
    fmt,
    io::{self, ErrorKind::WouldBlock},
};

use crate::{descriptor::Descriptor, driver, sys::io::duplicate, time::Instant};

pub use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

/// What a thread waits for at a descriptor.
///
/// # Examples
///
/// ```
/// use greenthread::{io, os::fd::{self, Interest}};
///
/// let (_reader, writer) = io::pipe()?;
/// assert!(fd::wait(&writer, Interest::Write, None)?);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interest {
    /// A read would not block: there is something to be read, or the end, or an error.
    Read,
    /// A write would not block: there is room, or an error.
    Write,
}

impl From<Interest> for driver::Interest {
    fn from(interest: Interest) -> Self {
        match interest {
            Interest::Read => driver::Interest::Read,
            Interest::Write => driver::Interest::Write,
        }
    }
}

/// Waits until `fd` is ready, with `poll(2)`'s meaning of that: the call for which the caller waits
/// would not block, though it may fail. Returns `false` if the deadline has passed first. What
/// other threads do may make a descriptor unready again at any time, so the call should be one that
/// does not block.
///
/// This blocks the calling thread, green or OS. On a green thread that has to wait it takes a
/// duplicate of the descriptor for as long as it lasts. For a descriptor that is waited for again
/// and again, see [`Watched`]. This is a [cancellation point](crate::cancel#points).
///
/// # Errors
///
/// If the process has no descriptors left, and the errors of `poll(2)`.
///
/// # Examples
///
/// ```
/// use greenthread::{os::fd::{self, Interest}, thread, time::{Duration, Instant}};
/// use std::{io::{Read, Write}, os::unix::net::UnixStream};
///
/// greenthread::run(|| {
///     // Sockets of std, whose own calls would block the worker.
///     let (mut ours, mut theirs) = UnixStream::pair()?;
///     let soon = Instant::now() + Duration::from_millis(1);
///     assert!(!fd::wait(&ours, Interest::Read, Some(soon))?);
///     thread::spawn(move || theirs.write_all(b"hello"));
///     assert!(fd::wait(&ours, Interest::Read, None)?);
///     let mut bytes = [0; 5];
///     ours.read(&mut bytes)?;
///     assert_eq!(&bytes, b"hello");
///     std::io::Result::Ok(())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn wait(fd: impl AsFd, interest: Interest, deadline: Option<Instant>) -> io::Result<bool> {
    Watched::new(fd)?.wait(interest, deadline)
}

/// A descriptor of another crate or of a C library, for which green threads wait. It stays
/// registered with each worker on which a thread has waited for it. The idea is that of tokio's
/// `AsyncFd`.
///
/// Threads that wait for the same thing are woken one after the other, in the order in which they
/// came, each when the one before it has looked. Calls should be ones that do not block.
///
/// It has a duplicate of the descriptor, which it closes when it is dropped, before the descriptor
/// itself.
///
/// # Examples
///
/// ```
/// use greenthread::{os::fd::{Interest, Watched}, thread};
/// use std::{io::{Read, Write}, os::unix::net::UnixStream};
///
/// greenthread::run(|| {
///     let (ours, mut theirs) = UnixStream::pair()?;
///     ours.set_nonblocking(true)?;
///     let ours = Watched::new(ours)?;
///     thread::spawn(move || theirs.write_all(b"hello"));
///     let mut bytes = [0; 5];
///     let count = ours.call(Interest::Read, |mut stream| stream.read(&mut bytes))?;
///     assert_eq!(bytes[..count], b"hello"[..count]);
///     std::io::Result::Ok(())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Watched<T: AsFd> {
    duplicate: Descriptor,
    inner: T,
}

impl<T: AsFd> Watched<T> {
    /// Takes a descriptor, or borrows one.
    ///
    /// # Errors
    ///
    /// If the process has no descriptors left.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{io, os::fd::Watched};
    /// let (reader, _writer) = io::pipe()?;
    /// let _watched = Watched::new(&reader)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(inner: T) -> io::Result<Self> {
        Ok(Self { duplicate: Descriptor::new(duplicate(inner.as_fd())?), inner })
    }

    /// Waits until the descriptor is ready, as [`wait`] does.
    ///
    /// # Errors
    ///
    /// Those of [`wait`].
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{io, os::fd::{Interest, Watched}, time::Instant};
    ///
    /// let (reader, _writer) = io::pipe()?;
    /// assert!(!Watched::new(reader)?.wait(Interest::Read, Some(Instant::now()))?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn wait(&self, interest: Interest, deadline: Option<Instant>) -> io::Result<bool> {
        self.duplicate.wait_until_ready(interest.into(), deadline.map(Into::into))
    }

    /// Makes a call that does not block, and repeats it when the descriptor is ready, until it
    /// returns something else than `WouldBlock`.
    ///
    /// # Errors
    ///
    /// Those of the call, and of [`wait`].
    ///
    /// # Examples
    ///
    /// See [`Watched`].
    pub fn call<R>(&self, interest: Interest, mut call: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        loop {
            match call(&self.inner) {
                Err(error) if error.kind() == WouldBlock => _ = self.wait(interest, None)?,
                result => return result,
            }
        }
    }

    /// What [`new`](Self::new) was given.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::fd::Watched;
    /// use std::net::UdpSocket;
    ///
    /// let watched = Watched::new(UdpSocket::bind("127.0.0.1:0")?)?;
    /// assert_ne!(watched.get_ref().local_addr()?.port(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn get_ref(&self) -> &T {
        &self.inner
    }

    /// As [`get_ref`](Self::get_ref). It must not be replaced by another descriptor, for which
    /// nobody would wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::fd::Watched;
    /// use std::{io::Write, os::unix::net::UnixStream};
    ///
    /// let mut watched = Watched::new(UnixStream::pair()?.0)?;
    /// assert!(watched.get_mut().write(b"to nobody").is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// Gives back what [`new`](Self::new) was given.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::os::fd::Watched;
    /// use std::net::UdpSocket;
    ///
    /// let watched = Watched::new(UdpSocket::bind("127.0.0.1:0")?)?;
    /// watched.into_inner().send_to(b"hello", "127.0.0.1:9")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_inner(self) -> T {
        self.inner
    }
}

impl<T: AsFd> AsFd for Watched<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

impl<T: AsFd> AsRawFd for Watched<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.inner.as_fd().as_raw_fd()
    }
}

impl<T: AsFd + fmt::Debug> fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("inner", &self.inner).finish_non_exhaustive()
    }
}
