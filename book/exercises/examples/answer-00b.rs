//! Answer of chapter 0b: to wait for a line, and for a time at most.

use std::io::{self, BufRead, BufReader, ErrorKind, Write};
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
        if is_over(stream, &mut lines, millis)? {
            stream.write_all(format!("waited {millis} ms\n").as_bytes())?;
        } else {
            stream.write_all(b"forgotten\n")?;
        }
    }
}

/// Waits for a line, and so long at most. Says whether no line came.
fn is_over(stream: &TcpStream, lines: &mut impl BufRead, millis: u64) -> io::Result<bool> {
    // A limit of zero is an error.
    if millis == 0 {
        return Ok(true);
    }
    stream.set_read_timeout(Some(Duration::from_millis(millis)))?;
    let heard = lines.read_line(&mut String::new());
    // The limit is for this line only.
    stream.set_read_timeout(None)?;
    match heard {
        // Unix and Windows have different names for it.
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(true),
        heard => heard.map(|_| false),
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
