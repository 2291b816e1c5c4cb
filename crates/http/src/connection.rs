//! A connection of a server.

use std::{
    convert::Infallible,
    error::Error,
    future::poll_fn,
    io::{self, IoSlice, Read as _, Write as _},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use greenthread::{
    block_on, cancel,
    channel::{Receiver, RecvError},
    net::{Shutdown, TcpStream},
};
use greenthread_async::{Async, Threads};
use hyper::{
    body::{Body, Incoming},
    rt::{Read, ReadBuf, ReadBufCursor, Write},
    server::conn::{http1, http2},
    service::Service,
};

use crate::{
    progress::{Limits, Progress},
    rules::Checked,
};

/// What a client of HTTP/2 sends first.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Serves a connection, until the other side closes it, a limit is over, or `ends` is closed.
pub(crate) fn serve<S, B>(stream: TcpStream, service: S, limits: &Limits, ends: &Receiver<Infallible>)
where
    S: Service<hyper::Request<Incoming>, Response = hyper::Response<B>> + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    _ = stream.set_nodelay(true);
    let stream = Arc::new(stream);
    let progress = Arc::new(Progress::new());
    let mut end = ends.recv_async();
    let mut connection =
        Connection { progress: progress.clone(), limits, end: Some(&mut end), is_over: false };
    let mut io = Io { stream: Async::new(stream.clone()), first: Bytes::new(), progress: progress.clone() };
    match connection.greet(&mut io) {
        Some(true) => {
            let mut builder = http2::Builder::new(Threads);
            builder.max_header_list_size(u32::try_from(limits.max_header).unwrap_or(u32::MAX));
            let served = builder.serve_connection(io, Checked::new(service, progress.clone()));
            connection.run(pin!(served), http2::Connection::graceful_shutdown);
        }
        Some(false) => {
            let mut builder = http1::Builder::new();
            builder.header_read_timeout(None).max_header_size(limits.max_header);
            let served = builder.serve_connection(io, Checked::new(service, progress.clone()));
            connection.run(pin!(served), http1::Connection::graceful_shutdown);
            if connection.is_over && progress.has_part() {
                _ = cancel::timeout(LINGER, || (&*stream).write_all(TOO_LATE));
            }
        }
        None => {}
    }
    linger(&stream);
}

/// The answer to a head that does not come to its end.
const TOO_LATE: &[u8] = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// The most time that a client has to read the last answer. With more, clients that don't close
/// their end keep more connections open; with less, a slow client may miss that answer.
const LINGER: Duration = Duration::from_secs(1);

/// Ends a connection so that the last answer arrives. To close a socket with unread input resets
/// the connection, and the client may never see the answer.
fn linger(mut stream: &TcpStream) {
    _ = stream.shutdown(Shutdown::Write);
    let mut rest = [0; 4096];
    let mut more = || stream.read(&mut rest).is_ok_and(|count| count > 0);
    _ = cancel::timeout(LINGER, || (0..64).all(|_| more()));
}

/// Ready when the server ends.
type End<'a> = &'a mut (dyn Future<Output = Result<Infallible, RecvError>> + Unpin);

struct Connection<'a> {
    progress: Arc<Progress>,
    limits: &'a Limits,
    /// `None` when the server has ended.
    end: Option<End<'a>>,
    /// A limit is over.
    is_over: bool,
}

impl Connection<'_> {
    /// Reads as much as says whether the client speaks HTTP/2. `None` if the connection is to end.
    fn greet(&mut self, io: &mut Io) -> Option<bool> {
        let mut all = Vec::new();
        loop {
            let (is_preface, length) = (all.starts_with(PREFACE), all.len());
            if is_preface || !PREFACE.starts_with(&all) {
                io.first = all.into();
                return Some(is_preface);
            }
            all.resize(length + 1024, 0);
            let mut buf = ReadBuf::new(&mut all[length..]);
            self.wait(|context, ends| match ends {
                true => Poll::Ready(Err(io::ErrorKind::Interrupted.into())),
                false => Pin::new(&mut *io).poll_read(context, buf.unfilled()),
            })?
            .ok()?;
            let count = buf.filled().len();
            if count == 0 {
                return None;
            }
            all.truncate(length + count);
        }
    }

    /// Runs a connection of hyper's to its end.
    fn run<C>(&mut self, mut connection: Pin<&mut C>, shutdown: fn(Pin<&mut C>))
    where
        C: Future<Output = hyper::Result<()>>,
    {
        // What is wrong with a connection, its client has to know.
        _ = self.wait(|context, ends| {
            if ends {
                shutdown(connection.as_mut());
            }
            connection.as_mut().poll(context)
        });
    }

    /// Polls until that is ready, or a limit is over: then `None`. `poll` is told once that the
    /// server ends.
    fn wait<T>(&mut self, mut poll: impl FnMut(&mut Context<'_>, bool) -> Poll<T>) -> Option<T> {
        loop {
            let Some(deadline) = self.progress.deadline(self.limits) else {
                self.is_over = true;
                return None;
            };
            let polled = cancel::deadline(deadline, || {
                block_on(poll_fn(|context| {
                    let ends = self.end.as_mut().is_some_and(|end| Pin::new(end).poll(context).is_ready());
                    if ends {
                        self.end = None;
                    }
                    // A deadline at which nothing is over must not make a call of hyper's fail.
                    cancel::shield(|| poll(context, ends))
                }))
            });
            if let Ok(value) = polled {
                return Some(value);
            }
        }
    }
}

/// A stream that reports its progress.
struct Io {
    stream: Async<Arc<TcpStream>>,
    /// What was read before hyper reads.
    first: Bytes,
    progress: Arc<Progress>,
}

impl Io {
    fn wrote(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.progress.has_written(written.is_pending());
        written
    }
}

impl Read for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.first.is_empty() {
            ready!(Pin::new(&mut self.stream).poll_read(context, buf))?;
            self.progress.has_read();
        } else {
            let count = buf.remaining().min(self.first.len());
            buf.put_slice(&self.first.split_to(count));
        }
        Poll::Ready(Ok(()))
    }
}

impl Write for Io {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
