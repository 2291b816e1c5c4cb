//! One socket, several handles and several threads.

use std::{
    io::{Read, Write},
    sync::Arc,
};

use greenthread::net::{Shutdown, TcpListener, TcpStream};

use crate::common::sockets::{a_moment, everywhere, listen, pair, receive, send};

#[test]
fn one_reads_and_one_writes() {
    everywhere(|world| {
        let (client, server) = pair();
        let peer = world.spawn(move || {
            assert_eq!(receive(&client), [1]);
            send(&client, &[2]);
        });
        let clone = server.try_clone().unwrap();
        let writer = world.spawn(move || send(&clone, &[1]));
        assert_eq!(receive(&server), [2]);
        writer.join();
        peer.join();
    });
}

#[test]
fn two_clones_read() {
    everywhere(|world| {
        let (client, server) = pair();
        let clone = server.try_clone().unwrap();
        let readers = [server, clone].map(|stream| world.spawn(move || receive::<1>(&stream)));
        send(&client, &[1]);
        a_moment();
        send(&client, &[2]);
        let mut read = readers.map(|reader| reader.join()).concat();
        read.sort();
        assert_eq!(read, [1, 2]);
    });
}

/// Many threads wait on one socket. Each must get its bytes.
#[test]
fn many_threads_read_one_stream() {
    everywhere(|world| {
        let (client, server) = pair();
        let server = Arc::new(server);
        let readers: Vec<_> = (0..20)
            .map(|_| {
                let server = server.clone();
                world.spawn(move || receive::<2>(&server))
            })
            .collect();
        a_moment();
        // All bytes at once, then one by one.
        send(&client, &[7; 20]);
        a_moment();
        (0..20).for_each(|_| send(&client, &[7]));
        readers.into_iter().for_each(|reader| assert_eq!(reader.join(), [7, 7]));
    });
}

#[test]
fn many_threads_write_one_stream() {
    everywhere(|world| {
        let (client, server) = pair();
        let client = Arc::new(client);
        let writers: Vec<_> = (0..8)
            .map(|_| {
                let client = client.clone();
                world.spawn(move || send(&client, &vec![1; 1_000_000]))
            })
            .collect();
        a_moment();
        let mut buffer = vec![0; 8_000_000];
        (&server).read_exact(&mut buffer).unwrap();
        assert!(buffer.iter().all(|byte| *byte == 1));
        writers.into_iter().for_each(|writer| writer.join());
    });
}

#[test]
fn a_clone_while_reading() {
    everywhere(|world| {
        let (client, server) = pair();
        let clone = server.try_clone().unwrap();
        let reader = world.spawn(move || receive::<1>(&clone));
        a_moment();
        drop(server.try_clone().unwrap());
        send(&client, &[5]);
        assert_eq!(reader.join(), [5]);
    });
}

#[test]
fn a_clone_outlives_the_stream() {
    everywhere(|world| {
        let (client, server) = pair();
        let clone = server.try_clone().unwrap();
        let reader = world.spawn(move || receive::<1>(&clone));
        a_moment();
        // The stream is registered with this worker too, and closed here, while the clone is in use
        // elsewhere.
        server.set_read_timeout(Some(std::time::Duration::from_millis(1))).unwrap();
        let _ = (&server).read(&mut [0; 0]);
        drop(server);
        send(&client, &[9]);
        assert_eq!(reader.join(), [9]);
        // With the last handle gone the stream is closed.
        assert_eq!((&client).read(&mut [0]).unwrap(), 0);
    });
}

#[test]
fn two_accept_on_one_listener() {
    everywhere(|world| {
        let (listener, address) = listen();
        let clone = listener.try_clone().unwrap();
        let accept = |listener: TcpListener| world.spawn(move || listener.accept().unwrap().1);
        let servers = [accept(listener), accept(clone)];
        a_moment();
        let clients = [0, 1].map(|_| TcpStream::connect(address).unwrap());
        let mut accepted = servers.map(|server| server.join());
        let mut connected = clients.map(|client| client.local_addr().unwrap());
        accepted.sort();
        connected.sort();
        assert_eq!(accepted, connected);
    });
}

#[test]
fn a_crowd_accepts_on_one_listener() {
    everywhere(|world| {
        let (listener, address) = listen();
        let listener = Arc::new(listener);
        let servers: Vec<_> = (0..10)
            .map(|_| {
                let listener = listener.clone();
                world.spawn(move || (0..10).for_each(|_| send(&listener.accept().unwrap().0, b"!")))
            })
            .collect();
        for _ in 0..100 {
            assert_eq!(receive(&TcpStream::connect(address).unwrap()), *b"!");
        }
        servers.into_iter().for_each(|server| server.join());
    });
}

#[test]
fn both_directions_at_once() {
    everywhere(|world| {
        let (client, server) = pair();
        let ends = [Arc::new(client), Arc::new(server)];
        let threads: Vec<_> = ends
            .iter()
            .flat_map(|end| {
                let (writer, reader) = (end.clone(), end.clone());
                [
                    world.spawn(move || {
                        for _ in 0..200 {
                            send(&writer, &[3; 30_011]);
                        }
                        writer.shutdown(Shutdown::Write).unwrap();
                        0
                    }),
                    world.spawn(move || {
                        let mut count = 0;
                        let mut buffer = [0; 8192];
                        while let n @ 1.. = (&*reader).read(&mut buffer).unwrap() {
                            count += n;
                        }
                        count
                    }),
                ]
            })
            .collect();
        let total: usize = threads.into_iter().map(|thread| thread.join()).sum();
        assert_eq!(total, 2 * 200 * 30_011);
        let [client, _] = ends;
        assert!((&*client).write(&[0]).is_err());
    });
}
