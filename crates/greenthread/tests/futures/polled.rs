//! Streams that are polled.

use std::{
    future::poll_fn,
    io::{IoSlice, Read, Write},
    net::Shutdown,
    sync::{Arc, Mutex},
    task::Poll,
    time::Duration,
};

use greenthread::{
    block_on, cancel,
    channel::bounded,
    net::{Polled, TcpListener, TcpStream},
    thread,
};

use crate::{Count, common::world::everywhere};

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap().0)
}

fn read(stream: &mut Polled<TcpStream>, buf: &mut [u8]) -> impl Future<Output = usize> {
    poll_fn(|context| stream.poll_read(context, buf).map(Result::unwrap))
}

async fn write_all(stream: &mut Polled<TcpStream>, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let count = poll_fn(|context| {
            let halves = bytes.split_at(bytes.len() / 2);
            if bytes.len().is_multiple_of(3) {
                stream.poll_write(context, bytes)
            } else {
                stream.poll_write_vectored(context, &[IoSlice::new(halves.0), IoSlice::new(halves.1)])
            }
        });
        bytes = &bytes[count.await.unwrap()..];
    }
}

/// More than the kernel takes at once, so that both ends wait.
#[test]
fn much_in_both_directions() {
    everywhere(|world| {
        let (client, mut server) = pair();
        let all: Arc<Vec<u8>> = Arc::new((0..3_000_000_u32).map(|n| (n % 251) as u8).collect());
        let theirs = all.clone();
        let echo = world.spawn(move || {
            let mut bytes = vec![0; theirs.len()];
            server.read_exact(&mut bytes).unwrap();
            assert!(bytes == *theirs);
            server.write_all(&bytes).unwrap();
        });
        let mut client = Polled::new(client);
        block_on(async {
            write_all(&mut client, &all).await;
            client.end_writing().unwrap();
            let (mut bytes, mut filled) = (vec![0; all.len() + 1], 0);
            loop {
                match read(&mut client, &mut bytes[filled..]).await {
                    0 => break,
                    count => filled += count,
                }
            }
            assert!(bytes[..filled] == **all);
        });
        echo.end();
    });
}

#[test]
fn woken_once_by_the_last_waker() {
    everywhere(|_| {
        let (client, mut server) = pair();
        let mut client = Polled::new(client);
        let ((first, one), (second, other)) = (Count::new(), Count::new());
        let mut byte = [0];
        for waker in [&one, &other, &other] {
            let mut context = std::task::Context::from_waker(waker);
            assert!(client.poll_read(&mut context, &mut byte).is_pending());
        }
        server.write_all(b"x").unwrap();
        while second.get() == 0 {
            thread::sleep(Duration::from_micros(100));
        }
        assert_eq!((first.get(), second.get()), (0, 1));
        let mut context = std::task::Context::from_waker(&one);
        assert!(matches!(client.poll_read(&mut context, &mut byte), Poll::Ready(Ok(1))));
        assert!(client.poll_read(&mut context, &mut byte).is_pending());
        // The end, and an event that nobody waits for.
        drop(server);
        while first.get() == 0 {
            thread::sleep(Duration::from_micros(100));
        }
        let end = client.poll_read(&mut context, &mut byte);
        assert!(matches!(end, Poll::Ready(Ok(0))), "{end:?}");
    });
}

/// The task moves from thread to thread while it waits, and is dropped on another one.
#[test]
fn moves_and_is_dropped_anywhere() {
    everywhere(|world| {
        let (client, mut server) = pair();
        let mut client = Polled::new(client);
        for n in 0..40_u8 {
            let (polled, is_polled) = bounded(1);
            let pending = world.spawn(move || {
                let (_, waker) = Count::new();
                let mut context = std::task::Context::from_waker(&waker);
                assert!(client.poll_read(&mut context, &mut [0]).is_pending());
                polled.send(()).unwrap();
                client
            });
            is_polled.recv().unwrap();
            if n % 2 == 0 {
                server.write_all(&[n]).unwrap();
                client = pending.end();
            } else {
                client = pending.end();
                server.write_all(&[n]).unwrap();
            }
            let mut byte = [0];
            assert_eq!(block_on(read(&mut client, &mut byte)), 1);
            assert_eq!(byte, [n]);
        }
        let (_, waker) = Count::new();
        let mut context = std::task::Context::from_waker(&waker);
        assert!(client.poll_read(&mut context, &mut [0]).is_pending());
        world.spawn(move || drop(client)).end();
        assert_eq!(server.read(&mut [0]).unwrap(), 0);
    });
}

/// A thread that reads and tasks that read: each event is for one of them, which passes it on.
#[test]
fn beside_threads_that_read() {
    everywhere(|world| {
        let (client, mut server) = pair();
        let total = Arc::new(Mutex::new(0));
        let mut readers = Vec::new();
        for n in 0..6 {
            let (mut stream, total) = (client.try_clone().unwrap(), total.clone());
            readers.push(world.spawn(move || {
                let mut byte = [0];
                let mut polled = (n % 2 == 0).then(|| Polled::new(stream.try_clone().unwrap()));
                loop {
                    let count = match &mut polled {
                        Some(polled) => block_on(read(polled, &mut byte)),
                        None => stream.read(&mut byte).unwrap(),
                    };
                    if count == 0 {
                        break;
                    }
                    *total.lock().unwrap() += count;
                }
            }));
        }
        for _ in 0..60 {
            server.write_all(&[1; 5]).unwrap();
            thread::yield_now();
        }
        server.shutdown(Shutdown::Write).unwrap();
        readers.into_iter().for_each(|reader| reader.end());
        assert_eq!(*total.lock().unwrap(), 300);
    });
}

#[test]
fn cancelled() {
    everywhere(|_| {
        let (client, mut server) = pair();
        let mut client = Polled::new(client);
        for _ in 0..3 {
            let late = cancel::timeout(Duration::from_millis(1), || block_on(read(&mut client, &mut [0])));
            assert!(late.is_err());
        }
        server.write_all(b"x").unwrap();
        assert_eq!(block_on(read(&mut client, &mut [0])), 1);
        server.write_all(b"y").unwrap();
        client.into_inner().read_exact(&mut [0]).unwrap();
    });
}
