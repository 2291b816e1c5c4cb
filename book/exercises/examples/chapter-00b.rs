//! Harder exercise of chapter 0: a caller who has had enough.
//!
//! While the server waits, a caller may say `never mind`. The server should then say `forgotten` at
//! once, and go on to hear the next line. But it is asleep, and hears nothing. Mend `talk`: an OS
//! thread can wait for a line and for a time, whichever comes first, if you ask it to wait for the
//! *line*. Then run `cargo run -p exercises -- check 0b`.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// One conversation, until the other side hangs up.
fn talk(mut stream: &TcpStream) -> io::Result<()> {
    let mut lines = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let millis = line.trim().parse().map_err(io::Error::other)?;
        thread::sleep(Duration::from_millis(millis));
        stream.write_all(format!("waited {millis} ms\n").as_bytes())?;
    }
}

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.expect("somebody has called");
            thread::spawn(move || talk(&stream));
        }
    });
    let caller = TcpStream::connect(address)?;
    ask(&caller, "300", None)?;
    ask(&caller, "0", None)?;
    ask(&caller, "3000", Some("never mind"))?;
    thread::sleep(Duration::from_millis(500));
    ask(&caller, "200", None)
}

/// Says a line, perhaps a second one a moment later, and prints the answer.
fn ask(mut caller: &TcpStream, line: &str, later: Option<&str>) -> io::Result<()> {
    let start = Instant::now();
    _ = caller.write_all(format!("{line}\n").as_bytes());
    if let Some(later) = later {
        thread::sleep(Duration::from_millis(100));
        _ = caller.write_all(format!("{later}\n").as_bytes());
    }
    let mut answer = String::new();
    // If the server has hung up, there is no answer, which is printed too.
    _ = BufReader::new(caller).read_line(&mut answer);
    println!("{line}: `{}` after {} ms", answer.trim_end(), start.elapsed().as_millis());
    Ok(())
}
