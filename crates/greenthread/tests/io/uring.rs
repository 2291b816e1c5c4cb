//! Sends that go out together, with and without io_uring. Each case runs in a process of its own,
//! since environment variables and filters hold for a process.

use std::{
    io::{ErrorKind, Read, Write},
    process::Command,
    sync::Arc,
};

use greenthread::{
    net::{TcpListener, TcpStream},
    sync::Barrier,
    thread,
};

use crate::common::{
    child,
    filter::forbid,
    is_child,
    machine::{Need, lacks},
    runtime, text,
};

/// Forty clients send small and large messages to forty servers at once, and get them back.
fn echo() {
    const PAIRS: usize = 40;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let serve = |stream: TcpStream| {
            let (mut reader, mut writer) = (&stream, &stream);
            let mut buffer = vec![0; 100_000];
            while let n @ 1.. = reader.read(&mut buffer).unwrap() {
                writer.write_all(&buffer[..n]).unwrap();
            }
        };
        let streams = (0..PAIRS).map(|_| listener.accept().unwrap().0);
        let servers: Vec<_> = streams.map(|stream| thread::spawn(move || serve(stream))).collect();
        servers.into_iter().for_each(|server| server.join().unwrap());
    });
    let together = Arc::new(Barrier::new(PAIRS));
    let clients: Vec<_> = (0..PAIRS)
        .map(|i| {
            let together = together.clone();
            thread::spawn(move || {
                let stream = Arc::new(TcpStream::connect(address).unwrap());
                for size in [1, 64, 5_000, 700_000] {
                    let bytes = vec![i as u8; size];
                    together.wait();
                    let (writer, sent) = (stream.clone(), bytes.clone());
                    let writer = thread::spawn(move || (&*writer).write_all(&sent).unwrap());
                    let mut back = vec![0; size];
                    (&*stream).read_exact(&mut back).unwrap();
                    writer.join().unwrap();
                    assert!(back == bytes);
                }
            })
        })
        .collect();
    clients.into_iter().for_each(|client| client.join().unwrap());
    server.join().unwrap();
}

fn in_a_child(set: impl Fn(&mut Command), test: impl Fn()) {
    if is_child() {
        return test();
    }
    let output = child(set);
    assert!(output.status.success(), "{}", text(&output));
}

fn with_two_sizes() {
    [1, 2].into_iter().for_each(|workers| runtime(workers).run(echo));
}

#[test]
fn every_send_by_the_ring() {
    let set = |command: &mut Command| {
        command.env("GREENTHREAD_IO_BATCH", "0");
    };
    in_a_child(set, with_two_sizes);
}

#[test]
fn sends_in_batches() {
    in_a_child(|_| {}, with_two_sizes);
}

#[test]
fn each_send_by_itself() {
    let set = |command: &mut Command| {
        command.env("GREENTHREAD_IO", "poll").env("GREENTHREAD_IO_BATCH", "0");
    };
    in_a_child(set, with_two_sizes);
}

#[test]
fn where_it_is_forbidden_all_goes_on_without() {
    if lacks(&[Need::Filters]) {
        return;
    }
    let set = |command: &mut Command| {
        command.env("GREENTHREAD_IO_BATCH", "0");
    };
    in_a_child(set, || {
        forbid(libc::SYS_io_uring_setup);
        with_two_sizes();
    });
}

#[test]
fn a_ring_that_is_asked_for_and_forbidden_is_an_error() {
    if lacks(&[Need::Filters]) {
        return;
    }
    let set = |command: &mut Command| {
        command.env("GREENTHREAD_IO", "uring");
    };
    in_a_child(set, || {
        forbid(libc::SYS_io_uring_setup);
        let error = greenthread::Runtime::builder().workers(1).build().unwrap_err();
        // On some processors the library has no rings at all.
        let expected = [ErrorKind::PermissionDenied, ErrorKind::Unsupported];
        assert!(expected.contains(&error.kind()), "{error}");
        assert!(error.to_string().contains("GREENTHREAD_IO"), "{error}");
    });
}
