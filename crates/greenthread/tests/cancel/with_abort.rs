//! Cancellation in a program that can't unwind. A test can't be built so, a program can:
//! `CARGO_PROFILE_DEV_PANIC=abort cargo run -p greenthread --example with_abort`.

use std::{
    io::{self, ErrorKind, Read, Write},
    time::Duration,
};

use greenthread::{
    Runtime,
    cancel::{self, Cancelled, Token},
    channel, fs,
    net::{TcpListener, TcpStream, ToSocketAddrs},
    thread,
};

const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(5);

fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap().0)
}

#[track_caller]
fn assert_cancelled<T>(result: io::Result<T>) {
    let error = result.err().expect("it was cancelled");
    assert!(error.get_ref().is_some_and(|error| error.is::<Cancelled>()), "{error:?}");
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Other, "cancelled"));
}

fn calls_fail() {
    let (mut stream, mut other) = connection();
    // `timeout` returns what its closure has returned.
    assert_cancelled(cancel::timeout(SHORT, || stream.read(&mut [0])).unwrap());
    // No loop tries again.
    assert_cancelled(cancel::timeout(SHORT, || stream.read_exact(&mut [0; 4])).unwrap());
    assert_cancelled(cancel::timeout(SHORT, || io::copy(&mut stream, &mut io::sink())).unwrap());
    assert_cancelled(cancel::timeout(SHORT, || other.write_all(&vec![0; 64 << 20])).unwrap());
    let (stream, _other) = connection();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let token = Token::new();
    token.cancel();
    token
        .run(|| {
            assert!(cancel::is_cancelled());
            // It is a level: every call fails, before it begins.
            assert_cancelled(listener.accept());
            assert_cancelled((&stream).write(&[0]));
            assert_cancelled(("localhost", 80).to_socket_addrs());
            cancel::shield(|| {
                assert_eq!((&stream).write(&[0]).unwrap(), 1);
                stream.set_read_timeout(Some(SHORT)).unwrap();
                let error = (&stream).read(&mut [0]).unwrap_err();
                assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
            });
        })
        .unwrap();
    assert!(!cancel::is_cancelled());
}

fn other_waits_go_on() {
    let token = Token::new();
    token.cancel();
    let (sender, receiver) = channel::bounded(1);
    let done = token.run(|| {
        cancel::checkpoint();
        thread::yield_now();
        thread::sleep(SHORT);
        thread::park_timeout(SHORT);
        sender.send(7).unwrap();
        assert!(fs::metadata(".").is_ok() && fs::read_dir(".").unwrap().next().is_some());
        assert!(fs::read(std::env::current_exe().unwrap()).unwrap().len() > 4);
        (receiver.recv().unwrap(), thread::unblock(|| 8), thread::spawn(|| 9).join().unwrap())
    });
    assert_eq!(done.unwrap(), (7, 8, 9));
}

fn threads_fail_together() {
    let (mut stream, _other) = connection();
    let failed = cancel::scope(|scope| {
        let reading = scope.spawn(move || stream.read_exact(&mut [0]).map_err(|error| error.to_string()));
        scope.spawn(|| Err::<(), _>("no route".to_string()));
        // The thread was not the first to fail. Its joiner can't be unwound, and gets its error.
        let error = reading.join().unwrap_err();
        assert_eq!(error, "cancelled");
        Ok(())
    });
    assert_eq!(failed, Err("no route".to_string()));
    let first = cancel::race([LONG, SHORT].map(|limit| {
        let (mut stream, other) = connection();
        stream.set_read_timeout(Some(limit)).unwrap();
        move || {
            _ = (stream.read(&mut [0]), other);
            limit
        }
    }));
    assert_eq!(first, SHORT);
}

fn main() {
    if cfg!(not(panic = "abort")) {
        println!("nothing to see: this program can unwind");
        return;
    }
    let all = || {
        calls_fail();
        other_waits_go_on();
        threads_fail_together();
    };
    std::thread::spawn(all).join().unwrap();
    for workers in [1, 2] {
        Runtime::builder().workers(workers).build().unwrap().run(all);
    }
    let thread = thread::spawn(|| {
        let (mut stream, _other) = connection();
        stream.read(&mut [0])
    });
    std::thread::sleep(SHORT);
    thread.cancel();
    assert_cancelled(thread.join().unwrap());
    println!("as it should be");
}
