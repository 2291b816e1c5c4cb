//! A thread for each conversation: OS threads.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// Talks to all who call, for ever.
pub fn serve(listener: &TcpListener) -> io::Result<()> {
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || talk(&stream));
    }
    Ok(())
}

/// One conversation, until the other side hangs up.
fn talk(mut stream: &TcpStream) -> io::Result<()> {
    for line in BufReader::with_capacity(64, stream).lines() {
        let millis = line?.trim().parse().map_err(io::Error::other)?;
        thread::sleep(Duration::from_millis(millis));
        stream.write_all(format!("waited {millis} ms\n").as_bytes())?;
    }
    Ok(())
}
