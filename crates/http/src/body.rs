//! Bodies: one that is read, and one that is sent.

use std::{
    fmt,
    io::{self, BufRead, BufWriter, Read, Write},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use greenthread::{
    block_on,
    channel::{self, Receiver, Sender},
    thread,
};
use http_body_util::BodyExt;
use hyper::body::{Body as HyperBody, Frame, Incoming, SizeHint};

/// A body that comes from the other side. Reading it waits for what has not come yet.
///
/// # Errors
///
/// Reading fails if the connection has failed, or if the body is not as its headers say.
///
/// # Examples
///
/// See [the crate](crate).
pub struct Reader {
    body: Incoming,
    /// What has come and was not read.
    chunk: Bytes,
}

impl Reader {
    pub(crate) fn new(body: Incoming) -> Self {
        Self { body, chunk: Bytes::new() }
    }
}

impl BufRead for Reader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.chunk.is_empty() {
            match block_on(self.body.frame()) {
                Some(Ok(frame)) => self.chunk = frame.into_data().unwrap_or_default(),
                Some(Err(error)) => return Err(io::Error::other(error)),
                None => break,
            }
        }
        Ok(&self.chunk)
    }

    fn consume(&mut self, amount: usize) {
        _ = self.chunk.split_to(amount);
    }
}

impl Read for Reader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buf)?;
        self.consume(count);
        Ok(count)
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

/// A piece of a body, or its end.
type Piece = io::Result<Option<Bytes>>;

/// What comes next, and the receiver of the rest.
type Next = Pin<Box<dyn Future<Output = (Receiver<Piece>, Piece)> + Send>>;

/// A body that is sent. It is made from bytes or text, or is [written](Body::write) bit by bit.
///
/// # Examples
///
/// ```
/// use greenthread_http::{Body, Response};
///
/// let hello = Response::<Body>::new("hello".into());
/// let nothing = Response::<Body>::new(().into());
/// ```
pub struct Body(Kind);

enum Kind {
    Whole(Option<Bytes>),
    Pieces(Option<Next>),
}

impl Body {
    /// A body that `write` writes, on a green thread of its own, while it is sent. `write` waits
    /// when the other side reads more slowly. Its output is buffered; a flush sends it on.
    ///
    /// If `write` returns an error, panics or is cancelled, the body ends in a way that the other
    /// side notices. If the other side does not want the rest, writing fails with `BrokenPipe`.
    ///
    /// # Panics
    ///
    /// Panics if the thread can't be spawned.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread_http::{Body, Response};
    /// use std::io::Write;
    ///
    /// let lines = Body::write(|to| (0..1_000_000).try_for_each(|n| writeln!(to, "{n}")));
    /// let response = Response::new(lines);
    /// ```
    #[track_caller]
    pub fn write(write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static) -> Self {
        let (sender, receiver) = channel::bounded(1);
        thread::spawn(move || {
            let mut to = BufWriter::with_capacity(BUFFER, To(&sender));
            let end = write(&mut to).and_then(|()| to.flush()).map(|()| None);
            drop(to.into_parts());
            _ = sender.send(end);
        });
        Self(Kind::Pieces(Some(next(receiver))))
    }
}

/// How many bytes of a body are collected before they are sent. With more, the first ones come
/// later; with fewer, there are more chunks.
const BUFFER: usize = 16 * 1024;

/// The end of a body to which its thread writes.
struct To<'a>(&'a Sender<Piece>);

impl Write for To<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let piece = Bytes::copy_from_slice(buf);
        self.0.send(Ok(Some(piece))).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn next(receiver: Receiver<Piece>) -> Next {
    Box::pin(async move {
        // Without an end the thread has panicked or was cancelled.
        let piece = receiver.recv_async().await;
        (receiver, piece.unwrap_or_else(|_| Err(io::ErrorKind::UnexpectedEof.into())))
    })
}

impl HyperBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut self.0 {
            Kind::Whole(bytes) => {
                let bytes = bytes.take().filter(|bytes| !bytes.is_empty());
                Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
            }
            Kind::Pieces(None) => Poll::Ready(None),
            Kind::Pieces(Some(future)) => {
                let (receiver, piece) = ready!(future.as_mut().poll(context));
                self.0 = Kind::Pieces(matches!(piece, Ok(Some(_))).then(|| next(receiver)));
                Poll::Ready(piece.transpose().map(|piece| piece.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Whole(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Kind::Pieces(future) => future.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Kind::Pieces(_) => SizeHint::default(),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Kind::Whole(Some(bytes)))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from(text).into()
    }
}

impl From<()> for Body {
    /// No body.
    fn from((): ()) -> Self {
        Self(Kind::Whole(None))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").finish_non_exhaustive()
    }
}
