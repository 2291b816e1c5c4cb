//! Exercise of chapter 0: three conversations on one OS thread, where one holds up the others.
//!
//! Three callers ask for 300 ms each, at the same time. Run the program: their waits come one after
//! the other. Find the call that blocks, and give the conversation another state in its place. Then
//! run `cargo run -p exercises -- check 0`.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

struct Conversation {
    stream: TcpStream,
    state: State,
}

/// What it does next.
enum State {
    Hearing,
    Answering { millis: u64 },
}

impl Conversation {
    /// Goes on as far as it can. Says whether there is more to do.
    fn turn(&mut self) -> io::Result<bool> {
        match self.state {
            State::Hearing => {
                // A caller's line comes in one piece here.
                let mut bytes = [0; 64];
                let count = self.stream.read(&mut bytes)?;
                let line = String::from_utf8_lossy(&bytes[..count]);
                let millis = line.trim().parse().map_err(io::Error::other)?;
                self.state = State::Answering { millis };
                Ok(true)
            }
            State::Answering { millis } => {
                thread::sleep(Duration::from_millis(millis));
                self.stream.write_all(format!("waited {millis} ms\n").as_bytes())?;
                Ok(false)
            }
        }
    }
}

/// Gives all conversations their turns until all have ended.
fn serve(mut conversations: Vec<Conversation>) {
    while !conversations.is_empty() {
        conversations.retain_mut(|conversation| match conversation.turn() {
            Ok(goes_on) => goes_on,
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        });
        thread::sleep(Duration::from_millis(1));
    }
}

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let (mut callers, mut conversations) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let mut caller = TcpStream::connect(listener.local_addr()?)?;
        caller.write_all(b"300\n")?;
        callers.push(caller);
        let (stream, _) = listener.accept()?;
        stream.set_nonblocking(true)?;
        conversations.push(Conversation { stream, state: State::Hearing });
    }
    let start = Instant::now();
    serve(conversations);
    for mut caller in callers {
        let mut answer = String::new();
        caller.read_to_string(&mut answer)?;
        println!("answer: {}", answer.trim_end());
    }
    println!("all of them after {} ms", start.elapsed().as_millis());
    Ok(())
}
