//! The traits of tokio and of futures-io.

use std::{
    future::poll_fn,
    io::{Read, Write},
    mem::MaybeUninit,
    pin::Pin,
};

use greenthread::{
    block_on,
    net::{TcpListener, TcpStream},
    thread,
};
use greenthread_async::Async;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap().0)
}

/// A green thread that sends back what it reads, up to the end.
fn echo(mut server: TcpStream) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut bytes = vec![0; 10_000];
        loop {
            match server.read(&mut bytes).unwrap() {
                0 => break,
                count => server.write_all(&bytes[..count]).unwrap(),
            }
        }
    })
}

/// Both halves at once.
async fn by_tokio(client: TcpStream) {
    let (mut reader, mut writer) = tokio::io::split(Async::new(client));
    let all: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 253) as u8).collect();
    let sent = all.clone();
    let writing = async {
        writer.write_all(&sent).await.unwrap();
        writer.shutdown().await.unwrap();
    };
    let mut bytes = Vec::new();
    let reading = async { reader.read_to_end(&mut bytes).await.unwrap() };
    tokio::join!(writing, reading);
    assert!(bytes == all);
}

#[test]
fn tokio_on_green_threads() {
    greenthread::run(|| {
        let (client, server) = pair();
        let echo = echo(server);
        block_on(by_tokio(client));
        echo.join().unwrap();
    });
}

#[test]
fn tokio_on_tokio() {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let (client, server) = pair();
    let echo = echo(server);
    tokio.block_on(async {
        tokio::spawn(by_tokio(client)).await.unwrap();
        // A green thread is a future there.
        echo.await.unwrap();
    });
}

#[test]
fn futures_io() {
    use futures_io::{AsyncRead, AsyncWrite};
    greenthread::run(|| {
        let (client, server) = pair();
        let echo = echo(server);
        let mut client = Async::new(client);
        block_on(async {
            let sent = poll_fn(|context| Pin::new(&mut client).poll_write(context, b"hello"));
            assert_eq!(sent.await.unwrap(), 5);
            poll_fn(|context| AsyncWrite::poll_flush(Pin::new(&mut client), context)).await.unwrap();
            poll_fn(|context| Pin::new(&mut client).poll_close(context)).await.unwrap();
            let mut bytes = [0; 5];
            let received =
                poll_fn(|context| AsyncRead::poll_read(Pin::new(&mut client), context, &mut bytes));
            assert_eq!(received.await.unwrap(), 5);
            assert_eq!(&bytes, b"hello");
        });
        echo.join().unwrap();
    });
}

/// A read writes what it has read, and nothing else: the room behind it may be large.
#[test]
fn room_is_not_initialised() {
    let (client, server) = pair();
    (&server).write_all(b"hello").unwrap();
    let mut stream = Async::new(client);
    let mut memory = [MaybeUninit::uninit(); 100];
    let mut buffer = ReadBuf::uninit(&mut memory);
    block_on(poll_fn(|context| AsyncRead::poll_read(Pin::new(&mut stream), context, &mut buffer))).unwrap();
    assert_eq!((buffer.filled(), buffer.initialized().len()), (&b"hello"[..], 5));
}
