//! Bodies: one that is read, and one that is sent.

use std::{
    error::Error,
    fmt,
    io::{self, BufRead, BufWriter, Read, Write},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use greenthread::{
    block_on,
    channel::{self, Receiver, Sender},
    thread::{self, JoinHandle},
};
use http_body_util::BodyExt;
use hyper::body::{Body as HyperBody, Frame, Incoming, SizeHint};

/// A body that comes from the other side. Reading it waits for what has not come yet.
///
/// # Errors
///
/// Reading fails with [`InvalidData`](io::ErrorKind::InvalidData) if the body is not as its headers
/// say, with [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if the other side has ended too early,
/// with [`FileTooLarge`](io::ErrorKind::FileTooLarge) if it is longer than
/// [`max_body`](crate::Server::max_body), and with other errors if the connection has failed.
///
/// # Examples
///
/// See [the crate](crate).
pub struct Reader {
    body: Incoming,
    /// What has come and was not read.
    chunk: Bytes,
    /// How many bytes may come.
    left: u64,
}

impl Reader {
    pub(crate) fn new(body: Incoming, limit: u64) -> Self {
        Self { body, chunk: Bytes::new(), left: limit }
    }
}

impl BufRead for Reader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.chunk.is_empty() {
            match block_on(self.body.frame()) {
                Some(Ok(frame)) => {
                    let chunk = frame.into_data().unwrap_or_default();
                    self.left =
                        self.left.checked_sub(chunk.len() as u64).ok_or(io::ErrorKind::FileTooLarge)?;
                    self.chunk = chunk;
                }
                Some(Err(error)) => return Err(io::Error::new(kind(&error), error)),
                None => break,
            }
        }
        Ok(&self.chunk)
    }

    fn consume(&mut self, amount: usize) {
        _ = self.chunk.split_to(amount);
    }
}

/// What is wrong with a body.
fn kind(error: &hyper::Error) -> io::ErrorKind {
    match error.source().and_then(|source| source.downcast_ref::<io::Error>()).map(io::Error::kind) {
        Some(io::ErrorKind::InvalidInput) => io::ErrorKind::InvalidData,
        Some(kind) => kind,
        None => io::ErrorKind::Other,
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
    Pieces(Option<Next>, #[expect(dead_code, reason = "for its drop")] Writer),
}

/// The thread that writes a body. It is cancelled when the body is dropped.
struct Writer(JoinHandle<()>);

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Body {
    /// A body that `write` writes, on a green thread of its own, while it is sent. `write` waits
    /// when the other side reads more slowly. Its output is buffered; a flush sends it on.
    ///
    /// If `write` returns an error, panics or is cancelled, the body ends in a way that the other
    /// side notices. If the other side does not want the rest, the thread is
    /// [cancelled](greenthread::cancel), wherever it waits.
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
        let writer = thread::spawn(move || {
            let mut to = BufWriter::with_capacity(BUFFER, To(&sender));
            let end = write(&mut to).and_then(|()| to.flush()).map(|()| None);
            drop(to.into_parts());
            _ = sender.send(end);
        });
        Self(Kind::Pieces(Some(next(receiver)), Writer(writer)))
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
            Kind::Pieces(rest, _) => {
                let Some(future) = rest else { return Poll::Ready(None) };
                let (receiver, piece) = ready!(future.as_mut().poll(context));
                *rest = matches!(piece, Ok(Some(_))).then(|| next(receiver));
                Poll::Ready(piece.transpose().map(|piece| piece.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Whole(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Kind::Pieces(future, _) => future.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Kind::Pieces(..) => SizeHint::default(),
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
