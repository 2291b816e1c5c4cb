//! The stream that has the traits.

use greenthread::net::{Polled, Stream};

/// A stream of [`greenthread`], with the traits that the crate's features name. It may be used in a
/// task of any executor; see [`Polled`].
///
/// # Examples
///
/// ```
/// use greenthread::net::{TcpListener, TcpStream};
/// use greenthread_async::Async;
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let stream = Async::new(TcpStream::connect(listener.local_addr()?)?);
/// stream.get_ref().set_nodelay(true)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Async<S>(pub(crate) Polled<S>);

// Nothing is pinned in it.
impl<S> Unpin for Async<S> {}

impl<S: Stream> Async<S> {
    /// Takes a stream.
    ///
    /// # Examples
    ///
    /// See [`Async`].
    pub fn new(stream: S) -> Self {
        Self(Polled::new(stream))
    }

    /// The stream.
    ///
    /// # Examples
    ///
    /// See [`Async`].
    pub fn get_ref(&self) -> &S {
        self.0.get_ref()
    }

    /// Gives the stream back.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{TcpListener, TcpStream};
    /// use greenthread_async::Async;
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let stream = Async::new(TcpStream::connect(listener.local_addr()?)?);
    /// stream.into_inner().set_nodelay(true)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_inner(self) -> S {
        self.0.into_inner()
    }
}
