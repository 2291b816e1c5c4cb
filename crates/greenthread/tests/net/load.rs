//! Many connections, and many that come and go.

use std::{
    io::{Read, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
};

use greenthread::net::{TcpListener, TcpStream};

use crate::common::{
    child, is_child,
    sockets::{Kind, World, green, listen, receive, send},
    text,
};

fn connections(world: World, count: usize) {
    let (listener, address) = listen();
    let server = world.spawn(move || {
        let echoes: Vec<_> = (0..count)
            .map(|_| {
                let (mut stream, _) = listener.accept().unwrap();
                world.spawn(move || {
                    let mut buffer = [0; 256];
                    while let n @ 1.. = stream.read(&mut buffer).unwrap() {
                        stream.write_all(&buffer[..n]).unwrap();
                    }
                })
            })
            .collect();
        echoes.into_iter().for_each(|echo| echo.join());
    });
    let streams: Vec<_> = (0..count).map(|_| TcpStream::connect(address).unwrap()).collect();
    let clients: Vec<_> = streams
        .into_iter()
        .enumerate()
        .map(|(n, stream)| {
            world.spawn(move || {
                for round in 0..3 {
                    let message = ((n << 8) + round).to_le_bytes();
                    send(&stream, &message);
                    assert_eq!(receive(&stream), message);
                }
            })
        })
        .collect();
    clients.into_iter().for_each(|client| client.join());
    server.join();
}

#[test]
fn a_thousand_connections() {
    raise_the_limit();
    for workers in [1, 2] {
        green(workers, Kind::Green, |world| connections(world, 1000));
    }
    crate::common::sockets::in_time(|| connections(World { spawns: Kind::Green }, 1000));
    green(2, Kind::Os, |world| connections(world, 100));
}

/// Both ends and their clones are in this process.
#[cfg(unix)]
fn raise_the_limit() {
    let mut limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current = limit.maximum;
    rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).unwrap();
}

/// Descriptor numbers are reused at once, on several workers. A stale event or registration would
/// wake the wrong thread, or leave one asleep.
#[test]
fn descriptors_that_come_and_go() {
    for workers in [1, 3] {
        green(workers, Kind::Green, |world| {
            let (listener, address) = listen();
            let listener = Arc::new(listener);
            let done = Arc::new(AtomicUsize::new(0));
            let over = Arc::new(AtomicBool::new(false));
            const CLIENTS: usize = 8;
            const ROUNDS: usize = 300;
            let servers: Vec<_> = (0..4)
                .map(|_| {
                    let (listener, over) = (listener.clone(), over.clone());
                    world.spawn(move || {
                        while let Ok((stream, _)) = listener.accept() {
                            if over.load(Relaxed) {
                                return;
                            }
                            // It is closed on the worker on which its thread starts.
                            world.spawn(move || {
                                let mut buffer = [0; 16];
                                while let Ok(n @ 1..) = (&stream).read(&mut buffer) {
                                    send(&stream, &buffer[..n]);
                                }
                            });
                        }
                    })
                })
                .collect();
            let clients: Vec<_> = (0..CLIENTS)
                .map(|n| {
                    let done = done.clone();
                    world.spawn(move || {
                        for round in 0..ROUNDS {
                            let stream = Arc::new(TcpStream::connect(address).unwrap());
                            let message = [n as u8, round as u8, (round >> 8) as u8];
                            send(&stream, &message);
                            if round % 3 == 0 {
                                // It is read by another thread, which may be on another worker.
                                let stream = stream.clone();
                                world.spawn(move || assert_eq!(receive(&stream), message)).join();
                            } else {
                                assert_eq!(receive(&stream), message);
                            }
                            if round % 2 == 0 {
                                // The last handle may be dropped on an OS thread.
                                std::thread::spawn(move || drop(stream));
                            }
                            done.fetch_add(1, Relaxed);
                        }
                    })
                })
                .collect();
            clients.into_iter().for_each(|client| client.join());
            assert_eq!(done.load(Relaxed), CLIENTS * ROUNDS);
            over.store(true, Relaxed);
            servers.iter().for_each(|_| drop(TcpStream::connect(address)));
            servers.into_iter().for_each(|server| server.join());
        });
    }
}

/// The process has no descriptor left. `accept` returns the error, and succeeds again when there is
/// one.
///
/// The limit holds for the whole process, so this runs in a process of its own.
#[cfg(unix)]
#[test]
fn no_descriptor_is_left() {
    if !is_child() {
        let output = child(|_| {});
        assert!(output.status.success(), "{}", text(&output));
        return;
    }
    green(1, Kind::Green, |world| {
        let (listener, address) = listen();
        let (sender, receiver) = greenthread::sync::mpsc::channel();
        let accept = world.spawn(move || {
            let mut failures = 0;
            // The connection stays in the queue, so the call fails again and again. Siblings must
            // still run.
            loop {
                match listener.accept() {
                    Ok(_) => return failures,
                    Err(error) => assert_eq!(error.raw_os_error(), Some(libc::EMFILE)),
                }
                failures += 1;
                if failures == 1000 {
                    sender.send(()).unwrap();
                }
            }
        });
        let (family, kind) = (rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM);
        let socket = rustix::net::socket(family, kind, None).unwrap();
        rustix::io::ioctl_fionbio(&socket, true).unwrap();
        let mut hogs = Vec::new();
        while let Ok(hog) = std::fs::File::open("/dev/null") {
            hogs.push(hog);
        }
        // There is no descriptor for an outgoing connection either.
        let error = TcpStream::connect(address).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
        assert_eq!(TcpListener::bind("127.0.0.1:0").unwrap_err().raw_os_error(), Some(libc::EMFILE));
        let _ = rustix::net::connect(&socket, &address);
        receiver.recv().unwrap();
        drop(hogs);
        assert!(accept.join() >= 1000);
    });
}

/// There is no limit to raise.
#[cfg(windows)]
fn raise_the_limit() {}
