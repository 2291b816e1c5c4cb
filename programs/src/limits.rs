//! How every server here treats the input of strangers. It bounds each length before it allocates
//! memory, and allocates memory as the bytes come. The end of a connection affects no other one,
//! and connections that have ended are forgotten.

use std::{
    io::{self, BufRead, ErrorKind, Read},
    ops::AddAssign,
    time::Duration,
};

use super::lib::{
    net::{Shutdown, TcpStream},
    thread,
};

/// The threads of a server's connections, and the sum of the results of those that have ended.
#[derive(Default)]
pub struct Sessions<T> {
    running: Vec<thread::JoinHandle<T>>,
    total: T,
    /// With this many threads, it looks for those that have ended.
    look_at: usize,
}

impl<T: AddAssign + Default + Send + 'static> Sessions<T> {
    /// Starts a thread for a connection. If there can be none, the connection is closed.
    pub fn spawn(&mut self, session: impl FnOnce() -> T + Send + 'static) {
        if self.running.len() >= self.look_at {
            let (ended, running) = self.running.drain(..).partition(|session| session.is_finished());
            self.running = running;
            self.add(ended);
            self.look_at = 2 * self.running.len() + 16;
        }
        if let Ok(session) = thread::Builder::new().spawn(session) {
            self.running.push(session);
        }
    }

    /// The number of threads that have not been forgotten.
    pub fn known(&self) -> usize {
        self.running.len()
    }

    /// Waits for all.
    pub fn join(mut self) -> T {
        let running = std::mem::take(&mut self.running);
        self.add(running);
        self.total
    }

    fn add(&mut self, ended: Vec<thread::JoinHandle<T>>) {
        ended.into_iter().for_each(|session| self.total += session.join().expect("no panic"));
    }
}

/// Reads a line of at most this many bytes, with its end. At the end of the input the line is
/// empty. `None` if it is longer.
pub fn line(reader: &mut impl BufRead, most: usize) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    reader.take(most as u64).read_until(b'\n', &mut line)?;
    let cut = line.last().is_some_and(|&last| last != b'\n');
    match cut {
        true if line.len() == most => Ok(None),
        true => Err(ErrorKind::UnexpectedEof.into()),
        false => Ok(Some(line)),
    }
}

/// Appends this many bytes. The memory grows as they come, so a length that is only announced costs
/// the server nothing.
pub fn append(reader: &mut impl BufRead, length: u64, to: &mut Vec<u8>) -> io::Result<()> {
    match reader.take(length).read_to_end(to)? as u64 == length {
        true => Ok(()),
        false => Err(ErrorKind::UnexpectedEof.into()),
    }
}

/// A number in a protocol: digits only.
pub fn digits(text: &[u8]) -> Option<u64> {
    let all_digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    str::from_utf8(text).ok().filter(|_| all_digits)?.parse().ok()
}

/// Ends a connection so that the last answer arrives. Closing a socket with unread input would
/// reset the connection.
pub fn linger(mut stream: &TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    let mut rest = [0; 4096];
    for _ in 0..64 {
        if stream.read(&mut rest)? == 0 {
            break;
        }
    }
    Ok(())
}
