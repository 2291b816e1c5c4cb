//! Many threads wait at one socket. Each gets what it waits for, and each sees the end.

use std::{
    io::{ErrorKind, Read, Write},
    net::Shutdown,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use greenthread::{
    Runtime,
    net::{TcpListener, TcpStream, UdpSocket},
    thread,
};

use crate::common::slowness;

fn runtime(workers: usize) -> Runtime {
    Runtime::builder().workers(workers).build().expect("a runtime")
}

#[test]
fn each_datagram_finds_a_reader() {
    const READERS: usize = 2000;
    for workers in [1, 2, 4] {
        runtime(workers).run(|| {
            let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
            let got = Arc::new(AtomicUsize::new(0));
            let readers: Vec<_> = (0..READERS)
                .map(|_| {
                    let (socket, got) = (socket.clone(), got.clone());
                    thread::spawn(move || {
                        assert_eq!(socket.recv(&mut [0; 8]).unwrap(), 1);
                        got.fetch_add(1, SeqCst);
                    })
                })
                .collect();
            let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
            sender.connect(socket.local_addr().unwrap()).unwrap();
            let mut sent = 0;
            while sent < READERS {
                // Several datagrams at once, but not more than the receiver's buffer holds.
                for _ in 0..(1 + sent % 7).min(READERS - sent) {
                    sender.send(b"x").unwrap();
                    sent += 1;
                }
                while got.load(SeqCst) < sent {
                    thread::yield_now();
                }
            }
            readers.into_iter().for_each(|reader| reader.join().unwrap());
        });
    }
}

#[test]
fn all_learn_of_the_end() {
    const READERS: usize = 500;
    for workers in [1, 2] {
        runtime(workers).run(|| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let mut one = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let other = Arc::new(listener.accept().unwrap().0);
            let got = Arc::new(AtomicUsize::new(0));
            let readers: Vec<_> = (0..READERS)
                .map(|_| {
                    let (stream, got) = (other.clone(), got.clone());
                    thread::spawn(move || {
                        while (&*stream).read(&mut [0; 2]).unwrap() > 0 {
                            got.fetch_add(1, SeqCst);
                        }
                    })
                })
                .collect();
            thread::sleep(Duration::from_millis(20));
            one.write_all(&[0; 64]).unwrap();
            one.shutdown(Shutdown::Write).unwrap();
            readers.into_iter().for_each(|reader| reader.join().unwrap());
            assert!((32..=64).contains(&got.load(SeqCst)), "{}", got.load(SeqCst));
        });
    }
}

#[test]
fn each_connection_finds_an_acceptor() {
    const ACCEPTORS: usize = 300;
    for workers in [1, 2] {
        runtime(workers).run(|| {
            let listener = Arc::new(TcpListener::bind("127.0.0.1:0").unwrap());
            let address = listener.local_addr().unwrap();
            let acceptors: Vec<_> = (0..ACCEPTORS)
                .map(|_| {
                    let listener = listener.clone();
                    thread::spawn(move || (0..2).for_each(|_| drop(listener.accept().unwrap())))
                })
                .collect();
            thread::sleep(Duration::from_millis(20));
            (0..2 * ACCEPTORS).for_each(|_| drop(TcpStream::connect(address).unwrap()));
            acceptors.into_iter().for_each(|acceptor| acceptor.join().unwrap());
        });
    }
}

/// A thread that times out does not take a wake-up that others wait for.
#[test]
fn time_outs_take_nothing_along() {
    const READERS: usize = 1000;
    // Each turn of all readers fits into it.
    let timeout = Duration::from_millis(20) * slowness();
    for workers in [1, 2] {
        runtime(workers).run(|| {
            let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
            socket.set_read_timeout(Some(timeout)).unwrap();
            let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
            sender.connect(socket.local_addr().unwrap()).unwrap();
            let counts = Arc::new([const { AtomicUsize::new(0) }; 2]);
            let readers: Vec<_> = (0..READERS)
                .map(|_| {
                    let (socket, counts) = (socket.clone(), counts.clone());
                    thread::spawn(move || {
                        while let Err(error) = socket.recv(&mut [0; 8]) {
                            assert_eq!(error.kind(), ErrorKind::WouldBlock);
                            counts[0].fetch_add(1, SeqCst);
                        }
                        counts[1].fetch_add(1, SeqCst);
                    })
                })
                .collect();
            for sent in 0..READERS {
                sender.send(b"x").unwrap();
                // Readers take datagrams whose time-outs are due meanwhile.
                if sent % 100 == 0 {
                    thread::sleep(timeout);
                }
                while counts[1].load(SeqCst) <= sent {
                    thread::yield_now();
                }
            }
            readers.into_iter().for_each(|reader| reader.join().unwrap());
            assert!(counts[0].load(SeqCst) > 0, "no time-out came in between");
        });
    }
}
