//! An echo server: `cargo run --release --example echo`, then `nc localhost 7777`.
//!
//! It is plain blocking code in which each client has a green thread of its own. Ctrl-C ends it in
//! good order.

mod serve;

use std::{
    convert::Infallible,
    io::{self, Read, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
};

use greenthread::{
    cancel::{self, Scope, Token},
    net::{TcpListener, TcpStream},
    thread::{self, Builder},
    time::Duration,
};

use serve::Live;

fn main() -> ExitCode {
    serve::main("echo", "127.0.0.1:7777", |listener, stop, live| {
        cancel::scope(|clients| {
            let Err(_) = stop.run(|| accept(&listener, clients, stop, &live));
            Ok(())
        })
    })
}

/// Takes connections for ever, each into a thread of its own.
fn accept<'scope>(
    listener: &TcpListener,
    clients: Scope<'scope, '_, io::Error>,
    stop: &'scope Token,
    live: &Live,
) -> Infallible {
    loop {
        let taken = listener.accept().and_then(|(stream, peer)| {
            let (name, live) = (Builder::new().name(format!("client {peer}")), live.clone());
            clients.spawn_with(name, move || {
                let _live = live;
                // An error or a panic concerns this client only: it has vanished, or is too slow.
                let _ = catch_unwind(AssertUnwindSafe(|| echo(&stream, stop)));
                Ok(())
            })
        });
        if let Err(error) = taken {
            // There may be too many open files. Existing connections go on, and the new client
            // waits in the kernel.
            eprintln!("cannot take a new connection: {error}");
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Serves one client. It waits for its input under the token, which is cancelled when the server
/// stops.
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
