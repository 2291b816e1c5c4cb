//! The delay server with a thread of the operating system for each conversation.

use std::io::{BufRead, BufReader, Result, Write};
use std::time::Duration;

use std::net::{TcpListener, TcpStream};
use std::thread;

fn main() -> Result<()> {
    serve()
}

fn serve() -> Result<()> {
    let port = std::env::args().nth(1).expect("a port, please");
    for conversation in TcpListener::bind(format!("127.0.0.1:{port}"))?.incoming() {
        let conversation = conversation?;
        thread::spawn(move || talk(conversation));
    }
    Ok(())
}

fn talk(mut conversation: TcpStream) -> Result<()> {
    let mut line = String::new();
    BufReader::new(&conversation).read_line(&mut line)?;
    let ms = line.trim().parse().unwrap_or(0);
    thread::sleep(Duration::from_millis(ms));
    writeln!(conversation, "done after {ms} ms")
}
