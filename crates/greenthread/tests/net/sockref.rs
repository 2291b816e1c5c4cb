//! Changes of a socket through its descriptor, for example by `socket2::SockRef`, have the effect
//! that they have with std.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::Shutdown,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::SocketAddr,
    },
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use greenthread::{
    net::{TcpListener, TcpStream, UdpSocket},
    os::unix::net::{UnixDatagram, UnixListener, UnixStream},
    thread,
};
use socket2::SockRef;

use crate::common::{everywhere, runtime, system};

/// Longer than any of these tests should take, so that a wait of this length is noticed.
const LONG: Duration = Duration::from_secs(120);
const SHORT: Duration = Duration::from_millis(20);

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap().0)
}

/// Sends until the kernel takes no more.
fn fill(stream: &TcpStream) {
    stream.set_nonblocking(true).unwrap();
    while { stream }.write(&[7; 65536]).is_ok() {}
    stream.set_nonblocking(false).unwrap();
}

/// Drops a stream that has unsent bytes and SO_LINGER. That waits until a sibling on the only
/// worker has received them.
fn drop_waits(stream: TcpStream, peer: TcpStream, drop_it: impl FnOnce(TcpStream)) {
    fill(&stream);
    let start = Instant::now();
    let received = Arc::new(AtomicBool::new(false));
    let sibling = {
        let received = received.clone();
        thread::spawn(move || {
            received.store(true, SeqCst);
            let mut all = Vec::new();
            { &peer }.read_to_end(&mut all).unwrap();
            assert!(all.iter().all(|byte| *byte == 7));
        })
    };
    drop_it(stream);
    assert!(received.load(SeqCst), "the drop is back before anybody has received");
    assert!(start.elapsed() < LONG / 2, "the drop kept its worker");
    sibling.join().unwrap();
}

fn linger(socket: impl AsFd) {
    SockRef::from(&socket).set_linger(Some(LONG)).unwrap();
}

#[test]
fn a_drop_that_lingers_lets_siblings_run() {
    runtime(1).run(|| {
        let (stream, peer) = pair();
        linger(&stream);
        drop_waits(stream, peer, drop);
        // With clones, the drop of the last one waits.
        let (stream, peer) = pair();
        let clone = stream.try_clone().unwrap();
        linger(&stream);
        drop(stream);
        drop_waits(clone, peer, drop);
        // A stream that was made from a descriptor.
        let (stream, peer) = pair();
        linger(&stream);
        drop_waits(TcpStream::from(OwnedFd::from(stream)), peer, drop);
        // A stream that has inherited the option from its listener.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        linger(&listener);
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        drop_waits(listener.accept().unwrap().0, peer, drop);
        // While its thread unwinds.
        let (stream, peer) = pair();
        linger(&stream);
        drop_waits(stream, peer, |stream| {
            let result = catch_unwind(AssertUnwindSafe(|| {
                let _stream = stream;
                panic!("as it should");
            }));
            assert!(result.is_err());
        });
    });
}

/// The result of a call that waited when its socket was shut down, or came after that.
type Outcome = Result<usize, ErrorKind>;

fn outcome<T>(result: io::Result<T>, count: impl FnOnce(T) -> usize) -> Outcome {
    result.map(count).map_err(|error| error.kind())
}

/// The results of two calls that wait when the socket is shut down for reading, and of two calls
/// after that.
fn shut<S: AsFd + Send + Sync + 'static>(socket: S, call: fn(&S) -> Outcome, os: bool) -> Vec<Outcome> {
    let socket = Arc::new(socket);
    let (started, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let outcomes = Arc::new(std::sync::Mutex::new(Vec::new()));
    for _ in 0..2 {
        let (socket, started, done, outcomes) =
            (socket.clone(), started.clone(), done.clone(), outcomes.clone());
        let work = move || {
            started.fetch_add(1, SeqCst);
            let outcome = call(&socket);
            outcomes.lock().unwrap().push(outcome);
            done.fetch_add(1, SeqCst);
        };
        if os {
            drop(std::thread::spawn(work));
        } else {
            drop(thread::spawn(work));
        }
    }
    let wait = |count: &AtomicUsize| {
        let start = Instant::now();
        while count.load(SeqCst) != 2 {
            assert!(start.elapsed() < LONG, "a reader is not freed");
            thread::sleep(Duration::from_millis(1));
        }
    };
    wait(&started);
    thread::sleep(SHORT);
    // For a socket that is not connected the kernel returns an error, but shuts it down.
    let _ = SockRef::from(&*socket).shutdown(Shutdown::Read);
    wait(&done);
    let mut outcomes = std::mem::take(&mut *outcomes.lock().unwrap());
    outcomes.extend([call(&socket), call(&socket)]);
    outcomes
}

fn abstract_address() -> SocketAddr {
    system::address("sockref")
}

/// Compares a call of std's type on OS threads with the same call of this crate's type on both
/// kinds of threads.
macro_rules! as_std {
    ($name:ident, $std:ty, $ours:ty, $make:expr, $call:expr) => {
        #[test]
        fn $name() {
            let theirs = {
                let make: fn() -> $std = $make;
                let call: fn(&$std) -> Outcome = $call;
                shut(make(), call, true)
            };
            let make: fn() -> $std = $make;
            let call: fn(&$ours) -> Outcome = $call;
            everywhere(|| assert_eq!(shut(<$ours>::from(make()), call, false), theirs));
            assert_eq!(shut(<$ours>::from(make()), call, true), theirs);
        }
    };
}

fn udp() -> std::net::UdpSocket {
    std::net::UdpSocket::bind("127.0.0.1:0").unwrap()
}

fn connected_udp() -> std::net::UdpSocket {
    let socket = udp();
    socket.connect(socket.local_addr().unwrap()).unwrap();
    socket
}

as_std!(a_udp_reader_is_freed, std::net::UdpSocket, UdpSocket, udp, |socket| outcome(
    socket.recv(&mut [0; 8]),
    |count| count
));
as_std!(a_udp_peeker_is_freed, std::net::UdpSocket, UdpSocket, udp, |socket| outcome(
    socket.peek(&mut [0; 8]),
    |count| count
));
as_std!(a_udp_reader_who_asks_from_whom_is_freed, std::net::UdpSocket, UdpSocket, udp, |socket| outcome(
    socket.recv_from(&mut [0; 8]),
    |(count, _)| count
));
as_std!(a_connected_udp_reader_is_freed, std::net::UdpSocket, UdpSocket, connected_udp, |socket| outcome(
    socket.recv(&mut [0; 8]),
    |count| count
));
as_std!(
    a_unix_datagram_reader_is_freed,
    std::os::unix::net::UnixDatagram,
    UnixDatagram,
    || std::os::unix::net::UnixDatagram::unbound().unwrap(),
    |socket| outcome(socket.recv(&mut [0; 8]), |count| count)
);
as_std!(
    a_unix_stream_reader_is_freed,
    std::os::unix::net::UnixStream,
    UnixStream,
    || {
        let (one, other) = std::os::unix::net::UnixStream::pair().unwrap();
        std::mem::forget(other);
        one
    },
    |socket| outcome({ socket }.read(&mut [0; 8]), |count| count)
);
as_std!(
    who_accepts_unix_connections_is_freed,
    std::os::unix::net::UnixListener,
    UnixListener,
    || std::os::unix::net::UnixListener::bind_addr(&abstract_address()).unwrap(),
    |socket| outcome(socket.accept(), |_| 0)
);
as_std!(
    who_accepts_tcp_connections_is_freed,
    std::net::TcpListener,
    TcpListener,
    || std::net::TcpListener::bind("127.0.0.1:0").unwrap(),
    |socket| outcome(socket.accept(), |_| 0)
);
as_std!(
    a_tcp_reader_is_freed,
    std::net::TcpStream,
    TcpStream,
    || {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        std::mem::forget(listener.accept().unwrap());
        stream
    },
    |socket| outcome({ socket }.read(&mut [0; 8]), |count| count)
);

#[test]
fn timeouts_and_modes_that_were_set_through_the_descriptor_count() {
    let would_block =
        |result: io::Result<usize>| assert_eq!(result.unwrap_err().kind(), ErrorKind::WouldBlock);
    everywhere(|| {
        let (stream, peer) = pair();
        SockRef::from(&stream).set_read_timeout(Some(SHORT)).unwrap();
        would_block({ &stream }.read(&mut [0]));
        // A clone that std has made is the same socket for the kernel, but another source for the
        // library.
        let clone = stream.try_clone().unwrap();
        clone.set_read_timeout(None).unwrap();
        SockRef::from(&clone).set_nonblocking(true).unwrap();
        would_block({ &stream }.read(&mut [0]));
        SockRef::from(&stream).set_nonblocking(false).unwrap();
        { &peer }.write_all(b"x").unwrap();
        assert_eq!({ &clone }.read(&mut [0]).unwrap(), 1);
        SockRef::from(&stream).set_write_timeout(Some(SHORT)).unwrap();
        for one in [&stream, &clone] {
            would_block(loop {
                if let Err(error) = { one }.write(&[0; 65536]) {
                    break Err(error);
                }
            });
        }

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        SockRef::from(&listener).set_read_timeout(Some(SHORT)).unwrap();
        would_block(listener.accept().map(|_| 0));
        // Options that the connection has inherited.
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut accepted, _) = listener.accept().unwrap();
        would_block(accepted.read(&mut [0]));

        let (mut reader, _writer) = greenthread::io::pipe().unwrap();
        rustix::io::ioctl_fionbio(&reader, true).unwrap();
        would_block(reader.read(&mut [0]));
    });
}
