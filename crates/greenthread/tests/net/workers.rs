//! One socket on several workers, runtimes and OS threads.

use std::{
    collections::HashSet,
    io::Read,
    sync::{Arc, Barrier, mpsc},
    time::Duration,
};

use greenthread::{
    net::{Shutdown, TcpStream},
    thread,
};

use crate::common::sockets::{
    Handle, Kind, World, a_moment, green, in_time, listen, pair, receive, runtime, send,
};

/// Runs two green threads on two workers: each blocks its worker until the other one runs.
fn on_two_workers<A: Send + 'static, B: Send + 'static>(
    a: impl FnOnce() -> A + Send + 'static,
    b: impl FnOnce() -> B + Send + 'static,
) -> (Handle<A>, Handle<B>) {
    let world = World { spawns: Kind::Green };
    let both = Arc::new(Barrier::new(2));
    let other = both.clone();
    let meet = |barrier: Arc<Barrier>| thread::without_yield(|| barrier.wait());
    let a = world.spawn(move || {
        meet(both);
        a()
    });
    let b = world.spawn(move || {
        meet(other);
        b()
    });
    (a, b)
}

/// Runs the test on a runtime with three workers: two for `on_two_workers`, and one for the joiner.
fn crossing(test: impl FnOnce() + Send + 'static) {
    green(3, Kind::Green, |_| test());
}

#[test]
fn read_here_written_there_closed_elsewhere() {
    crossing(|| {
        for _ in 0..20 {
            let (client, server) = pair();
            let echo = World { spawns: Kind::Green }.spawn(move || {
                let mut buffer = [0; 64];
                while let n @ 1.. = (&server).read(&mut buffer).unwrap() {
                    send(&server, &buffer[..n]);
                }
            });
            let client = Arc::new(client);
            let (reading, writing) = (client.clone(), client);
            let (reader, writer) = on_two_workers(
                move || {
                    (0..100).for_each(|n| assert_eq!(receive(&reading), [n]));
                    reading
                },
                move || {
                    for n in 0..100 {
                        send(&writing, &[n]);
                        thread::yield_now();
                    }
                    writing
                },
            );
            let handles = (reader.join(), writer.join());
            std::thread::spawn(move || drop(handles)).join().unwrap();
            echo.join();
        }
    });
}

#[test]
fn both_workers_read_one_stream() {
    crossing(|| {
        let (client, server) = pair();
        let server = Arc::new(server);
        let other = server.clone();
        let count = |stream: Arc<TcpStream>| {
            move || {
                let mut count = 0;
                while let n @ 1.. = (&*stream).read(&mut [0; 10]).unwrap() {
                    count += n;
                }
                count
            }
        };
        let (a, b) = on_two_workers(count(server), count(other));
        for _ in 0..500 {
            send(&client, &[1; 17]);
            thread::yield_now();
        }
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(a.join() + b.join(), 500 * 17);
    });
}

#[test]
fn green_and_os_threads_read_one_stream() {
    in_time(|| {
        let (client, server) = pair();
        let server = Arc::new(server);
        let readers: Vec<_> = (0..8)
            .map(|n| {
                let server = server.clone();
                let spawns = if n % 2 == 0 { Kind::Green } else { Kind::Os };
                World { spawns }.spawn(move || receive::<100>(&server))
            })
            .collect();
        for _ in 0..100 {
            send(&client, &[1; 8]);
        }
        readers.into_iter().for_each(|reader| assert_eq!(reader.join(), [1; 100]));
    });
}

#[test]
fn both_workers_accept() {
    crossing(|| {
        let (listener, address) = listen();
        let listener = Arc::new(listener);
        let other = listener.clone();
        let accept = |listener: Arc<greenthread::net::TcpListener>| {
            move || (0..50).map(|_| listener.accept().unwrap().1).collect::<HashSet<_>>()
        };
        let (a, b) = on_two_workers(accept(listener), accept(other));
        let clients: Vec<_> = (0..100).map(|_| TcpStream::connect(address).unwrap()).collect();
        let accepted: HashSet<_> = a.join().union(&b.join()).copied().collect();
        assert_eq!(accepted, clients.iter().map(|client| client.local_addr().unwrap()).collect());
    });
}

#[test]
fn a_shutdown_from_an_os_thread_wakes_green_ones() {
    crossing(|| {
        let (client, _server) = pair();
        let client = Arc::new(client);
        let (one, two) = (client.clone(), client.clone());
        let (a, b) =
            on_two_workers(move || (&*one).read(&mut [0]).unwrap(), move || (&*two).read(&mut [0]).unwrap());
        a_moment();
        std::thread::spawn(move || client.shutdown(Shutdown::Both)).join().unwrap().unwrap();
        assert_eq!((a.join(), b.join()), (0, 0));
    });
}

#[test]
fn a_socket_outlives_runtimes() {
    in_time(|| {
        let (listener, address) = listen();
        let listener = Arc::new(listener);
        let (client, server) = pair();
        let server = Arc::new(server);
        for n in 0..50 {
            let (listener, server) = (listener.clone(), server.clone());
            let runtime = runtime(2);
            let (sender, receiver) = mpsc::channel();
            let accept = runtime.run(move || {
                World { spawns: Kind::Green }.spawn(move || {
                    sender.send(()).unwrap();
                    let got = receive::<1>(&server);
                    drop(listener.accept().unwrap());
                    got
                })
            });
            receiver.recv().unwrap();
            send(&client, &[n]);
            drop(TcpStream::connect(address).unwrap());
            assert_eq!(accept.join(), [n]);
        }
    });
}

#[test]
fn inside_without_yield_the_os_thread_blocks() {
    in_time(|| {
        let (client, server) = pair();
        let reader = runtime(1).run(move || {
            let world = World { spawns: Kind::Green };
            let sibling = world.spawn(|| ());
            let reader = thread::without_yield(|| {
                std::thread::spawn(move || {
                    std::thread::sleep(Duration::from_millis(20));
                    send(&client, &[1]);
                });
                receive::<1>(&server)
            });
            assert!(sibling.is_running(), "nobody else ran on the one worker");
            reader
        });
        assert_eq!(reader, [1]);
    });
}
