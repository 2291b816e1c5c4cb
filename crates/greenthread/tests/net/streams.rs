//! Connecting, accepting, reading, writing.

use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};

use greenthread::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};

use crate::common::sockets::{Kind, everywhere, green, listen, loopbacks, pair, receive, send};

#[test]
fn they_have_stds_auto_traits() {
    use std::panic::{RefUnwindSafe, UnwindSafe};

    fn is<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe>() {}
    is::<TcpStream>();
    is::<TcpListener>();
    is::<greenthread::net::Incoming<'static>>();
    // A stream shall be small, as programs have many.
    assert!(size_of::<TcpStream>() <= if cfg!(windows) { 112 } else { 96 }, "{}", size_of::<TcpStream>());
}

#[test]
fn a_byte_arrives() {
    everywhere(|world| {
        for loopback in loopbacks() {
            let listener = TcpListener::bind(loopback).unwrap();
            let address = listener.local_addr().unwrap();
            let client = world.spawn(move || {
                let stream = TcpStream::connect(address).unwrap();
                send(&stream, &[99]);
                stream.local_addr().unwrap()
            });
            let (stream, peer) = listener.accept().unwrap();
            assert_eq!(receive::<1>(&stream), [99]);
            assert_eq!(client.join(), peer);
            assert_eq!(stream.local_addr().unwrap(), address);
            assert_eq!(stream.peer_addr().unwrap(), peer);
        }
    });
}

#[test]
fn hosts_are_found_by_name() {
    everywhere(|world| {
        let (listener, address) = listen();
        let client = world.spawn(move || {
            send(&TcpStream::connect(("localhost", address.port())).unwrap(), b"a");
            send(&TcpStream::connect(format!("localhost:{}", address.port())).unwrap(), b"b");
            send(&TcpStream::connect((String::from("127.0.0.1"), address.port())).unwrap(), b"c");
            send(&TcpStream::connect(&[address][..]).unwrap(), b"d");
        });
        for expected in b"abcd" {
            assert_eq!(receive(&listener.accept().unwrap().0), [*expected]);
        }
        client.join();
    });
}

#[test]
fn what_is_no_address_is_refused_as_std_does() {
    everywhere(|_| {
        for wrong in ["127.0.0.1", "127.0.0.1:http", "127.0.0.1:70000", "", ":"] {
            let ours = wrong.to_socket_addrs().map(Vec::from_iter).unwrap_err();
            let theirs = std::net::ToSocketAddrs::to_socket_addrs(wrong).map(Vec::from_iter).unwrap_err();
            assert_eq!((ours.kind(), ours.to_string()), (theirs.kind(), theirs.to_string()), "{wrong:?}");
        }
        let none: &[SocketAddr] = &[];
        assert_eq!(TcpStream::connect(none).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(TcpListener::bind(none).unwrap_err().kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn an_address_is_bound_once() {
    everywhere(|_| {
        let (_listener, address) = listen();
        assert_eq!(TcpListener::bind(address).unwrap_err().kind(), ErrorKind::AddrInUse);
        // The first address is taken, so the second is used.
        let second = TcpListener::bind(&[address, "127.0.0.1:0".parse().unwrap()][..]).unwrap();
        assert_ne!(second.local_addr().unwrap(), address);
    });
}

#[test]
fn nobody_listens() {
    everywhere(|_| {
        let (listener, address) = listen();
        drop(listener);
        assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
        let (_listener, second) = listen();
        assert_eq!(TcpStream::connect(&[address, second][..]).unwrap().peer_addr().unwrap(), second);
    });
}

#[test]
fn connections_one_after_the_other() {
    everywhere(|world| {
        let (listener, address) = listen();
        let client =
            world.spawn(move || (0..10).for_each(|n| send(&TcpStream::connect(address).unwrap(), &[n])));
        for (n, stream) in listener.incoming().enumerate().take(10) {
            assert_eq!(receive(&stream.unwrap()), [n as u8]);
        }
        client.join();
    });
}

#[test]
fn connections_one_inside_the_other() {
    everywhere(|world| {
        let (listener, address) = listen();
        let server = world.spawn(move || {
            let threads: Vec<_> = (0..10_u8)
                .map(|n| {
                    let (stream, _) = listener.accept().unwrap();
                    world.spawn(move || assert_eq!(receive(&stream), [n]))
                })
                .collect();
            threads.into_iter().for_each(|thread| thread.join());
        });
        fn connect(address: SocketAddr, n: u8) {
            if n < 10 {
                let stream = TcpStream::connect(address).unwrap();
                connect(address, n + 1);
                send(&stream, &[n]);
            }
        }
        world.spawn(move || connect(address, 0)).join();
        server.join();
    });
}

#[test]
fn a_read_takes_what_is_there() {
    everywhere(|world| {
        let (client, server) = pair();
        let peer = world.spawn(move || {
            send(&server, &[10]);
            assert_eq!(receive(&server), [1]);
        });
        let mut buffer = [0; 10];
        assert_eq!((&client).read(&mut buffer).unwrap(), 1);
        send(&client, &[1]);
        peer.join();
    });
}

/// With buffers of the message's size no read is short. With larger ones each read is short.
#[test]
fn a_conversation() {
    everywhere(|world| {
        for size in [1, 64, 65, 4096] {
            let (client, server) = pair();
            // The server answers in pieces, which Nagle's algorithm would hold back.
            server.set_nodelay(true).unwrap();
            let peer = world.spawn(move || {
                let mut buffer = vec![0; size];
                let mut count = 0;
                while let n @ 1.. = (&server).read(&mut buffer).unwrap() {
                    send(&server, &buffer[..n]);
                    count += n;
                }
                count
            });
            for n in 0..100 {
                send(&client, &[n; 64]);
                assert_eq!(receive(&client), [n; 64]);
            }
            drop(client);
            assert_eq!(peer.join(), 6400);
        }
    });
}

#[test]
fn several_buffers_at_once() {
    everywhere(|_| {
        let (mut client, mut server) = pair();
        let parts = [IoSlice::new(&[]), IoSlice::new(&[10]), IoSlice::new(&[11, 12])];
        assert_eq!(client.write_vectored(&parts).unwrap(), 3);
        let (mut a, mut b, mut c) = ([], [0], [0; 3]);
        let mut parts = [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b), IoSliceMut::new(&mut c)];
        assert_eq!(server.read_vectored(&mut parts).unwrap(), 3);
        assert_eq!((b, c), ([10], [11, 12, 0]));
        // More slices than one system call takes.
        let many = vec![IoSlice::new(b"x"); 2000];
        let count = client.write_vectored(&many).unwrap();
        assert!((1..=2000).contains(&count));
        let mut all = vec![0; count];
        server.read_exact(&mut all).unwrap();
        assert!(all.iter().all(|byte| *byte == b'x'));
    });
}

#[test]
fn several_buffers_and_a_slow_reader() {
    everywhere(|world| {
        let (mut client, mut server) = pair();
        let reader = world.spawn(move || {
            crate::common::sockets::a_moment();
            let mut all = Vec::new();
            server.read_to_end(&mut all).unwrap();
            all
        });
        let parts: Vec<Vec<u8>> = (0..64).map(|n| vec![n; 200_000 + usize::from(n)]).collect();
        let slices: Vec<_> = parts.iter().map(|part| IoSlice::new(part)).collect();
        // It takes all of it, as a blocking system call does.
        assert_eq!(client.write_vectored(&slices).unwrap(), parts.concat().len());
        drop(client);
        assert!(reader.join() == parts.concat());
    });
}

#[test]
fn peeking_takes_nothing() {
    everywhere(|world| {
        let (client, server) = pair();
        let peer = world.spawn(move || {
            crate::common::sockets::a_moment();
            send(&server, &[1, 3, 3, 7]);
            server
        });
        let mut buffer = [0; 10];
        for _ in 0..3 {
            assert_eq!(client.peek(&mut buffer).unwrap(), 4);
        }
        assert_eq!((&client).read(&mut buffer).unwrap(), 4);
        client.set_nonblocking(true).unwrap();
        assert_eq!(client.peek(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
        drop(peer.join());
    });
}

/// Urgent data end a read early, with more data behind them. Such a short read does not mean that
/// the socket is empty.
#[test]
fn urgent_data_hide_nothing() {
    everywhere(|world| {
        let (client, server) = pair();
        let reader = world.spawn(move || {
            let mut all = Vec::new();
            let mut buffer = [0; 64];
            while all.len() < 8 {
                let count = (&server).read(&mut buffer).unwrap();
                all.extend_from_slice(&buffer[..count]);
            }
            all
        });
        crate::common::sockets::a_moment();
        let socket = socket2::SockRef::from(&client);
        send(&client, b"1234");
        socket.send_out_of_band(b"!").unwrap();
        send(&client, b"5678");
        assert_eq!(reader.join(), b"12345678");
    });
}

#[test]
fn one_who_never_blocks_lets_others_run() {
    green(1, Kind::Green, |world| {
        let (client, server) = pair();
        send(&server, b"x");
        let sibling = world.spawn(|| {});
        let (listener, _address) = listen();
        listener.set_nonblocking(true).unwrap();
        while sibling.is_running() {
            assert_eq!(client.peek(&mut [0]).unwrap(), 1);
        }
        let sibling = world.spawn(|| {});
        while sibling.is_running() {
            assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
        }
    });
}
