//! Servers: HTTP, echo, and echo beside computation.

use std::io::{self, Read, Write};

use bench_common::{Args, BUFFER, Compute, Conn, Effort};

use crate::flavour::{TcpListener, TcpStream, sleep, spawn, yield_now};

pub fn http() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    bench_common::listening(listener.local_addr()?.port());
    serve(&listener, answer_requests)
}

pub fn echo() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    bench_common::listening(listener.local_addr()?.port());
    serve(&listener, send_back)
}

pub fn unbalanced(args: &Args) -> io::Result<()> {
    let effort = Effort::start();
    for number in 0..args.threads {
        let mut compute = Compute::new(number, &effort);
        spawn(move || {
            loop {
                match compute.slice() {
                    Some(time) => sleep(time),
                    None => yield_now(),
                }
            }
        });
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    bench_common::listening_until(listener.local_addr()?.port(), move || effort.report());
    serve(&listener, send_back)
}

/// A thread for each connection. An error ends it, as the end of input does.
fn serve(listener: &TcpListener, connection: fn(TcpStream) -> io::Result<()>) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept()?;
        spawn(move || _ = connection(stream));
    }
}

fn answer_requests(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut conn = Conn::default();
    loop {
        match stream.read(conn.space())? {
            0 => return Ok(()),
            n => stream.write_all(conn.answer(n)?)?,
        }
    }
}

fn send_back(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = [0; BUFFER];
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            n => stream.write_all(&buffer[..n])?,
        }
    }
}
