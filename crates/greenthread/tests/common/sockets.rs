//! Which kind of threads a test has. Each test is written once, and runs with every mixture of
//! green and OS threads.

#![allow(dead_code, reason = "each test program uses its own part of it")]

use std::{
    io::{Read, Write},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::mpsc::RecvTimeoutError,
    time::Duration,
};

use greenthread::{
    Runtime,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc,
    thread,
};

use crate::common::slowness;

/// Which kind of thread `spawn` makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Green,
    Os,
}

/// How a test makes threads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World {
    pub(crate) spawns: Kind,
}

/// A thread of either kind.
pub(crate) struct Handle<T>(mpsc::Receiver<std::thread::Result<T>>);

impl World {
    pub(crate) fn spawn<T: Send + 'static>(self, f: impl FnOnce() -> T + Send + 'static) -> Handle<T> {
        let (sender, receiver) = mpsc::channel();
        let work = move || {
            let _ = sender.send(catch_unwind(AssertUnwindSafe(f)));
        };
        match self.spawns {
            Kind::Green => drop(thread::spawn(work)),
            Kind::Os => drop(std::thread::spawn(work)),
        }
        Handle(receiver)
    }
}

impl<T> Handle<T> {
    pub(crate) fn join(self) -> T {
        match self.0.recv().expect("the thread leaves a result") {
            Ok(value) => value,
            Err(payload) => resume_unwind(payload),
        }
    }
}

pub(crate) fn runtime(workers: usize) -> Runtime {
    Runtime::builder().workers(workers).build().unwrap()
}

/// The time after which a test counts as hung, where nothing is slower than usual.
const LIMIT: Duration = Duration::from_secs(100);

/// Fails a test that hangs, instead of hanging with it.
pub(crate) fn in_time<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let _ = sender.send(catch_unwind(AssertUnwindSafe(f)));
    });
    match receiver.recv_timeout(LIMIT * slowness()) {
        Ok(Ok(value)) => value,
        Ok(Err(payload)) => resume_unwind(payload),
        Err(RecvTimeoutError::Timeout) => panic!("the test hangs"),
        Err(RecvTimeoutError::Disconnected) => panic!("the test has vanished"),
    }
}

/// Runs `test` on a green thread of a runtime with this many workers. Its threads are of the given
/// kind.
pub(crate) fn green(workers: usize, spawns: Kind, test: impl FnOnce(World) + Send + 'static) {
    in_time(move || runtime(workers).run(|| test(World { spawns })));
}

/// Runs `test` in every mixture of threads.
pub(crate) fn everywhere(test: impl Fn(World) + Copy + Send + 'static) {
    eprintln!("green threads on one worker");
    green(1, Kind::Green, test);
    eprintln!("green threads on two workers");
    green(2, Kind::Green, test);
    eprintln!("OS threads");
    in_time(move || test(World { spawns: Kind::Os }));
    eprintln!("a green thread and OS threads");
    green(2, Kind::Os, test);
    eprintln!("an OS thread and green threads");
    in_time(move || test(World { spawns: Kind::Green }));
}

/// The loopback addresses that this machine has, with port 0.
pub(crate) fn loopbacks() -> Vec<SocketAddr> {
    let all = ["127.0.0.1:0", "[::1]:0"].map(|address| address.parse().unwrap());
    all.into_iter().filter(|address| std::net::TcpListener::bind(address).is_ok()).collect()
}

pub(crate) fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Two ends of a connection.
pub(crate) fn pair() -> (TcpStream, TcpStream) {
    let (listener, address) = listen();
    let client = TcpStream::connect(address).unwrap();
    (client, listener.accept().unwrap().0)
}

pub(crate) fn send(mut stream: &TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).unwrap();
}

pub(crate) fn receive<const N: usize>(mut stream: &TcpStream) -> [u8; N] {
    let mut buffer = [0; N];
    stream.read_exact(&mut buffer).unwrap();
    buffer
}

/// Sleeps for a moment, in which other threads usually come to their blocking calls. No test relies
/// on that.
pub(crate) fn a_moment() {
    thread::sleep(Duration::from_millis(20));
}

impl<T> Handle<T> {
    /// Whether it has not ended yet. It doesn't wait.
    pub(crate) fn is_running(&self) -> bool {
        self.0.try_recv().is_err()
    }
}
