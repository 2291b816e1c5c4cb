//! Servers: HTTP, echo, and echo beside computation.

use std::io;

use bench_common::{Args, BUFFER, Compute, Conn, Effort};

use crate::flavour::{ReadExt as _, TcpListener, TcpStream, WriteExt as _, sleep, start_one, yield_now};

pub async fn http() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    bench_common::listening(listener.local_addr()?.port());
    loop {
        let (stream, _) = listener.accept().await?;
        start_one(async { _ = answer_requests(stream).await }); // an error ends the connection, as an end does
    }
}

pub async fn echo() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    bench_common::listening(listener.local_addr()?.port());
    serve_echo(&listener).await
}

pub async fn unbalanced(args: &Args) -> io::Result<()> {
    let effort = Effort::start();
    for number in 0..args.threads {
        let mut compute = Compute::new(number, &effort);
        start_one(async move {
            loop {
                match compute.slice() {
                    Some(time) => sleep(time).await,
                    None => yield_now().await,
                }
            }
        });
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    bench_common::listening_until(listener.local_addr()?.port(), move || effort.report());
    serve_echo(&listener).await
}

async fn serve_echo(listener: &TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        start_one(async { _ = send_back(stream).await });
    }
}

async fn answer_requests(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut conn = Conn::default();
    loop {
        match stream.read(conn.space()).await? {
            0 => return Ok(()),
            n => stream.write_all(conn.answer(n)?).await?,
        }
    }
}

async fn send_back(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; BUFFER];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            n => stream.write_all(&buffer[..n]).await?,
        }
    }
}
