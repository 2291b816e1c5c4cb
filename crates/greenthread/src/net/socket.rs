//! A socket: a descriptor with what only sockets have, timeouts, receiving and sending.
//!
//! `MSG_DONTWAIT` asks one call not to block; everything else about waiting is the descriptor's (`descriptor`).

use std::{
    io::{self, IoSlice, IoSliceMut},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::atomic::{AtomicI32, Ordering::Relaxed},
    time::{Duration, Instant},
};

use rustix::{
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::{Errno, ioctl_fionbio},
    net::{
        self, AddressFamily, RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendFlags, SocketAddrAny,
        SocketFlags, SocketType,
        addr::SocketAddrArg,
        sockopt::{self, Timeout},
    },
};

use crate::{
    descriptor::{Descriptor, plain::MAX_BUFFERS},
    driver::{CallResult, Driver, Interest},
    runtime,
    sys::poller::look_one,
};

/// See the module.
#[derive(Debug)]
pub(crate) struct Socket {
    descriptor: Descriptor,
    /// Whether a count that comes short says that the kernel has no more. So it is with TCP; a datagram is what it
    /// is, and a Unix stream stops at what carries descriptors.
    short_tells: bool,
    /// An error that ended a write which had sent something already, and so returned how much: the kernel
    /// has forgotten it, and the next call shall find it.
    error: AtomicI32,
}

/// How many connections may wait to be accepted; as in std.
pub(crate) const BACKLOG: i32 = 128;

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
        Self { descriptor: self.descriptor.hushed(), ..self }
    }

    /// One that listens, of our own making, in the kernel's non-blocking mode.
    pub(crate) fn listener(descriptor: OwnedFd) -> Self {
        Self::with(Descriptor::new(descriptor).listening(), false)
    }

    /// One that listens, and comes from elsewhere.
    pub(crate) fn adopt_listener(descriptor: OwnedFd) -> Self {
        let nonblocking = fcntl_getfl(&descriptor).is_ok_and(|flags| flags.contains(OFlags::NONBLOCK));
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

    /// For one that listens. The descriptor is in the mode that was set, unless there are clones, which need it
    /// non-blocking.
    pub(crate) fn into_listening_descriptor(self) -> OwnedFd {
        let blocking = !self.descriptor.is_nonblocking() && !self.descriptor.is_shared();
        let descriptor = self.into_descriptor();
        if blocking {
            let _ = ioctl_fionbio(&descriptor, false);
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
        sockopt::set_socket_timeout(self, option(interest), timeout)?;
        self.descriptor.remember_timeout(interest, timeout);
        Ok(())
    }

    pub(crate) fn timeout(&self, interest: Interest) -> io::Result<Option<Duration>> {
        Ok(sockopt::socket_timeout(self, option(interest))?)
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

    /// Receives: `call` does, with the given flags, into room for `room` bytes.
    fn receive<T: Default>(
        &self,
        room: usize,
        flags: RecvFlags,
        mut call: impl FnMut(RecvFlags) -> rustix::io::Result<(usize, T)>,
    ) -> io::Result<(usize, T)> {
        let (count, value) = match runtime::driver() {
            None => call(flags)?,
            Some(driver) => {
                let deadline = self.descriptor.deadline(Interest::Read);
                let mut again = false;
                self.descriptor.attempt(driver, Interest::Read, deadline, || {
                    let (count, value) = match call(flags | RecvFlags::DONTWAIT) {
                        Err(Errno::AGAIN) if !self.short_tells && self.descriptor.has_ended(&mut again) => {
                            (0, T::default())
                        }
                        result => result?,
                    };
                    // What was only peeked at is still there.
                    let short = 0 < count && count < room && !flags.contains(RecvFlags::PEEK);
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

    fn receive_plain(&self, buffer: &mut [u8], flags: RecvFlags) -> io::Result<usize> {
        let room = buffer.len();
        Ok(self.receive(room, flags, |flags| Ok((net::recv(self, &mut *buffer, flags)?.1, ())))?.0)
    }

    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.receive_plain(buffer, RecvFlags::empty())
    }

    pub(crate) fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.receive_plain(buffer, RecvFlags::PEEK)
    }

    pub(crate) fn read_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let most = buffers.len().min(MAX_BUFFERS);
        let buffers = &mut buffers[..most];
        let room = buffers.iter().map(|buffer| buffer.len()).sum();
        let call =
            |flags| Ok((net::recvmsg(self, buffers, &mut RecvAncillaryBuffer::default(), flags)?.bytes, ()));
        Ok(self.receive(room, RecvFlags::empty(), call)?.0)
    }

    /// Receives a datagram, and who sent it, if that has a name.
    pub(crate) fn receive_from(&self, buffer: &mut [u8]) -> io::Result<(usize, Option<SocketAddrAny>)> {
        self.receive_from_with(buffer, RecvFlags::empty())
    }

    /// The same, and leaves it there.
    pub(crate) fn peek_from(&self, buffer: &mut [u8]) -> io::Result<(usize, Option<SocketAddrAny>)> {
        self.receive_from_with(buffer, RecvFlags::PEEK)
    }

    fn receive_from_with(
        &self,
        buffer: &mut [u8],
        flags: RecvFlags,
    ) -> io::Result<(usize, Option<SocketAddrAny>)> {
        let room = buffer.len();
        self.receive(room, flags, |flags| {
            let (_, count, address) = net::recvfrom(self, &mut *buffer, flags)?;
            Ok((count.min(room), address))
        })
    }

    /// Sends `all` bytes: `alone` does off the runtime, `first` begins on it, and `rest` gives what it left over.
    ///
    /// A blocking `send` comes back when the kernel has taken all, and so do we. If something goes wrong in
    /// between it tells how much it has taken, and the next call tells what went wrong.
    fn transmit<'a, R: IntoIterator<Item = &'a [u8]>>(
        &self,
        all: usize,
        alone: impl FnOnce() -> rustix::io::Result<usize>,
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
        self.transmit(
            bytes.len(),
            || net::send(self, bytes, SendFlags::NOSIGNAL),
            |driver, deadline| self.descriptor.send(driver, bytes, self.short(), deadline),
            |done| [&bytes[done..]],
        )
    }

    pub(crate) fn write_vectored(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let buffers = &buffers[..buffers.len().min(MAX_BUFFERS)];
        let all = buffers.iter().map(|buffer| buffer.len()).sum();
        let call = |flags| net::sendmsg(self, buffers, &mut SendAncillaryBuffer::default(), flags);
        self.transmit(
            all,
            || call(SendFlags::NOSIGNAL),
            |driver, deadline| {
                self.descriptor.attempt(driver, Interest::Write, deadline, || {
                    let count = call(SendFlags::NOSIGNAL | SendFlags::DONTWAIT)?;
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
        self.send_datagram_with(|flags| net::send(self, bytes, flags))
    }

    /// The same, to somebody.
    pub(crate) fn send_to(&self, bytes: &[u8], address: &impl SocketAddrArg) -> io::Result<usize> {
        self.send_datagram_with(|flags| net::sendto(self, bytes, flags, address))
    }

    /// The same, to a Unix socket. It may have to wait for room in our buffer, of which the system tells, or in the
    /// receiver's queue, of which it tells only sockets that are connected to the receiver: so one is, for as long as we wait.
    pub(crate) fn send_to_unix(
        &self,
        bytes: &[u8],
        address: &(impl SocketAddrArg + Sync),
    ) -> io::Result<usize> {
        let call = |flags| net::sendto(self, bytes, SendFlags::NOSIGNAL | flags, address);
        let Some(driver) = runtime::driver() else { return Ok(call(SendFlags::empty())?) };
        let deadline = self.descriptor.deadline(Interest::Write);
        let mut connected = None;
        loop {
            let sent = self.descriptor.attempt(driver, Interest::Write, deadline, || {
                let sent = match call(SendFlags::DONTWAIT) {
                    Err(Errno::AGAIN) if !self.descriptor.is_nonblocking() => {
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
                let flags = SocketFlags::CLOEXEC;
                let socket = net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None);
                let socket = socket.and_then(|socket| net::connect(&socket, address).and(Ok(socket)));
                connected = socket.ok().map(Descriptor::new);
            }
            let Some(connected) = &connected else {
                // Not to be had, or not allowed to us; the call by itself may still be.
                return Ok(runtime::unblock_wait(|| call(SendFlags::empty()))??);
            };
            // The look by itself has the system tell of room from then on, each time once.
            connected.attempt(driver, Interest::Write, deadline, || {
                Ok((has_room(connected)?, CallResult::Full))
            })?;
        }
    }

    fn send_datagram_with(
        &self,
        mut call: impl FnMut(SendFlags) -> rustix::io::Result<usize>,
    ) -> io::Result<usize> {
        let Some(driver) = runtime::driver() else { return Ok(call(SendFlags::NOSIGNAL)?) };
        let deadline = self.descriptor.deadline(Interest::Write);
        self.descriptor.attempt(driver, Interest::Write, deadline, || {
            Ok((call(SendFlags::NOSIGNAL | SendFlags::DONTWAIT)?, CallResult::Full))
        })
    }

    /// Makes a call that has no flag of its own for it, on a descriptor that is in non-blocking mode, from
    /// any thread. Past the deadline it gives `WouldBlock`.
    pub(crate) fn attempt_anywhere<T>(
        &self,
        interest: Interest,
        deadline: Option<std::time::Instant>,
        call: impl FnMut() -> rustix::io::Result<T>,
    ) -> io::Result<T> {
        self.descriptor.attempt_anywhere(interest, deadline, call)
    }

    /// The next connection to one that listens, and who made it, if the system says.
    pub(crate) fn accept(&self) -> io::Result<(OwnedFd, Option<SocketAddrAny>)> {
        if self.descriptor.is_exposed() {
            // Somebody may have set the mode, which whoever has the socket open shares: then the call would block the worker.
            set_kernel_nonblocking(self)?;
        }
        let deadline = self.descriptor.deadline(Interest::Read);
        let call = || net::acceptfrom_with(self, SocketFlags::CLOEXEC);
        if !self.descriptor.is_hushed() {
            return self.attempt_anywhere(Interest::Read, deadline, call);
        }
        let mut again = false;
        self.attempt_anywhere(Interest::Read, deadline, || match call() {
            // As a blocking call would say; of TCP, any call.
            Err(Errno::AGAIN) if self.descriptor.has_ended(&mut again) => Err(Errno::INVAL),
            result => result,
        })
    }

    /// A connection that was accepted here. It asks the kernel for what it has inherited, if that is anything.
    pub(crate) fn connection(&self, descriptor: OwnedFd) -> Self {
        if self.descriptor.is_inherited() { Self::adopt(descriptor) } else { Self::new(descriptor) }
    }

    /// Shuts down a direction, or both.
    pub(crate) fn shutdown(&self, how: std::net::Shutdown) -> io::Result<()> {
        let how = match how {
            std::net::Shutdown::Read => net::Shutdown::Read,
            std::net::Shutdown::Write => net::Shutdown::Write,
            std::net::Shutdown::Both => net::Shutdown::Both,
        };
        self.descriptor.shutting(|| Ok(net::shutdown(self, how)?))
    }
}

/// `AGAIN` if a call to send to somebody with whom there is room would block.
fn has_room(socket: &impl AsFd) -> rustix::io::Result<()> {
    match look_one(socket.as_fd(), Interest::Write) {
        Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(Errno::AGAIN),
        result => result.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO)),
    }
}

/// By either of the two ways to ask for it: one that is refused says nothing about the socket.
fn set_kernel_nonblocking(socket: &Socket) -> io::Result<()> {
    ioctl_fionbio(socket, true).or_else(|_| fcntl_setfl(socket, fcntl_getfl(socket)? | OFlags::NONBLOCK))?;
    Ok(())
}

fn option(interest: Interest) -> Timeout {
    match interest {
        Interest::Read => Timeout::Recv,
        Interest::Write => Timeout::Send,
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}
