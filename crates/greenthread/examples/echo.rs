//! An echo server: `cargo run --release --example echo`, then `nc localhost 7777`.
//!
//! It is plain blocking code in which each client has a green thread of its own. Ctrl-C ends it in
//! good order.

mod serve;

use std::{
    io::{self, Read, Write},
    process::ExitCode,
};

use greenthread::{cancel::Token, net::TcpStream, time::Duration};

fn main() -> ExitCode {
    serve::main("echo", "127.0.0.1:7777", echo)
}

fn echo(mut stream: &TcpStream, stop: &Token) -> io::Result<()> {
    // A client that sends nothing for this long, or does not read what the server writes, is taken
    // to be gone.
    stream.set_read_timeout(Some(Duration::from_secs(300)))?;
    stream.set_write_timeout(Some(Duration::from_secs(10)))?;
    stream.set_nodelay(true)?;

    let mut buffer = [0; 4096];
    loop {
        match stop.run(|| stream.read(&mut buffer)) {
            Ok(Ok(0)) | Err(_) => return Ok(()),
            Ok(n) => stream.write_all(&buffer[..n?])?,
        }
    }
}
