// ANCHOR: state
//! All conversations on one OS thread, taken apart by hand.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// A conversation, and all that it has to remember from one turn to the next.
#[derive(Debug)]
pub struct Conversation {
    stream: TcpStream,
    /// What was heard and not yet understood: perhaps half a line, perhaps three lines.
    heard: Vec<u8>,
    state: State,
}

/// The place at which `talk` would be.
#[derive(Debug)]
enum State {
    /// At `lines()`: a line is to come.
    Hearing,
    /// In `sleep`: so many milliseconds were asked for, and they are over then.
    Waiting { millis: u64, until: Instant },
    /// In `writeln!`: this is still to be sent.
    Answering { rest: Vec<u8> },
}
// ANCHOR_END: state

// ANCHOR: turn
/// What has happened in a turn.
#[derive(Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing yet.
    Nothing,
    /// A line is there, and the wait has begun.
    Heard,
    /// The wait is over, and the answer is sent.
    Answered,
    /// The other side has hung up, or has sent what is no number.
    Ended,
}

impl Conversation {
    /// Begins one. Calls on its socket don't wait from now on.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { stream, heard: Vec::new(), state: State::Hearing })
    }

    /// Goes on as far as it can without waiting.
    pub fn turn(&mut self) -> Turn {
        let done = match self.state {
            State::Hearing => self.hear(),
            State::Waiting { until, .. } if Instant::now() < until => Ok(Turn::Nothing),
            State::Waiting { millis, .. } => self.answer(millis),
            State::Answering { .. } => self.send(),
        };
        match done {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Turn::Nothing,
            Err(_) => Turn::Ended,
            Ok(done) => done,
        }
    }

    fn hear(&mut self) -> io::Result<Turn> {
        let Some(end) = self.heard.iter().position(|byte| *byte == b'\n') else {
            let mut bytes = [0; 64];
            let count = self.stream.read(&mut bytes)?;
            self.heard.extend(&bytes[..count]);
            return Ok(if count == 0 { Turn::Ended } else { Turn::Nothing });
        };
        let line = self.heard.drain(..=end).collect();
        let line = String::from_utf8(line).map_err(io::Error::other)?;
        let millis = line.trim().parse().map_err(io::Error::other)?;
        let until = Instant::now() + Duration::from_millis(millis);
        self.state = State::Waiting { millis, until };
        Ok(Turn::Heard)
    }

    fn answer(&mut self, millis: u64) -> io::Result<Turn> {
        self.state = State::Answering { rest: format!("waited {millis} ms\n").into() };
        self.send()
    }

    fn send(&mut self) -> io::Result<Turn> {
        let State::Answering { rest } = &mut self.state else {
            unreachable!("it only sends when it answers");
        };
        let count = self.stream.write(rest)?;
        rest.drain(..count);
        if !rest.is_empty() {
            return Ok(Turn::Nothing);
        }
        self.state = State::Hearing;
        Ok(Turn::Answered)
    }
}
// ANCHOR_END: turn

// ANCHOR: serve
/// Talks to all who call, for ever.
pub fn serve(listener: &TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let mut conversations = Vec::new();
    loop {
        match listener.accept() {
            Ok((stream, _)) => conversations.push(Conversation::new(stream)?),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                conversations.retain_mut(|conversation| conversation.turn() != Turn::Ended);
                // Nobody tells us when there is something to do.
                // So we look a thousand times a second.
                thread::sleep(Duration::from_millis(1));
            }
            Err(error) => return Err(error),
        }
    }
}
// ANCHOR_END: serve
