//! Sockets that the user has put into blocking mode behind the library's back.

use std::io::{Read, Write};

use greenthread::{
    net::{TcpListener, TcpStream, UdpSocket},
    thread,
};
use socket2::SockRef;

use crate::common::{runtime, sockets::pair};

#[test]
fn a_listener_that_was_made_blocking_does_not_stop_its_worker() {
    runtime(1).run(|| {
        for shown in [false, true] {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            // Another handle, as another process may have one.
            let other = listener.try_clone().unwrap();
            let listener = TcpListener::from(listener);
            let client = thread::spawn(move || TcpStream::connect(address).unwrap());
            assert!(listener.accept().is_ok());
            drop(client.join());
            if shown {
                SockRef::from(&listener).set_nonblocking(false).unwrap();
            } else {
                other.set_nonblocking(false).unwrap();
            }
            let client = thread::spawn(move || TcpStream::connect(address).unwrap());
            assert!(listener.accept().is_ok());
            drop(client.join());
        }
    });
}

/// On Windows the mode of the socket is all that tells a call whether it may wait.
#[test]
fn a_socket_that_was_made_blocking_does_not_stop_its_worker() {
    runtime(1).run(|| {
        let (stream, peer) = pair();
        let block = || SockRef::from(&stream).set_nonblocking(false).unwrap();
        for n in 0..3 {
            block();
            let peer = peer.try_clone().unwrap();
            let sender = thread::spawn(move || { &peer }.write_all(&[n]).unwrap());
            let mut byte = [9];
            { &stream }.read_exact(&mut byte).unwrap();
            assert_eq!(byte, [n]);
            sender.join().unwrap();
        }
        // More than the buffers hold, while a sibling receives.
        block();
        let receiver = thread::spawn(move || {
            let mut all = Vec::new();
            { &peer }.read_to_end(&mut all).unwrap();
            all.len()
        });
        { &stream }.write_all(&vec![7; 32 << 20]).unwrap();
        drop(stream);
        assert_eq!(receiver.join().unwrap(), 32 << 20);

        // A clone shares the mode, and so does one that was given away.
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (clone, address) = (socket.try_clone().unwrap(), socket.local_addr().unwrap());
        let theirs = std::net::UdpSocket::from(socket);
        for n in 0..3 {
            theirs.set_nonblocking(false).unwrap();
            let sender = thread::spawn(move || {
                UdpSocket::bind("127.0.0.1:0").unwrap().send_to(&[n], address).unwrap();
            });
            let mut byte = [9];
            assert_eq!(clone.recv(&mut byte).unwrap(), 1);
            assert_eq!(byte, [n]);
            sender.join().unwrap();
        }
    });
}
