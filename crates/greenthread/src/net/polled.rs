//! Streams of which a task reads and to which it writes.
//!
//! *Received*: as many bytes as a call of `sys::socket` says that it has received, it has written
//! to the beginning of the buffer.

use std::{
    fmt,
    io::{self, IoSlice},
    mem::MaybeUninit,
    net::Shutdown,
    sync::Arc,
    task::{Context, Poll, ready},
};

use super::socket::Socket;
use crate::{
    descriptor::{plain::MAX_BUFFERS, polled::PollWait},
    driver::{CallResult, Interest},
    sys::{
        error::OsResult,
        socket::{self, Blocking},
    },
};

/// A stream that a task of some executor reads from and writes to, by polling: what adapters to the
/// traits of async crates are made of. The crate `greenthread-async` has some.
///
/// On a green thread, inside [`block_on`](crate::block_on), a task that waits is registered with
/// the worker, and costs no thread. A task of another executor can be used as well; while it waits,
/// a green thread waits in its place.
///
/// One task at a time waits for reading, and one for writing: those that have polled last. The
/// stream's mode and its timeouts have no effect here.
///
/// # Examples
///
/// ```
/// use greenthread::{block_on, net::{Polled, TcpListener, TcpStream}, thread};
/// use std::{future::poll_fn, io::Write};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let address = listener.local_addr()?;
/// let server = thread::spawn(move || listener.accept()?.0.write_all(b"hello"));
///
/// let mut stream = Polled::new(TcpStream::connect(address)?);
/// let mut bytes = [0; 5];
/// let count = block_on(poll_fn(|context| stream.poll_read(context, &mut bytes)))?;
/// assert_eq!(bytes[..count], b"hello"[..count]);
/// server.join().unwrap()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Polled<S> {
    // Dropped before the stream.
    reading: PollWait,
    writing: PollWait,
    stream: S,
}

/// The streams that can be polled.
pub trait Stream: sealed::Stream {}

pub(crate) mod sealed {
    use super::Socket;

    pub trait Stream {
        #[doc(hidden)]
        #[allow(private_interfaces, reason = "nobody else can call it")]
        fn socket(&self) -> &Socket;
    }
}

/// Makes a type that has a socket inside a stream that can be polled.
macro_rules! polled {
    ($type:ty) => {
        impl $crate::net::Stream for $type {}
        impl $crate::net::polled::sealed::Stream for $type {
            #[allow(private_interfaces, reason = "nobody else can call it")]
            fn socket(&self) -> &$crate::net::socket::Socket {
                &self.0
            }
        }
    };
}
pub(crate) use polled;

/// A stream that others use as well.
impl<S: Stream> Stream for Arc<S> {}

impl<S: Stream> sealed::Stream for Arc<S> {
    #[allow(private_interfaces, reason = "nobody else can call it")]
    fn socket(&self) -> &Socket {
        (**self).socket()
    }
}

impl<S: Stream> Polled<S> {
    /// Takes a stream.
    ///
    /// # Examples
    ///
    /// See [`Polled`].
    pub fn new(stream: S) -> Self {
        Self { reading: PollWait::default(), writing: PollWait::default(), stream }
    }

    /// The stream.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{Polled, TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let stream = Polled::new(TcpStream::connect(listener.local_addr()?)?);
    /// stream.get_ref().set_nodelay(true)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// Gives the stream back. Tasks that wait are not woken any more.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{Polled, TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let stream = Polled::new(TcpStream::connect(listener.local_addr()?)?);
    /// stream.into_inner().set_nodelay(true)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_inner(self) -> S {
        self.stream
    }

    /// Reads what is there, or waits until there is something. Never blocks. `Ok(0)` is the end of
    /// the stream, or says that the buffer is empty.
    ///
    /// # Errors
    ///
    /// Those of the system, and of a descriptor that can't be waited for.
    ///
    /// # Examples
    ///
    /// See [`Polled`].
    pub fn poll_read(&mut self, context: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let (socket, capacity) = (self.stream.socket(), buf.len());
        let receive = || socket::receive(socket, buf, false, Blocking::Never);
        socket.poll_receive(&mut self.reading, context, capacity, receive)
    }

    /// As [`poll_read`](Self::poll_read), into memory that need not be initialised. Returns the
    /// part of it that was read into. Buffers that grow with the stream have much room at their
    /// end; to fill it with zeros for each read would take longer than to read.
    ///
    /// # Errors
    ///
    /// Those of [`poll_read`](Self::poll_read).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{block_on, net::{Polled, TcpListener, TcpStream}};
    /// use std::{future::poll_fn, io::Write};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let mut stream = Polled::new(TcpStream::connect(listener.local_addr()?)?);
    /// listener.accept()?.0.write_all(b"hello")?;
    ///
    /// let mut bytes = Vec::with_capacity(4096);
    /// let text = block_on(poll_fn(|context| {
    ///     let read = stream.poll_read_uninit(context, bytes.spare_capacity_mut());
    ///     read.map_ok(|read| read.to_vec())
    /// }))?;
    /// assert_eq!(text, b"hello");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_read_uninit<'buf>(
        &mut self,
        context: &mut Context<'_>,
        buf: &'buf mut [MaybeUninit<u8>],
    ) -> Poll<io::Result<&'buf mut [u8]>> {
        let (socket, capacity) = (self.stream.socket(), buf.len());
        let receive = || socket::receive_uninit(socket, buf, Blocking::Never);
        let count = ready!(socket.poll_receive(&mut self.reading, context, capacity, receive))?;
        // SAFETY: *Received*.
        Poll::Ready(Ok(unsafe { buf[..count].assume_init_mut() }))
    }

    /// Writes as much as there is room for, or waits until there is some. Never blocks.
    ///
    /// # Errors
    ///
    /// Those of the system, and of a descriptor that can't be waited for.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{block_on, net::{Polled, TcpListener, TcpStream}};
    /// use std::future::poll_fn;
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let mut stream = Polled::new(TcpStream::connect(listener.local_addr()?)?);
    /// assert_eq!(block_on(poll_fn(|context| stream.poll_write(context, b"hello")))?, 5);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_write(&mut self, context: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.stream.socket().poll_write(&mut self.writing, context, buf)
    }

    /// As [`poll_write`](Self::poll_write), from several buffers.
    ///
    /// # Errors
    ///
    /// Those of [`poll_write`](Self::poll_write).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{block_on, net::{Polled, TcpListener, TcpStream}};
    /// use std::{future::poll_fn, io::IoSlice};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let mut stream = Polled::new(TcpStream::connect(listener.local_addr()?)?);
    /// let words = [IoSlice::new(b"green"), IoSlice::new(b"thread")];
    /// let count = block_on(poll_fn(|context| stream.poll_write_vectored(context, &words)))?;
    /// assert_eq!(count, 11);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_write_vectored(
        &mut self,
        context: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.socket().poll_write_vectored(&mut self.writing, context, bufs)
    }

    /// Ends writing: the peer reads what was written, and then the end. Never blocks.
    ///
    /// # Errors
    ///
    /// Those of the system. That the connection has gone already is none.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::net::{Polled, TcpListener, TcpStream};
    /// use std::io::Read;
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let mut stream = Polled::new(TcpStream::connect(listener.local_addr()?)?);
    /// stream.end_writing()?;
    /// assert_eq!(listener.accept()?.0.read(&mut [0])?, 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn end_writing(&mut self) -> io::Result<()> {
        match self.stream.socket().shutdown(Shutdown::Write) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            result => result,
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Polled<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Polled").field("stream", &self.stream).finish_non_exhaustive()
    }
}

impl Socket {
    fn poll_receive(
        &self,
        wait: &mut PollWait,
        context: &mut Context<'_>,
        capacity: usize,
        mut receive: impl FnMut() -> OsResult<usize>,
    ) -> Poll<io::Result<usize>> {
        let count = ready!(self.descriptor().poll_attempt(wait, Interest::Read, context, || {
            let count = receive()?;
            let is_short = 0 < count && count < capacity;
            Ok((count, if is_short { self.short_result() } else { CallResult::Full }))
        }))?;
        if count == 0
            && capacity != 0
            && let Some(error) = self.take_saved_error()
        {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(count))
    }

    fn poll_write(
        &self,
        wait: &mut PollWait,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(wait, context, bytes.len(), || socket::send(self, bytes, Blocking::Never))
    }

    fn poll_write_vectored(
        &self,
        wait: &mut PollWait,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let buffers = &buffers[..buffers.len().min(MAX_BUFFERS)];
        let all = buffers.iter().map(|buffer| buffer.len()).sum();
        self.poll_send(wait, context, all, || socket::send_vectored(self, buffers, Blocking::Never))
    }

    fn poll_send(
        &self,
        wait: &mut PollWait,
        context: &mut Context<'_>,
        all: usize,
        mut send: impl FnMut() -> OsResult<usize>,
    ) -> Poll<io::Result<usize>> {
        let sent = ready!(self.descriptor().poll_attempt(wait, Interest::Write, context, || {
            let count = send()?;
            Ok((count, if count < all { self.short_result() } else { CallResult::Full }))
        }));
        Poll::Ready(self.or_saved_error(sent))
    }
}
