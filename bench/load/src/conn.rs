//! A connection to the server, and waiting for many.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use socket2::{Domain, Socket, Type};

/// A connection with one request under way at most.
pub struct Conn {
    stream: TcpStream,
    received: usize,
}

impl Conn {
    pub fn open(server: SocketAddrV4) -> io::Result<Conn> {
        Conn::with(TcpStream::connect(server)?)
    }

    /// Connects from an address of its own: the side that closes a connection can't use its pair of
    /// addresses and ports again for a minute.
    pub fn open_from(client: Ipv4Addr, server: SocketAddrV4) -> io::Result<Conn> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddrV4::new(client, 0).into())?;
        socket.connect(&server.into())?;
        Conn::with(socket.into())
    }

    fn with(stream: TcpStream) -> io::Result<Conn> {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Conn { stream, received: 0 })
    }

    /// The socket always has room for it: the last request has been answered.
    pub fn ask(&mut self, request: &[u8]) -> io::Result<()> {
        self.stream.write_all(request)
    }

    /// Receives the available bytes, and returns whether the answer is complete.
    pub fn receive(&mut self, answer: &mut [u8]) -> io::Result<bool> {
        match self.stream.read(&mut answer[self.received..]) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => self.received += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        let whole = self.received == answer.len();
        if whole {
            self.received = 0;
        }
        Ok(whole)
    }
}

/// Waits for connections, which have numbers.
pub struct Poller {
    epoll: rustix::fd::OwnedFd,
    events: Vec<epoll::Event>,
}

impl Poller {
    pub fn new() -> io::Result<Poller> {
        Ok(Poller { epoll: epoll::create(CreateFlags::CLOEXEC)?, events: Vec::with_capacity(256) })
    }

    /// Watches the connection until it is closed.
    pub fn add(&self, conn: &Conn, number: usize) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, &conn.stream, EventData::new_u64(number as u64), EventFlags::IN)?)
    }

    /// The numbers of the connections with input. Waits for `timeout` at most.
    pub fn wait(&mut self, timeout: Duration) -> io::Result<impl Iterator<Item = usize>> {
        let timeout = Timespec { tv_sec: timeout.as_secs() as i64, tv_nsec: timeout.subsec_nanos().into() };
        self.events.clear();
        epoll::wait(&self.epoll, spare_capacity(&mut self.events), Some(&timeout))?;
        Ok(self.events.iter().map(|event| event.data.u64() as usize))
    }
}
