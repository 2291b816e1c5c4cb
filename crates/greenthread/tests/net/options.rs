//! Timeouts, modes and options.

use std::{
    io::{ErrorKind, Read, Write},
    time::{Duration, Instant},
};

use greenthread::net::{TcpListener, TcpStream};

use crate::common::sockets::{a_moment, everywhere, listen, pair, receive, send};

/// The kernel counts in ticks, and a tick is 10, 4, 3 1/3 or 1 ms.
const SHORT: Duration = Duration::from_millis(40);
/// An OS thread waits in the kernel, which counts a socket's timeout in ticks, from the last one
/// on: up to one too few.
const TICK: Duration = Duration::from_millis(10);
const LONG: Duration = Duration::from_secs(15410);

#[test]
fn timeouts_are_what_was_set() {
    everywhere(|_| {
        let (stream, _peer) = pair();
        assert_eq!((stream.read_timeout().unwrap(), stream.write_timeout().unwrap()), (None, None));
        stream.set_read_timeout(Some(LONG)).unwrap();
        assert_eq!((stream.read_timeout().unwrap(), stream.write_timeout().unwrap()), (Some(LONG), None));
        stream.set_write_timeout(Some(LONG)).unwrap();
        stream.set_read_timeout(None).unwrap();
        assert_eq!((stream.read_timeout().unwrap(), stream.write_timeout().unwrap()), (None, Some(LONG)));
        stream.set_write_timeout(None).unwrap();
        assert_eq!(stream.write_timeout().unwrap(), None);
        let zero = Some(Duration::ZERO);
        assert_eq!(stream.set_read_timeout(zero).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(stream.set_write_timeout(zero).unwrap_err().kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn a_read_times_out_and_the_stream_is_as_good_as_before() {
    everywhere(|_| {
        let (mut stream, peer) = pair();
        stream.set_read_timeout(Some(SHORT)).unwrap();
        for round in 0..3 {
            let start = Instant::now();
            let error = stream.read(&mut [0; 8]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            #[cfg(unix)]
            assert_eq!(error.raw_os_error(), Some(libc::EAGAIN));
            assert!(start.elapsed() + TICK >= SHORT, "{:?}", start.elapsed());
            send(&peer, &[round]);
            assert_eq!(receive(&stream), [round]);
        }
        stream.set_read_timeout(Some(LONG)).unwrap();
        send(&peer, &[7]);
        assert_eq!(receive(&stream), [7]);
    });
}

#[test]
fn a_clone_shares_timeouts_and_mode() {
    everywhere(|_| {
        let (stream, _peer) = pair();
        let mut clone = stream.try_clone().unwrap();
        stream.set_read_timeout(Some(SHORT)).unwrap();
        assert_eq!(clone.read_timeout().unwrap(), Some(SHORT));
        assert_eq!(clone.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        clone.set_read_timeout(None).unwrap();
        clone.set_nonblocking(true).unwrap();
        assert_eq!((&stream).read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn a_write_times_out() {
    everywhere(|_| {
        let (mut stream, peer) = pair();
        stream.set_write_timeout(Some(SHORT)).unwrap();
        let bytes = vec![1; 64 << 20];
        let start = Instant::now();
        // The first call returns how much was sent. The next one times out.
        let mut count = stream.write(&bytes).unwrap();
        assert!(count < bytes.len());
        loop {
            match stream.write(&bytes) {
                Ok(more) => count += more,
                Err(error) => break assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
        assert!(start.elapsed() + TICK >= SHORT);
        drop(stream);
        let mut all = Vec::new();
        (&peer).read_to_end(&mut all).unwrap();
        assert_eq!(all.len(), count);
    });
}

#[test]
fn nothing_blocks_in_non_blocking_mode() {
    everywhere(|_| {
        let (listener, address) = listen();
        listener.set_nonblocking(true).unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
        assert_eq!(listener.incoming().next().unwrap().unwrap_err().kind(), ErrorKind::WouldBlock);
        let mut stream = TcpStream::connect(address).unwrap();
        let (peer, _) = listener.accept().unwrap();
        // The connection does not inherit the mode.
        send(&stream, &[1]);
        assert_eq!(receive(&peer), [1]);
        listener.set_nonblocking(false).unwrap();

        stream.set_nonblocking(true).unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        let bytes = vec![0; 64 << 20];
        while stream.write(&bytes).is_ok() {}
        assert_eq!(stream.write(&bytes).unwrap_err().kind(), ErrorKind::WouldBlock);
        stream.set_nonblocking(false).unwrap();
        send(&peer, &[2]);
        assert_eq!(receive(&stream), [2]);
    });
}

/// The mode may change while a thread waits. As in the system, it counts from the next call on.
#[test]
fn blocking_again() {
    everywhere(|world| {
        let (stream, peer) = pair();
        stream.set_nonblocking(true).unwrap();
        assert!((&stream).read(&mut [0]).is_err());
        stream.set_nonblocking(false).unwrap();
        let reader = world.spawn(move || receive::<1>(&stream));
        a_moment();
        send(&peer, &[4]);
        assert_eq!(reader.join(), [4]);
    });
}

#[test]
fn options_are_what_was_set() {
    everywhere(|_| {
        let (listener, address) = listen();
        listener.set_ttl(100).unwrap();
        assert_eq!(listener.ttl().unwrap(), 100);
        assert!(listener.take_error().unwrap().is_none());
        let stream = TcpStream::connect(address).unwrap();
        stream.set_ttl(101).unwrap();
        assert_eq!(stream.ttl().unwrap(), 101);
        for nodelay in [true, false] {
            stream.set_nodelay(nodelay).unwrap();
            assert_eq!(stream.nodelay().unwrap(), nodelay);
        }
        assert!(stream.take_error().unwrap().is_none());
    });
}

#[test]
fn debug_is_like_stds() {
    everywhere(|_| {
        let (listener, address) = listen();
        let shown = format!("{listener:?}");
        assert_eq!(shown, format!("{:?}", std::net::TcpListener::from(listener)));
        assert!(shown.starts_with(&format!("TcpListener {{ addr: {address:?}, ")), "{shown}");
        let (listener, address) = listen();
        let stream = TcpStream::connect(address).unwrap();
        let (local, shown) = (stream.local_addr().unwrap(), format!("{stream:?}"));
        assert_eq!(shown, format!("{:?}", std::net::TcpStream::from(stream)));
        assert!(shown.starts_with(&format!("TcpStream {{ addr: {local:?}, peer: {address:?}, ")), "{shown}");
        drop(listener);
    });
}

#[test]
fn connecting_with_a_timeout() {
    everywhere(|_| {
        let (listener, address) = listen();
        for timeout in [Duration::from_secs(2), LONG, Duration::MAX] {
            let stream = TcpStream::connect_timeout(&address, timeout).unwrap();
            // The stream is in blocking mode again, as std's is. (Windows does not tell.)
            #[cfg(unix)]
            assert!(!socket2::SockRef::from(&stream).nonblocking().unwrap());
            let (peer, _) = listener.accept().unwrap();
            send(&peer, &[1]);
            assert_eq!(receive(&stream), [1]);
        }
        let zero = TcpStream::connect_timeout(&address, Duration::ZERO).unwrap_err();
        assert_eq!(zero.kind(), ErrorKind::InvalidInput);
        drop(listener);
        let refused = TcpStream::connect_timeout(&address, LONG).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn connecting_takes_too_long() {
    everywhere(|_| {
        // A listener whose queue is full answers no connection.
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
        socket.listen(0).unwrap();
        let listener: TcpListener = std::net::TcpListener::from(socket).into();
        let address = listener.local_addr().unwrap();
        let mut queued = Vec::new();
        for _ in 0..10 {
            let start = Instant::now();
            match TcpStream::connect_timeout(&address, SHORT) {
                Ok(stream) => queued.push(stream),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::TimedOut);
                    assert!(start.elapsed() + TICK >= SHORT);
                    return;
                }
            }
        }
        panic!("a queue of length 0 took {} connections", queued.len());
    });
}
