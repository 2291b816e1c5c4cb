//! A socket: a descriptor with what only sockets have, timeouts, receiving and sending.
//!
//! [`Blocking::Never`] asks one call not to block; everything else about waiting is the
//! descriptor's (`descriptor`).

use std::{
    io::{self, IoSlice, IoSliceMut},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::atomic::{AtomicI32, Ordering::Relaxed},
    time::{Duration, Instant},
};

use crate::{
    descriptor::{Descriptor, plain::MAX_BUFFERS},
    driver::{CallResult, Driver, Interest},
    runtime,
    sys::{
        error::{OsError, OsResult},
        io::{ensure_nonblocking, is_nonblocking, set_nonblocking},
        poller::look_one,
        socket::{self, Address, AnyAddress, Blocking, Family, Type, UnixAddress},
    },
};

/// See the module.
#[derive(Debug)]
pub(crate) struct Socket {
    descriptor: Descriptor,
    /// Whether a count that comes short says that the kernel has no more. So it is with TCP; a
    /// datagram is what it is, and a Unix stream stops at what carries descriptors.
    short_tells: bool,
    /// An error that ended a write which had sent something already, and so returned how much: the
    /// kernel has forgotten it, and the next call shall find it.
    error: AtomicI32,
}

impl Socket {
    fn with(descriptor: Descriptor, short_tells: bool) -> Self {
        Self { descriptor, short_tells, error: AtomicI32::new(0) }
    }

    /// One of our own making, with all at its defaults.
    pub(crate) fn new(descriptor: OwnedFd) -> Self {
        Self::with(Descriptor::new(descriptor), false)
    }

    /// One that comes from elsewhere, as it is.
    pub(crate) fn adopt(descriptor: OwnedFd) -> Self {
        Self::with(Descriptor::adopt(descriptor), false)
    }

    /// The same, of TCP.
    pub(crate) fn tcp(self) -> Self {
        Self { short_tells: true, ..self }
    }

    /// The same, of a Unix socket.
    pub(crate) fn unix(self) -> Self {
        Self { descriptor: self.descriptor.unix(), ..self }
    }

    /// One that listens, of our own making, in the kernel's non-blocking mode.
    pub(crate) fn listener(descriptor: OwnedFd) -> Self {
        Self::with(Descriptor::new(descriptor).listening(), false)
    }

    /// One that listens, and comes from elsewhere.
    pub(crate) fn adopt_listener(descriptor: OwnedFd) -> Self {
        let nonblocking = is_nonblocking(&descriptor);
        let descriptor = Descriptor::adopt(descriptor).listening();
        descriptor.remember_nonblocking(nonblocking);
        Self::with(descriptor, false)
    }

    /// The user's view of it.
    pub(crate) fn expose(&self) -> BorrowedFd<'_> {
        self.descriptor.expose()
    }

    pub(crate) fn into_descriptor(self) -> OwnedFd {
        self.descriptor.into_owned()
    }

    /// For one that listens. The descriptor is in the mode that was set, unless there are clones,
    /// which need it non-blocking.
    pub(crate) fn into_listening_descriptor(self) -> OwnedFd {
        let blocking = !self.descriptor.is_nonblocking() && !self.descriptor.is_shared();
        let descriptor = self.into_descriptor();
        if blocking {
            let _ = set_nonblocking(&descriptor, false);
        }
        descriptor
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self::with(self.descriptor.try_clone()?, self.short_tells))
    }

    pub(crate) fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.descriptor.set_nonblocking(nonblocking)
    }

    /// For one that listens: the kernel's mode stays as it is.
    pub(crate) fn set_accept_nonblocking(&self, nonblocking: bool) {
        self.descriptor.remember_nonblocking(nonblocking);
    }

    pub(crate) fn set_timeout(&self, interest: Interest, timeout: Option<Duration>) -> io::Result<()> {
        if timeout == Some(Duration::ZERO) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "cannot set a 0 duration timeout"));
        }
        socket::set_timeout(self, interest, timeout)?;
        self.descriptor.remember_timeout(interest, timeout);
        Ok(())
    }

    pub(crate) fn timeout(&self, interest: Interest) -> io::Result<Option<Duration>> {
        Ok(socket::timeout(self, interest)?)
    }

    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        match socket::take_error(self)? {
            Some(error) => Ok(Some(error.into())),
            None => Ok(self.kept_error()),
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

    /// Receives, or peeks: `call` does, into room for `room` bytes.
    fn receive<T: Default>(
        &self,
        room: usize,
        peek: bool,
        mut call: impl FnMut(Blocking) -> OsResult<(usize, T)>,
    ) -> io::Result<(usize, T)> {
        let (count, value) = match runtime::driver() {
            None => call(Blocking::AsSet)?,
            Some(driver) => {
                let deadline = self.descriptor.deadline(Interest::Read);
                let mut again = false;
                self.descriptor.attempt(driver, Interest::Read, deadline, || {
                    let (count, value) = match call(Blocking::Never) {
                        Err(OsError::WOULD_BLOCK)
                            if !self.short_tells && self.descriptor.has_ended(&mut again) =>
                        {
                            (0, T::default())
                        }
                        result => result?,
                    };
                    // What was only peeked at is still there.
                    let short = 0 < count && count < room && !peek;
                    let shown = if short { self.short() } else { CallResult::Full };
                    Ok(((count, value), shown))
                })?
            }
        };
        if count == 0
            && room != 0
            && let Some(error) = self.kept_error()
        {
            return Err(error);
        }
        Ok((count, value))
    }

    fn receive_plain(&self, buffer: &mut [u8], peek: bool) -> io::Result<usize> {
        let room = buffer.len();
        let call = |blocking| Ok((socket::receive(self, buffer, peek, blocking)?, ()));
        Ok(self.receive(room, peek, call)?.0)
    }

    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.receive_plain(buffer, false)
    }

    pub(crate) fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.receive_plain(buffer, true)
    }

    pub(crate) fn read_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let most = buffers.len().min(MAX_BUFFERS);
        let buffers = &mut buffers[..most];
        let room = buffers.iter().map(|buffer| buffer.len()).sum();
        let call = |blocking| Ok((socket::receive_vectored(self, buffers, blocking)?, ()));
        Ok(self.receive(room, false, call)?.0)
    }

    /// Receives a datagram, and who sent it, if that has a name.
    pub(crate) fn receive_from(&self, buffer: &mut [u8]) -> io::Result<(usize, Option<AnyAddress>)> {
        self.receive_from_with(buffer, false)
    }

    /// The same, and leaves it there.
    pub(crate) fn peek_from(&self, buffer: &mut [u8]) -> io::Result<(usize, Option<AnyAddress>)> {
        self.receive_from_with(buffer, true)
    }

    fn receive_from_with(&self, buffer: &mut [u8], peek: bool) -> io::Result<(usize, Option<AnyAddress>)> {
        let room = buffer.len();
        self.receive(room, peek, |blocking| socket::receive_from(self, buffer, peek, blocking))
    }

    /// Sends `all` bytes: `alone` does off the runtime, `first` begins on it, and `rest` gives what
    /// it left over.
    ///
    /// A blocking `send` comes back when the kernel has taken all, and so do we. If something goes
    /// wrong in between it tells how much it has taken, and the next call tells what went wrong.
    fn transmit<'a, R: IntoIterator<Item = &'a [u8]>>(
        &self,
        all: usize,
        alone: impl FnOnce() -> OsResult<usize>,
        first: impl FnOnce(&Driver, Option<Instant>) -> io::Result<usize>,
        rest: impl FnOnce(usize) -> R,
    ) -> io::Result<usize> {
        let Some(driver) = runtime::driver() else {
            return self.sent(alone().map_err(io::Error::from));
        };
        let deadline = self.descriptor.deadline(Interest::Write);
        let mut done = self.sent(first(driver, deadline))?;
        if done == all || self.descriptor.is_nonblocking() {
            return Ok(done);
        }
        for mut bytes in rest(done) {
            while !bytes.is_empty() {
                match self.descriptor.send(driver, bytes, self.short(), deadline) {
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

    /// What a short count shows.
    fn short(&self) -> CallResult {
        if self.short_tells { CallResult::Short } else { CallResult::Full }
    }

    /// Keeps what the kernel will not say again.
    fn keep(&self, error: &io::Error) {
        match OsError::of(error) {
            None | Some(OsError::WOULD_BLOCK | OsError::BROKEN_PIPE) => {}
            Some(error) => self.error.store(error.number(), Relaxed),
        }
    }

    /// Of a broken pipe there may be more to tell.
    fn sent(&self, result: io::Result<usize>) -> io::Result<usize> {
        result.map_err(|error| match OsError::of(&error) {
            Some(OsError::BROKEN_PIPE) => self.kept_error().unwrap_or(error),
            _ => error,
        })
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.transmit(
            bytes.len(),
            || socket::send(self, bytes, Blocking::AsSet),
            |driver, deadline| self.descriptor.send(driver, bytes, self.short(), deadline),
            |done| [&bytes[done..]],
        )
    }

    pub(crate) fn write_vectored(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let buffers = &buffers[..buffers.len().min(MAX_BUFFERS)];
        let all = buffers.iter().map(|buffer| buffer.len()).sum();
        let call = |blocking| socket::send_vectored(self, buffers, blocking);
        self.transmit(
            all,
            || call(Blocking::AsSet),
            |driver, deadline| {
                self.descriptor.attempt(driver, Interest::Write, deadline, || {
                    let count = call(Blocking::Never)?;
                    Ok((count, if count < all { self.short() } else { CallResult::Full }))
                })
            },
            |mut done| {
                buffers.iter().map(move |buffer| {
                    let skip = done.min(buffer.len());
                    done -= skip;
                    &buffer[skip..]
                })
            },
        )
    }

    /// Sends a datagram, whole; nothing else of it is sent later.
    pub(crate) fn send_datagram(&self, bytes: &[u8]) -> io::Result<usize> {
        self.send_datagram_with(|blocking| socket::send(self, bytes, blocking))
    }

    /// The same, to somebody.
    pub(crate) fn send_to(&self, bytes: &[u8], address: &impl Address) -> io::Result<usize> {
        self.send_datagram_with(|blocking| socket::send_to(self, bytes, address, blocking))
    }

    /// The same, to a Unix socket. It may have to wait for room in our buffer, of which the system
    /// tells, or in the receiver's queue, of which it tells only sockets that are connected to the
    /// receiver: so one is, for as long as we wait.
    pub(crate) fn send_to_unix(&self, bytes: &[u8], address: &UnixAddress) -> io::Result<usize> {
        let call = |blocking| socket::send_to(self, bytes, address, blocking);
        let Some(driver) = runtime::driver() else { return Ok(call(Blocking::AsSet)?) };
        let deadline = self.descriptor.deadline(Interest::Write);
        let mut connected = None;
        loop {
            let sent = self.descriptor.attempt(driver, Interest::Write, deadline, || {
                let sent = match call(Blocking::Never) {
                    Err(OsError::WOULD_BLOCK) if !self.descriptor.is_nonblocking() => {
                        has_room(self)?;
                        None
                    }
                    result => Some(result?),
                };
                Ok((sent, CallResult::Full))
            })?;
            if let Some(count) = sent {
                return Ok(count);
            }
            if connected.is_none() {
                let other = socket::open(Family::Unix, Type::Datagram);
                let other = other.and_then(|other| socket::connect(&other, address).and(Ok(other)));
                connected = other.ok().map(Descriptor::new);
            }
            let Some(connected) = &connected else {
                // Not to be had, or not allowed to us; the call by itself may still be.
                return Ok(runtime::unblock_wait(|| call(Blocking::AsSet))??);
            };
            // The look by itself has the system tell of room from then on, each time once.
            connected.attempt(driver, Interest::Write, deadline, || {
                Ok((has_room(connected)?, CallResult::Full))
            })?;
        }
    }

    fn send_datagram_with(&self, mut call: impl FnMut(Blocking) -> OsResult<usize>) -> io::Result<usize> {
        let Some(driver) = runtime::driver() else { return Ok(call(Blocking::AsSet)?) };
        let deadline = self.descriptor.deadline(Interest::Write);
        self.descriptor
            .attempt(driver, Interest::Write, deadline, || Ok((call(Blocking::Never)?, CallResult::Full)))
    }

    /// Makes a call that has no flag of its own for it, on a descriptor that is in non-blocking
    /// mode, from any thread. Past the deadline it gives `WouldBlock`.
    pub(crate) fn attempt_anywhere<T>(
        &self,
        interest: Interest,
        deadline: Option<std::time::Instant>,
        call: impl FnMut() -> OsResult<T>,
    ) -> io::Result<T> {
        self.descriptor.attempt_anywhere(interest, deadline, call)
    }

    /// The next connection to one that listens, and who made it, if the system says.
    pub(crate) fn accept(&self) -> io::Result<(OwnedFd, Option<AnyAddress>)> {
        if self.descriptor.is_exposed() {
            // Somebody may have set the mode, which whoever has the socket open shares: then the
            // call would block the worker.
            ensure_nonblocking(self)?;
        }
        let deadline = self.descriptor.deadline(Interest::Read);
        let call = || socket::accept(self);
        if !self.descriptor.has_no_write_shutdown_event() {
            return self.attempt_anywhere(Interest::Read, deadline, call);
        }
        let mut again = false;
        self.attempt_anywhere(Interest::Read, deadline, || match call() {
            // As a blocking call would say; of TCP, any call.
            Err(OsError::WOULD_BLOCK) if self.descriptor.has_ended(&mut again) => Err(OsError::INVALID),
            result => result,
        })
    }

    /// A connection that was accepted here. It asks the kernel for what it has inherited, if that
    /// is anything.
    pub(crate) fn connection(&self, descriptor: OwnedFd) -> Self {
        if self.descriptor.is_inherited() { Self::adopt(descriptor) } else { Self::new(descriptor) }
    }

    /// Shuts down a direction, or both.
    pub(crate) fn shutdown(&self, how: std::net::Shutdown) -> io::Result<()> {
        self.descriptor.shutting(|| Ok(socket::shutdown(self, how)?))
    }
}

/// `WOULD_BLOCK` if a call to send to somebody with whom there is room would block.
fn has_room(socket: &impl AsFd) -> OsResult<()> {
    match look_one(socket.as_fd(), Interest::Write) {
        Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(OsError::WOULD_BLOCK),
        result => result.map_err(|error| OsError::of(&error).unwrap_or(OsError::OTHER)),
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}
