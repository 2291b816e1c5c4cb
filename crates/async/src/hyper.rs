//! The traits of `hyper::rt`.
//!
//! *Read*: [`Polled::poll_read_uninit`](greenthread::net::Polled::poll_read_uninit) only writes to
//! its buffer, and what it returns is the beginning of it, and initialised.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use greenthread::net::Stream;
use hyper::rt::{Executor, Read, ReadBufCursor, Sleep as HyperSleep, Timer, Write};

use crate::{Async, Sleep, Threads};

/// Thirty years: as good as for ever, and an instant that every system can represent.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

impl<S: Stream> Read for Async<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        // SAFETY: *Read*: nothing in the buffer becomes uninitialised.
        let free = unsafe { buf.as_mut() };
        let count = ready!(self.0.poll_read_uninit(context, free))?.len();
        // SAFETY: *Read*: so many bytes at its beginning are initialised.
        unsafe { buf.advance(count) };
        Poll::Ready(Ok(()))
    }
}

impl<S: Stream> Write for Async<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write(context, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write_vectored(context, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.end_writing())
    }
}

impl<F> Executor<F> for Threads
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, future: F) {
        drop(self.spawn(future));
    }
}

impl HyperSleep for Sleep {}

impl Timer for Threads {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn HyperSleep>> {
        let now = self.now();
        Timer::sleep_until(self, now.checked_add(duration).unwrap_or(now + FAR))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn HyperSleep>> {
        Box::pin(Threads::sleep_until(self, deadline.into()))
    }

    fn now(&self) -> Instant {
        greenthread::time::Instant::now().into()
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn HyperSleep>>, deadline: Instant) {
        match sleep.as_mut().downcast_mut_pin::<Sleep>() {
            Some(sleep) => sleep.get_mut().reset(deadline.into()),
            None => *sleep = Timer::sleep_until(self, deadline),
        }
    }
}
