//! The HTTP server's work between a read and a write. It is the same for all Rust peers.

use std::io;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\n\
    Content-Type: text/plain\r\n\
    Content-Length: 13\r\n\
    \r\n\
    Hello, World!";

/// A connection's input that is not yet answered.
pub struct Conn {
    input: [u8; 4096],
    filled: usize,
    output: Vec<u8>,
}

impl Default for Conn {
    fn default() -> Conn {
        Conn { input: [0; 4096], filled: 0, output: Vec::with_capacity(ANSWER.len()) }
    }
}

impl Conn {
    /// Where to read to.
    pub fn space(&mut self) -> &mut [u8] {
        &mut self.input[self.filled..]
    }

    /// Takes `read` more bytes. Returns the answers to all requests that are now complete, perhaps
    /// none.
    pub fn answer(&mut self, read: usize) -> io::Result<&[u8]> {
        self.filled += read;
        self.output.clear();
        let mut done = 0;
        loop {
            let mut headers = [httparse::EMPTY_HEADER; 16];
            let mut request = httparse::Request::new(&mut headers);
            match request.parse(&self.input[done..self.filled]) {
                Ok(httparse::Status::Complete(length)) => done += length,
                Ok(httparse::Status::Partial) => break,
                Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
            }
            self.output.extend_from_slice(ANSWER);
        }
        self.input.copy_within(done..self.filled, 0);
        self.filled -= done;
        if self.filled == self.input.len() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a request larger than the buffer"));
        }
        Ok(&self.output)
    }
}
