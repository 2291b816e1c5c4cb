//! A socket: a descriptor, with the operations that only sockets have (timeouts, receiving,
//! sending).
//!
//! [`Blocking::Never`] makes one call non-blocking. The module `descriptor` does everything else
//! about waiting.

use std::{
    io::{self, IoSlice, IoSliceMut},
    sync::atomic::{AtomicI32, Ordering::Relaxed},
    time::{Duration, Instant},
};

#[cfg(unix)]
use crate::sys::{
    poller::look_one,
    socket::{Family, Type, UnixAddress},
};
use crate::{
    descriptor::{Descriptor, os_thread::is_watched, plain::MAX_BUFFERS},
    driver::{CallResult, Driver, Interest},
    runtime,
    sys::{
        error::{OsError, OsResult},
        fd::{AsFd, BorrowedFd, OwnedFd},
        io::{ensure_nonblocking, is_nonblocking, set_nonblocking},
        socket::{self, Address, AnyAddress, Blocking},
    },
};

/// The number of connections that may wait in the queue of a listener: as many as the system
/// allows. With std's 128 a thousand clients that come at once fill the queue, and TCP makes some
/// of them wait for a second or more.
const BACKLOG: i32 = i32::MAX;

/// A socket; see the module's documentation.
#[derive(Debug)]
pub(crate) struct Socket {
    descriptor: Descriptor,
    /// Whether a short count shows that the kernel has no more data (or no more space). This holds
    /// for TCP. It does not hold for a datagram, whose length is its own, nor for a Unix stream,
    /// where a call stops at data that carries descriptors.
    short_means_blocked: bool,
    /// The number of an error that ended a write which had already sent something and so returned a
    /// count; 0 if there is none. The kernel has forgotten the error, and the next call must report
    /// it.
    error: AtomicI32,
}

impl Socket {
    fn with(descriptor: Descriptor, short_means_blocked: bool) -> Self {
        Self { descriptor, short_means_blocked, error: AtomicI32::new(0) }
    }

    /// A socket that this library made, with all settings at their defaults.
    pub(crate) fn new(descriptor: OwnedFd) -> Self {
        Self::with(Descriptor::new(descriptor), false)
    }

    /// A socket that comes from elsewhere. Its settings stay as they are.
    pub(crate) fn adopt(descriptor: OwnedFd) -> Self {
        Self::with(Descriptor::adopt(descriptor), false)
    }

    pub(super) fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Marks this socket as a TCP socket.
    pub(crate) fn tcp(self) -> Self {
        Self { short_means_blocked: true, ..self }
    }

    /// Marks this socket as a Unix socket.
    #[cfg(unix)]
    pub(crate) fn unix(self) -> Self {
        Self { descriptor: self.descriptor.unix(), ..self }
    }

    /// Makes a socket of this library, which is in the kernel's non-blocking mode, a listener at an
    /// address.
    pub(crate) fn listen(socket: OwnedFd, address: &impl Address) -> io::Result<Self> {
        socket::bind(&socket, address)?;
        socket::listen(&socket, BACKLOG)?;
        Ok(Self::with(Descriptor::new(socket).listening(), false))
    }

    /// A listener that comes from elsewhere. Its mode at this moment becomes the listener's mode.
    pub(crate) fn adopt_listener(descriptor: OwnedFd) -> Self {
        let nonblocking = is_nonblocking(&descriptor);
        let descriptor = Descriptor::adopt(descriptor).listening();
        descriptor.remember_nonblocking(nonblocking);
        Self::with(descriptor, false)
    }

    /// Returns the descriptor for the user, who may change its settings; they are read again.
    pub(crate) fn expose(&self) -> BorrowedFd<'_> {
        self.descriptor.expose()
    }

    pub(crate) fn into_descriptor(self) -> OwnedFd {
        self.descriptor.into_owned()
    }

    /// Converts a listener into its descriptor. The descriptor gets the mode that was set for the
    /// listener. If there are clones it stays in non-blocking mode, which they need.
    pub(crate) fn into_listening_descriptor(self) -> OwnedFd {
        let blocking = !self.descriptor.is_nonblocking() && !self.descriptor.is_shared();
        let descriptor = self.into_descriptor();
        if blocking {
            let _ = set_nonblocking(&descriptor, false);
        }
        descriptor
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self::with(self.descriptor.try_clone()?, self.short_means_blocked))
    }

    pub(crate) fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.descriptor.set_nonblocking(nonblocking)
    }

    /// Sets the mode of a listener. The kernel's mode does not change.
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
            None => Ok(self.take_saved_error()),
        }
    }

    /// Takes the error that the kernel has reported to this library but that no caller has seen
    /// yet.
    #[cold]
    pub(super) fn take_saved_error(&self) -> Option<io::Error> {
        match self.error.swap(0, Relaxed) {
            0 => None,
            number => Some(io::Error::from_raw_os_error(number)),
        }
    }

    /// Receives or peeks, by `call`, into buffers of `capacity` bytes.
    fn receive<T: Default>(
        &self,
        capacity: usize,
        peek: bool,
        mut call: impl FnMut(Blocking) -> OsResult<(usize, T)>,
    ) -> io::Result<(usize, T)> {
        let (count, value) = match runtime::driver() {
            None if is_watched() => self.receive_watched(&mut call)?,
            None => call(Blocking::AsSet)?,
            Some(driver) => {
                let deadline = self.descriptor.deadline(Interest::Read);
                let mut again = false;
                self.descriptor.attempt(driver, Interest::Read, deadline, || {
                    let (count, value) = match call(Blocking::Never) {
                        Err(OsError::WOULD_BLOCK)
                            if !self.short_means_blocked && self.descriptor.has_ended(&mut again) =>
                        {
                            (0, T::default())
                        }
                        result => result?,
                    };
                    // After a peek the data is still there, so the next call would not block.
                    let short = 0 < count && count < capacity && !peek;
                    let result = if short { self.short_result() } else { CallResult::Full };
                    Ok(((count, value), result))
                })?
            }
        };
        if count == 0
            && capacity != 0
            && let Some(error) = self.take_saved_error()
        {
            return Err(error);
        }
        Ok((count, value))
    }

    /// As `receive`, on an OS thread in a cancellation scope.
    // Apart, and by a pointer: so the calls of green threads are inlined.
    #[cold]
    fn receive_watched<T: Default>(
        &self,
        call: &mut dyn FnMut(Blocking) -> OsResult<(usize, T)>,
    ) -> io::Result<(usize, T)> {
        let deadline = self.descriptor.deadline(Interest::Read);
        let mut again = false;
        self.attempt_watched(Interest::Read, deadline, || match call(Blocking::Never) {
            Err(OsError::WOULD_BLOCK)
                if !self.short_means_blocked && self.descriptor.has_ended(&mut again) =>
            {
                Ok((0, T::default()))
            }
            result => result,
        })
    }

    fn receive_plain(&self, buffer: &mut [u8], peek: bool) -> io::Result<usize> {
        let capacity = buffer.len();
        let call = |blocking| Ok((socket::receive(self, buffer, peek, blocking)?, ()));
        Ok(self.receive(capacity, peek, call)?.0)
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
        let capacity = buffers.iter().map(|buffer| buffer.len()).sum();
        let call = |blocking| Ok((socket::receive_vectored(self, buffers, blocking)?, ()));
        Ok(self.receive(capacity, false, call)?.0)
    }

    /// Receives a datagram, with the sender's address if the sender has one.
    pub(crate) fn receive_from(&self, buffer: &mut [u8]) -> io::Result<(usize, Option<AnyAddress>)> {
        self.receive_from_with(buffer, false)
    }

    /// As `receive_from`, but the datagram stays in the queue.
    pub(crate) fn peek_from(&self, buffer: &mut [u8]) -> io::Result<(usize, Option<AnyAddress>)> {
        self.receive_from_with(buffer, true)
    }

    fn receive_from_with(&self, buffer: &mut [u8], peek: bool) -> io::Result<(usize, Option<AnyAddress>)> {
        let capacity = buffer.len();
        self.receive(capacity, peek, |blocking| socket::receive_from(self, buffer, peek, blocking))
    }

    /// Sends `all` bytes. Off the runtime, `plain` sends them by one call. On the runtime, `first`
    /// makes the first call, and `rest` yields the bytes that it has left over.
    ///
    /// A blocking `send` of the kernel returns when the kernel has taken everything, and so does
    /// this function. After an error in between, and if the thread is cancelled, it returns how
    /// many bytes the kernel has taken, and the next call reports the error.
    fn send_all<'a, R: IntoIterator<Item = &'a [u8]>>(
        &self,
        all: usize,
        mut plain: impl FnMut(Blocking) -> OsResult<usize>,
        first: impl FnOnce(&Driver, Option<Instant>) -> io::Result<usize>,
        rest: impl FnOnce(usize) -> R,
    ) -> io::Result<usize> {
        let driver = runtime::driver();
        if driver.is_none() && !is_watched() {
            return self.or_saved_error(plain(Blocking::AsSet).map_err(io::Error::from));
        }
        let deadline = self.descriptor.deadline(Interest::Write);
        let sent = match driver {
            Some(driver) => first(driver, deadline),
            None => self.attempt_watched(Interest::Write, deadline, || plain(Blocking::Never)),
        };
        let mut done = self.or_saved_error(sent)?;
        if done == all || self.descriptor.is_nonblocking() {
            return Ok(done);
        }
        for mut bytes in rest(done) {
            while !bytes.is_empty() {
                match self.descriptor.send_rest(driver, bytes, self.short_result(), deadline) {
                    Ok(count) => {
                        done += count;
                        bytes = &bytes[count..];
                    }
                    Err(error) => {
                        self.save_error(&error);
                        return Ok(done);
                    }
                }
            }
        }
        Ok(done)
    }

    /// Returns the `CallResult` for a short count.
    pub(super) fn short_result(&self) -> CallResult {
        if self.short_means_blocked { CallResult::Short } else { CallResult::Full }
    }

    /// Saves an error that the kernel will not report again.
    fn save_error(&self, error: &io::Error) {
        match OsError::of(error) {
            None | Some(OsError::WOULD_BLOCK | OsError::BROKEN_PIPE) => {}
            Some(error) => self.error.store(error.number(), Relaxed),
        }
    }

    /// Replaces a broken pipe by the saved error, if there is one: that error is the cause.
    pub(super) fn or_saved_error(&self, result: io::Result<usize>) -> io::Result<usize> {
        result.map_err(|error| match OsError::of(&error) {
            Some(OsError::BROKEN_PIPE) => self.take_saved_error().unwrap_or(error),
            _ => error,
        })
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.send_all(
            bytes.len(),
            |blocking| socket::send(self, bytes, blocking),
            |driver, deadline| self.descriptor.send(driver, bytes, self.short_result(), deadline),
            |done| [&bytes[done..]],
        )
    }

    pub(crate) fn write_vectored(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let buffers = &buffers[..buffers.len().min(MAX_BUFFERS)];
        let all = buffers.iter().map(|buffer| buffer.len()).sum();
        let call = |blocking| socket::send_vectored(self, buffers, blocking);
        self.send_all(
            all,
            call,
            |driver, deadline| {
                self.descriptor.attempt(driver, Interest::Write, deadline, || {
                    let count = call(Blocking::Never)?;
                    Ok((count, if count < all { self.short_result() } else { CallResult::Full }))
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

    /// Sends a whole datagram by one call.
    pub(crate) fn send_datagram(&self, bytes: &[u8]) -> io::Result<usize> {
        self.send_datagram_with(|blocking| socket::send(self, bytes, blocking))
    }

    /// As `send_datagram`, to an address.
    pub(crate) fn send_to(&self, bytes: &[u8], address: &impl Address) -> io::Result<usize> {
        self.send_datagram_with(|blocking| socket::send_to(self, bytes, address, blocking))
    }

    /// As `send_datagram`, to the address of a Unix socket. A send may have to wait for space in
    /// this socket's send buffer, or for space in the receiver's queue. The system reports the
    /// first by an event. It reports the second only to sockets that are connected to the receiver,
    /// so this function connects an extra socket to the receiver and waits on that one.
    #[cfg(unix)]
    pub(crate) fn send_to_unix(&self, bytes: &[u8], address: &UnixAddress) -> io::Result<usize> {
        let call = |blocking| socket::send_to(self, bytes, address, blocking);
        if runtime::driver().is_none() && !is_watched() {
            return Ok(call(Blocking::AsSet)?);
        }
        let deadline = self.descriptor.deadline(Interest::Write);
        let mut connected = None;
        loop {
            let sent = self.attempt_anywhere(Interest::Write, deadline, || {
                Ok(match call(Blocking::Never) {
                    Err(OsError::WOULD_BLOCK) if !self.descriptor.is_nonblocking() => {
                        check_writable(self)?;
                        None
                    }
                    result => Some(result?),
                })
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
                // The extra socket could not be made, or this process may not connect it. The
                // blocking call may still succeed.
                return Ok(runtime::unblock_wait(|| call(Blocking::AsSet))??);
            };
            // `check_writable` also subscribes the socket to the receiver's next event: the system
            // reports each event only once.
            connected.attempt_anywhere(Interest::Write, deadline, || check_writable(connected))?;
        }
    }

    fn send_datagram_with(&self, mut call: impl FnMut(Blocking) -> OsResult<usize>) -> io::Result<usize> {
        if runtime::driver().is_none() && !is_watched() {
            return Ok(call(Blocking::AsSet)?);
        }
        let deadline = self.descriptor.deadline(Interest::Write);
        self.attempt_anywhere(Interest::Write, deadline, || call(Blocking::Never))
    }

    /// Makes a call that does not block, on an OS thread in a cancellation scope.
    // Out of the way of green threads.
    #[cold]
    fn attempt_watched<T>(
        &self,
        interest: Interest,
        deadline: Option<Instant>,
        call: impl FnMut() -> OsResult<T>,
    ) -> io::Result<T> {
        self.descriptor.attempt_on_os_thread(interest, deadline, call)
    }

    /// Makes a call that has no flag to make it non-blocking, on a descriptor in non-blocking mode.
    /// Any thread may call this. Past the deadline the result is `WouldBlock`.
    pub(crate) fn attempt_anywhere<T>(
        &self,
        interest: Interest,
        deadline: Option<std::time::Instant>,
        call: impl FnMut() -> OsResult<T>,
    ) -> io::Result<T> {
        self.descriptor.attempt_anywhere(interest, deadline, call)
    }

    /// Accepts a connection, and returns it with the peer's address, if the system gives one. The
    /// address is converted at once: an [`AnyAddress`] has 112 bytes, which each return would copy.
    #[inline]
    pub(crate) fn accept<A>(&self, convert: impl Fn(Option<AnyAddress>) -> A) -> io::Result<(OwnedFd, A)> {
        if self.descriptor.is_exposed() {
            // The user may have changed the mode, which all who have the socket open share. In
            // blocking mode the call would block the worker.
            ensure_nonblocking(self)?;
        }
        let deadline = self.descriptor.deadline(Interest::Read);
        let call = || socket::accept(self).map(|(socket, address)| (socket, convert(address)));
        if !self.descriptor.has_no_write_shutdown_event() {
            return self.attempt_anywhere(Interest::Read, deadline, call);
        }
        let mut again = false;
        self.attempt_anywhere(Interest::Read, deadline, || match call() {
            // A blocking `accept` returns this error then. On TCP a non-blocking one does so too.
            Err(OsError::WOULD_BLOCK) if self.descriptor.has_ended(&mut again) => Err(OsError::INVALID),
            result => result,
        })
    }

    /// Wraps a connection that this listener has accepted. If the connection may have inherited
    /// settings, it will ask the kernel for them.
    pub(crate) fn connection(&self, descriptor: OwnedFd) -> Self {
        if self.descriptor.is_inherited() { Self::adopt(descriptor) } else { Self::new(descriptor) }
    }

    /// Shuts down one direction, or both.
    pub(crate) fn shutdown(&self, how: std::net::Shutdown) -> io::Result<()> {
        self.descriptor.shutting(|| Ok(socket::shutdown(self, how)?))
    }
}

/// Fails with `WOULD_BLOCK` if the socket is not ready for writing.
#[cfg(unix)]
fn check_writable(socket: &impl AsFd) -> OsResult<()> {
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
