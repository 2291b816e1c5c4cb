//! Ends of streams: closed, shut down, reset, each also while a thread waits.

use std::{
    io::{ErrorKind, Read, Write},
    sync::LazyLock,
    time::Duration,
};

use greenthread::net::{Shutdown, TcpStream};

use crate::common::sockets::{a_moment, everywhere, listen, pair, receive, send};

#[test]
fn the_end_stays_the_end() {
    everywhere(|world| {
        let (client, mut server) = pair();
        let peer = world.spawn(move || {
            a_moment();
            drop(client);
        });
        for _ in 0..3 {
            assert_eq!(server.read(&mut [0]).unwrap(), 0);
        }
        peer.join();
    });
}

/// Data and the end in one event: a reader whose buffer is larger than the data must not wait for
/// more.
#[test]
fn data_and_the_end_together() {
    everywhere(|world| {
        for size in [1, 3, 5, 6, 64, 65536] {
            for early in [false, true] {
                let (client, mut server) = pair();
                let reader = world.spawn(move || {
                    if early {
                        a_moment();
                    }
                    let mut all = Vec::new();
                    let mut buffer = vec![0; size];
                    while let n @ 1.. = server.read(&mut buffer).unwrap() {
                        all.extend_from_slice(&buffer[..n]);
                    }
                    assert_eq!(server.read(&mut buffer).unwrap(), 0);
                    all
                });
                if !early {
                    a_moment();
                }
                send(&client, b"hello");
                drop(client);
                assert_eq!(reader.join(), b"hello");
            }
        }
    });
}

#[test]
fn half_closed() {
    everywhere(|world| {
        let (client, server) = pair();
        let peer = world.spawn(move || {
            assert_eq!((&server).read(&mut [0]).unwrap(), 0);
            // The other direction is open still.
            for _ in 0..100 {
                send(&server, &[1; 1000]);
            }
        });
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!((&client).write(&[1]).unwrap_err().kind(), ErrorKind::BrokenPipe);
        let mut all = Vec::new();
        (&client).read_to_end(&mut all).unwrap();
        assert_eq!(all, [1; 100_000]);
        peer.join();
    });
}

#[test]
fn shut_down_in_every_way() {
    everywhere(|_| {
        let (client, server) = pair();
        let clone = client.try_clone().unwrap();
        client.shutdown(Shutdown::Read).unwrap();
        assert_eq!((&clone).read(&mut [0]).unwrap(), 0);
        send(&clone, &[1]);
        client.shutdown(Shutdown::Write).unwrap();
        assert!((&clone).write(&[1]).is_err());
        assert_eq!(receive(&server), [1]);
        assert_eq!((&server).read(&mut [0]).unwrap(), 0);
        // Once more does no harm.
        let _ = clone.shutdown(Shutdown::Both);
    });
}

#[test]
fn shutting_down_wakes_readers() {
    everywhere(|world| {
        for how in [Shutdown::Read, Shutdown::Both] {
            let (client, _server) = pair();
            let readers = [client.try_clone().unwrap(), client.try_clone().unwrap()]
                .map(|mut stream| world.spawn(move || stream.read(&mut [0]).unwrap()));
            a_moment();
            client.shutdown(how).unwrap();
            assert_eq!(readers.map(|reader| reader.join()), [0, 0]);
        }
    });
}

/// std doesn't document it, but many programs on Linux end their accept loops so.
#[cfg(unix)]
#[test]
fn shutting_down_wakes_accepting_threads() {
    everywhere(|world| {
        let (listener, _) = listen();
        let clone = listener.try_clone().unwrap();
        let server = world.spawn(move || clone.accept().unwrap_err().kind());
        a_moment();
        socket2::SockRef::from(&listener).shutdown(Shutdown::Both).unwrap();
        assert_eq!(server.join(), ErrorKind::InvalidInput);
    });
}

#[test]
fn shutting_down_wakes_a_writer() {
    everywhere(|world| {
        let (client, server) = pair();
        let mut clone = client.try_clone().unwrap();
        let writer = world.spawn(move || {
            let bytes = vec![0; 64 << 20];
            // The call returns how much was sent. The next one returns the error.
            assert!((1..bytes.len()).contains(&clone.write(&bytes).unwrap()));
            clone.write(&bytes).unwrap_err().kind()
        });
        // The write has begun, and its rest is more than the buffers hold.
        receive::<1>(&server);
        a_moment();
        client.shutdown(Shutdown::Both).unwrap();
        assert_eq!(writer.join(), ErrorKind::BrokenPipe);
    });
}

/// Windows reports a reset again and again.
#[cfg(unix)]
#[test]
fn the_peer_goes_while_we_write() {
    everywhere(|world| {
        let bytes = vec![0; 64 << 20];
        let broken = || {
            let (client, server) = pair();
            let peer = world.spawn(move || {
                receive::<1>(&server);
                a_moment();
                // With unread data left this resets the connection.
                drop(server);
            });
            assert!((1..bytes.len()).contains(&(&client).write(&bytes).unwrap()));
            peer.join();
            client
        };
        // The kernel returns a socket's error once. The next caller shall get it, and only that
        // one.
        let client = broken();
        assert_eq!((&client).write(&bytes).unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert_eq!((&client).write(&bytes).unwrap_err().kind(), ErrorKind::BrokenPipe);
        assert_eq!((&client).read(&mut [0]).unwrap(), 0);

        let client = broken();
        assert_eq!((&client).read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert_eq!((&client).read(&mut [0]).unwrap(), 0);

        let client = broken();
        assert_eq!(client.take_error().unwrap().unwrap().kind(), ErrorKind::ConnectionReset);
        assert!(client.take_error().unwrap().is_none());
    });
}

#[test]
fn a_reset_wakes_a_reader() {
    everywhere(|world| {
        let (client, server) = pair();
        let reader = world.spawn(move || {
            let error = (&client).read(&mut [0]).unwrap_err().kind();
            // Windows reports a reset again and again.
            let then = (&client).read(&mut [0]);
            (error, if cfg!(windows) { then.map_or(0, |_| 1) } else { then.unwrap() })
        });
        a_moment();
        socket2::SockRef::from(&server).set_linger(Some(Duration::ZERO)).unwrap();
        drop(server);
        assert_eq!(reader.join(), (ErrorKind::ConnectionReset, 0));
    });
}

#[test]
fn writing_to_a_peer_that_has_gone() {
    everywhere(|world| {
        let (listener, address) = listen();
        world.spawn(move || drop(TcpStream::connect(address).unwrap())).join();
        let mut stream = listener.accept().unwrap().0;
        // The first write may still succeed. It brings the reset.
        let error = (0..100).find_map(|_| {
            a_moment();
            stream.write(&[0]).err()
        });
        let kind = error.expect("at last an error").kind();
        assert!([ErrorKind::ConnectionReset, ErrorKind::BrokenPipe].contains(&kind), "{kind:?}");
    });
}

#[test]
fn a_large_write_and_a_slow_reader() {
    const SIZE: usize = 16 << 20;
    static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let pattern: Vec<u8> = (0..65_521_u64).map(|n| ((n * n) >> 3) as u8).collect();
        pattern.iter().copied().cycle().take(SIZE).collect()
    });
    LazyLock::force(&BYTES);
    everywhere(|world| {
        let (client, mut server) = pair();
        let reader = world.spawn(move || {
            let mut buffer = vec![0; 1 << 20];
            let mut at = 0;
            while let n @ 1.. = server.read(&mut buffer).unwrap() {
                assert!(buffer[..n] == BYTES[at..at + n]);
                at += n;
                if at % 5 == 0 {
                    greenthread::thread::sleep(Duration::from_millis(1));
                }
            }
            at
        });
        // A blocking system call takes all of it, and so does this `write`.
        assert_eq!((&client).write(&BYTES).unwrap(), SIZE);
        drop(client);
        assert_eq!(reader.join(), SIZE);
    });
}
