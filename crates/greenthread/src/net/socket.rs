//! A socket whose calls block the calling thread, green or OS, and never the worker.
//!
//! On a green thread a call is made first, with `MSG_DONTWAIT`, so that the descriptor's own flags stay as
//! the user set them; only if it would block, or is known to, the thread waits in its worker's driver. Off
//! the runtime, and inside `without_yield`, the kernel blocks the OS thread, and looks after timeouts
//! itself.
//!
//! What the user set (timeouts, non-blocking mode) the kernel knows, and we as well: to ask it at each wait
//! would cost three system calls.

use std::{
    io::{self, IoSlice, IoSliceMut},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use rustix::{
    io::{Errno, ioctl_fionbio},
    net::{
        self, RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendFlags,
        sockopt::{self, Timeout},
    },
};

use crate::{
    driver::{Driver, Interest, PollDriver, Shown, Source},
    runtime,
    sys::poller::poll_one,
    task::{local, wait::Outcome},
};

/// How many buffers one call takes on Linux.
const MAX_BUFFERS: usize = 1024;

/// See the module.
#[derive(Debug)]
pub(crate) struct Socket {
    source: Source,
    /// An error that ended a write which had sent something already, and so returned how much: the kernel
    /// has forgotten it, and the next call shall find it.
    error: AtomicI32,
    /// None as long as all is at its defaults and there is no clone.
    settings: OnceLock<Arc<Settings>>,
}

/// What the user set. Clones share it, as they share the socket.
#[derive(Debug, Default)]
struct Settings {
    nonblocking: AtomicBool,
    /// Nanoseconds; 0 is none.
    read: AtomicU64,
    write: AtomicU64,
}

impl Settings {
    fn timeout(&self, interest: Interest) -> &AtomicU64 {
        match interest {
            Interest::Read => &self.read,
            Interest::Write => &self.write,
        }
    }
}

impl Socket {
    /// One of our own making, with all at its defaults.
    pub(crate) fn new(descriptor: OwnedFd) -> Self {
        Self { source: Source::new(descriptor), error: AtomicI32::new(0), settings: OnceLock::new() }
    }

    /// One that comes from elsewhere, as it is.
    pub(crate) fn adopt(descriptor: OwnedFd) -> Self {
        let socket = Self::new(descriptor);
        socket.remember_nonblocking(socket2::SockRef::from(&socket).nonblocking().unwrap_or(false));
        for interest in [Interest::Read, Interest::Write] {
            if let Ok(timeout @ Some(_)) = socket.timeout(interest) {
                socket.remember_timeout(interest, timeout);
            }
        }
        socket
    }

    pub(crate) fn into_descriptor(self) -> OwnedFd {
        self.source.into_descriptor()
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        let clone = Self::new(self.as_fd().try_clone_to_owned()?);
        clone.settings.get_or_init(|| self.settings().clone());
        Ok(clone)
    }

    /// Whether there are clones that were made by `try_clone`.
    pub(crate) fn is_shared(&self) -> bool {
        self.settings.get().is_some_and(|settings| Arc::strong_count(settings) > 1)
    }

    fn settings(&self) -> &Arc<Settings> {
        self.settings.get_or_init(Arc::default)
    }

    /// Remembers the mode without telling the kernel.
    pub(crate) fn remember_nonblocking(&self, nonblocking: bool) {
        if nonblocking || self.settings.get().is_some() {
            self.settings().nonblocking.store(nonblocking, Relaxed);
        }
    }

    pub(crate) fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        ioctl_fionbio(self, nonblocking)?;
        self.remember_nonblocking(nonblocking);
        Ok(())
    }

    pub(crate) fn is_nonblocking(&self) -> bool {
        self.settings.get().is_some_and(|settings| settings.nonblocking.load(Relaxed))
    }

    pub(crate) fn set_timeout(&self, interest: Interest, timeout: Option<Duration>) -> io::Result<()> {
        if timeout == Some(Duration::ZERO) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "cannot set a 0 duration timeout"));
        }
        sockopt::set_socket_timeout(self, option(interest), timeout)?;
        self.remember_timeout(interest, timeout);
        Ok(())
    }

    fn remember_timeout(&self, interest: Interest, timeout: Option<Duration>) {
        if timeout.is_some() || self.settings.get().is_some() {
            let nanos = timeout.map_or(0, |timeout| timeout.as_nanos().try_into().unwrap_or(u64::MAX));
            self.settings().timeout(interest).store(nanos, Relaxed);
        }
    }

    pub(crate) fn timeout(&self, interest: Interest) -> io::Result<Option<Duration>> {
        Ok(sockopt::socket_timeout(self, option(interest))?)
    }

    /// Until when a call that begins now may wait.
    fn deadline(&self, interest: Interest) -> Option<Instant> {
        match self.settings.get()?.timeout(interest).load(Relaxed) {
            0 => None,
            nanos => Instant::now().checked_add(Duration::from_nanos(nanos)),
        }
    }

    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        match sockopt::socket_error(self)? {
            Err(error) => Ok(Some(error.into())),
            Ok(()) => Ok(self.kept_error()),
        }
    }

    /// An error that the kernel has given us, and nobody else yet.
    #[cold]
    fn kept_error(&self) -> Option<io::Error> {
        match self.error.swap(0, Relaxed) {
            0 => None,
            number => Some(io::Error::from_raw_os_error(number)),
        }
    }

    /// Makes a call on behalf of a green thread, until it does not block: the one loop behind all of them.
    fn attempt<T>(
        &self,
        driver: &PollDriver,
        interest: Interest,
        deadline: Option<Instant>,
        mut call: impl FnMut() -> rustix::io::Result<(T, Shown)>,
    ) -> io::Result<T> {
        if driver.is_due()
            && let Some((local, task)) = local::current()
        {
            local.yield_now(task);
        }
        let nonblocking = self.is_nonblocking();
        let mut blocked = !nonblocking && driver.is_blocked(&self.source, interest);
        loop {
            if blocked && driver.wait_ready(&self.source, interest, deadline)? == Outcome::TimedOut {
                return Err(Errno::AGAIN.into());
            }
            match call() {
                Ok((value, shown)) => {
                    driver.note(&self.source, interest, shown);
                    return Ok(value);
                }
                Err(Errno::AGAIN) => {
                    driver.note(&self.source, interest, Shown::Blocked);
                    if nonblocking {
                        return Err(Errno::AGAIN.into());
                    }
                    blocked = true;
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Receives: `call` does, with the given flags, into room for `room` bytes.
    fn receive(
        &self,
        room: usize,
        flags: RecvFlags,
        mut call: impl FnMut(RecvFlags) -> rustix::io::Result<usize>,
    ) -> io::Result<usize> {
        let count = match runtime::driver() {
            None => call(flags)?,
            Some(driver) => self.attempt(driver, Interest::Read, self.deadline(Interest::Read), || {
                let count = call(flags | RecvFlags::DONTWAIT)?;
                // What was only peeked at is still there.
                let short = 0 < count && count < room && !flags.contains(RecvFlags::PEEK);
                Ok((count, if short { Shown::Short } else { Shown::Full }))
            })?,
        };
        if count == 0
            && room != 0
            && let Some(error) = self.kept_error()
        {
            return Err(error);
        }
        Ok(count)
    }

    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.receive(buffer.len(), RecvFlags::empty(), |flags| Ok(net::recv(self, &mut *buffer, flags)?.1))
    }

    pub(crate) fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.receive(buffer.len(), RecvFlags::PEEK, |flags| Ok(net::recv(self, &mut *buffer, flags)?.1))
    }

    pub(crate) fn read_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let most = buffers.len().min(MAX_BUFFERS);
        let buffers = &mut buffers[..most];
        let room = buffers.iter().map(|buffer| buffer.len()).sum();
        self.receive(room, RecvFlags::empty(), |flags| {
            Ok(net::recvmsg(self, buffers, &mut RecvAncillaryBuffer::default(), flags)?.bytes)
        })
    }

    /// Sends: `call` does, with the given flags, out of `all` bytes; `rest` gives what it left over.
    ///
    /// A blocking `send` comes back when the kernel has taken all, and so do we. If something goes wrong in
    /// between it tells how much it has taken, and the next call tells what went wrong.
    fn transmit<'a, R: IntoIterator<Item = &'a [u8]>>(
        &self,
        all: usize,
        mut call: impl FnMut(SendFlags) -> rustix::io::Result<usize>,
        rest: impl FnOnce(usize) -> R,
    ) -> io::Result<usize> {
        let Some(driver) = runtime::driver() else {
            return self.sent(call(SendFlags::NOSIGNAL).map_err(io::Error::from));
        };
        let deadline = self.deadline(Interest::Write);
        let send = |all: usize, call: &mut dyn FnMut(SendFlags) -> rustix::io::Result<usize>| {
            self.attempt(driver, Interest::Write, deadline, || {
                let count = call(SendFlags::NOSIGNAL | SendFlags::DONTWAIT)?;
                Ok((count, if count < all { Shown::Short } else { Shown::Full }))
            })
        };
        let mut done = self.sent(send(all, &mut call))?;
        if done == all || self.is_nonblocking() {
            return Ok(done);
        }
        for mut bytes in rest(done) {
            while !bytes.is_empty() {
                match send(bytes.len(), &mut |flags| net::send(self, bytes, flags)) {
                    Ok(count) => {
                        done += count;
                        bytes = &bytes[count..];
                    }
                    Err(error) => {
                        self.keep(&error);
                        return Ok(done);
                    }
                }
            }
        }
        Ok(done)
    }

    /// Keeps what the kernel will not say again.
    fn keep(&self, error: &io::Error) {
        let number = error.raw_os_error().unwrap_or(0);
        if ![0, Errno::AGAIN.raw_os_error(), Errno::PIPE.raw_os_error()].contains(&number) {
            self.error.store(number, Relaxed);
        }
    }

    /// Of a broken pipe there may be more to tell.
    fn sent(&self, result: io::Result<usize>) -> io::Result<usize> {
        result.map_err(|error| match error.raw_os_error() {
            Some(number) if number == Errno::PIPE.raw_os_error() => self.kept_error().unwrap_or(error),
            _ => error,
        })
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.transmit(bytes.len(), |flags| net::send(self, bytes, flags), |done| [&bytes[done..]])
    }

    pub(crate) fn write_vectored(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let buffers = &buffers[..buffers.len().min(MAX_BUFFERS)];
        self.transmit(
            buffers.iter().map(|buffer| buffer.len()).sum(),
            |flags| net::sendmsg(self, buffers, &mut SendAncillaryBuffer::default(), flags),
            |mut done| {
                buffers.iter().map(move |buffer| {
                    let skip = done.min(buffer.len());
                    done -= skip;
                    &buffer[skip..]
                })
            },
        )
    }

    /// Makes a call that has no flag of its own for it, on a descriptor that is in non-blocking mode, from
    /// any thread. Past the deadline it gives `WouldBlock`.
    pub(crate) fn attempt_anywhere<T>(
        &self,
        interest: Interest,
        deadline: Option<Instant>,
        mut call: impl FnMut() -> rustix::io::Result<T>,
    ) -> io::Result<T> {
        if let Some(driver) = runtime::driver() {
            return self.attempt(driver, interest, deadline, || Ok((call()?, Shown::Full)));
        }
        loop {
            match call() {
                Ok(value) => return Ok(value),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if !self.is_nonblocking() => {
                    poll_one(self.as_fd(), interest, deadline).map_err(|error| match error.kind() {
                        io::ErrorKind::TimedOut => Errno::AGAIN.into(),
                        _ => error,
                    })?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn option(interest: Interest) -> Timeout {
    match interest {
        Interest::Read => Timeout::Recv,
        Interest::Write => Timeout::Send,
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.source.as_fd()
    }
}
