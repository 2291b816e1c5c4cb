//! Echo in the cheapest way found that leaves data in the kernel until it is asked for. Each
//! connection has a poll that stays armed. Data is received by a plain call, and all sends are
//! submitted together with the next wait.

use std::io::{self, ErrorKind, Read};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use bench_common::BUFFER;
use io_uring::{IoUring, opcode, squeue, types::Fd};

/// The subject of a completion: a connection's poll or send, by its descriptor; or one of the two
/// below.
const SEND: u64 = 1 << 32;
const ACCEPT: u64 = 2 << 32;
const REMOVE: u64 = 3 << 32;

struct Conn {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// The number of bytes that are being sent.
    sending: usize,
    /// More data has come meanwhile.
    more: bool,
}

struct Server {
    ring: IoUring,
    /// By descriptor.
    conns: Vec<Option<Conn>>,
}

pub fn serve() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    bench_common::listening(listener.local_addr()?.port());
    let mut server = Server { ring: crate::ring(1024), conns: Vec::new() };
    server.push(opcode::AcceptMulti::new(Fd(listener.as_raw_fd())).build().user_data(ACCEPT))?;
    let mut answers = Vec::new();
    loop {
        server.ring.submit_and_wait(1)?;
        answers.extend(server.ring.completion().map(|answer| (answer.user_data(), answer.result())));
        for (tag, result) in answers.drain(..) {
            let descriptor = tag as u32 as usize;
            match tag & !u64::from(u32::MAX) {
                ACCEPT => server.accepted(result)?,
                SEND => server.sent(descriptor, result)?,
                REMOVE => {}
                _ if result >= 0 => server.readable(descriptor)?,
                _ => {} // a poll that was removed
            }
        }
    }
}

impl Server {
    fn push(&mut self, entry: squeue::Entry) -> io::Result<()> {
        loop {
            // SAFETY: the one kind of entry that points to memory is a send, whose buffer belongs
            // to a connection that is not closed, and not read into, before the answer has come.
            match unsafe { self.ring.submission().push(&entry) } {
                Ok(()) => return Ok(()),
                Err(_) => self.ring.submit()?,
            };
        }
    }

    fn accepted(&mut self, result: i32) -> io::Result<()> {
        if result < 0 {
            return Err(io::Error::from_raw_os_error(-result));
        }
        // SAFETY: the kernel has just made it for us.
        let stream = TcpStream::from(unsafe { OwnedFd::from_raw_fd(result) });
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let descriptor = result as usize;
        if self.conns.len() <= descriptor {
            self.conns.resize_with(descriptor + 1, || None);
        }
        self.conns[descriptor] = Some(Conn { stream, buffer: vec![0; BUFFER], sending: 0, more: false });
        let poll = opcode::PollAdd::new(Fd(result), libc::POLLIN as u32).multi(true);
        self.push(poll.build().user_data(descriptor as u64))
    }

    fn readable(&mut self, descriptor: usize) -> io::Result<()> {
        // A closed connection may still have had a completion on its way.
        let Some(conn) = &mut self.conns[descriptor] else { return Ok(()) };
        if conn.sending != 0 {
            conn.more = true;
            return Ok(());
        }
        conn.more = false;
        match conn.stream.read(&mut conn.buffer) {
            Ok(count @ 1..) => {
                conn.sending = count;
                let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
                let send =
                    opcode::Send::new(Fd(descriptor as i32), conn.buffer.as_ptr(), count as u32).flags(flags);
                self.push(send.build().user_data(SEND | descriptor as u64))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            _ => self.close(descriptor),
        }
    }

    /// A short send ends the connection. (There is none to clients that wait for the answer.)
    fn sent(&mut self, descriptor: usize, result: i32) -> io::Result<()> {
        let conn = self.conns[descriptor].as_mut().expect("it stays until its send is answered");
        if usize::try_from(result) != Ok(conn.sending) {
            return self.close(descriptor);
        }
        conn.sending = 0;
        if conn.more { self.readable(descriptor) } else { Ok(()) }
    }

    fn close(&mut self, descriptor: usize) -> io::Result<()> {
        if let Some(conn) = self.conns[descriptor].take() {
            // The poll holds the socket open, so that closing it would not tell the other side.
            let _ = conn.stream.shutdown(Shutdown::Both);
            self.push(opcode::PollRemove::new(descriptor as u64).build().user_data(REMOVE))?;
        }
        Ok(())
    }
}
