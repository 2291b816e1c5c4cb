//! From and to descriptors, and std's types.

use std::{
    io::{ErrorKind, Read},
    os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd},
    time::Duration,
};

use greenthread::net::{TcpListener, TcpStream};

use crate::common::sockets::{Kind, a_moment, everywhere, green, listen, pair, receive, send};

/// The kernel counts in ticks, and a tick is 10, 4, 3 1/3 or 1 ms.
const TIMEOUT: Duration = Duration::from_millis(20);

fn nonblocking(socket: &impl AsFd) -> bool {
    socket2::SockRef::from(socket).nonblocking().unwrap()
}

#[test]
fn there_and_back() {
    everywhere(|world| {
        let (client, server) = pair();
        let number = client.as_raw_fd();
        let client = std::net::TcpStream::from(client);
        assert_eq!(client.as_raw_fd(), number);
        let client = TcpStream::from(client);
        let number = client.into_raw_fd();
        // SAFETY: `into_raw_fd` has just given the descriptor away.
        let client = unsafe { TcpStream::from_raw_fd(number) };
        let client = TcpStream::from(OwnedFd::from(client));
        let reader = world.spawn(move || receive::<1>(&client));
        a_moment();
        send(&server, &[1]);
        assert_eq!(reader.join(), [1]);
    });
}

/// A socket that was waited for is registered with the worker's driver, until it is converted to a
/// std type.
#[test]
fn taken_out_after_use() {
    everywhere(|world| {
        let (client, server) = pair();
        client.set_read_timeout(Some(TIMEOUT)).unwrap();
        assert!((&client).read(&mut [0]).is_err());
        let mut theirs = std::net::TcpStream::from(client);
        assert_eq!(theirs.read_timeout().unwrap(), Some(TIMEOUT));
        theirs.set_read_timeout(None).unwrap();
        send(&server, &[1]);
        assert_eq!(theirs.read(&mut [0]).unwrap(), 1);
        // And back again, with the same number.
        let client = TcpStream::from(theirs);
        let reader = world.spawn(move || receive::<1>(&client));
        a_moment();
        send(&server, &[2]);
        assert_eq!(reader.join(), [2]);
    });
}

#[test]
fn settings_come_along() {
    everywhere(|_| {
        let (client, _server) = pair();
        let theirs = std::net::TcpStream::from(client);
        theirs.set_nonblocking(true).unwrap();
        let mut ours = TcpStream::from(theirs);
        assert_eq!(ours.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        ours.set_nonblocking(false).unwrap();
        let theirs = std::net::TcpStream::from(ours);
        assert!(!nonblocking(&theirs));
        theirs.set_read_timeout(Some(TIMEOUT)).unwrap();
        assert_eq!(TcpStream::from(theirs).read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn a_stream_is_left_as_the_user_set_it() {
    everywhere(|world| {
        let (client, server) = pair();
        assert!(!nonblocking(&client) && !nonblocking(&server));
        let (client, server) = (std::sync::Arc::new(client), server);
        let reading = client.clone();
        let reader = world.spawn(move || receive::<1>(&reading));
        a_moment();
        assert!(!nonblocking(&*client));
        send(&server, &[1]);
        reader.join();
    });
}

#[test]
fn a_listener_goes_as_it_was_set() {
    everywhere(|_| {
        let (listener, _) = listen();
        assert!(!nonblocking(&std::net::TcpListener::from(listener)));

        let (listener, _) = listen();
        listener.set_nonblocking(true).unwrap();
        let theirs = std::net::TcpListener::from(listener);
        assert_eq!(theirs.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
        // It comes back in the same mode.
        let ours = TcpListener::from(theirs);
        assert_eq!(ours.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
        ours.set_nonblocking(false).unwrap();
        let clone = ours.try_clone().unwrap();
        // The clone needs the descriptor's mode, so that is not changed.
        assert!(nonblocking(&OwnedFd::from(ours)));
        assert!(!nonblocking(&OwnedFd::from(clone)));
    });
}

#[test]
fn stds_listener_becomes_ours() {
    everywhere(|world| {
        let theirs = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = theirs.local_addr().unwrap();
        let ours = TcpListener::from(theirs);
        let server = world.spawn(move || send(&ours.accept().unwrap().0, &[6]));
        a_moment();
        assert_eq!(receive(&TcpStream::connect(address).unwrap()), [6]);
        server.join();
    });
}

/// Calls on a descriptor that is no socket return errors, and don't wait.
#[test]
fn what_is_no_socket() {
    green(1, Kind::Green, |_| {
        let file = || OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
        assert_eq!(TcpStream::from(file()).read(&mut [0]).unwrap_err().raw_os_error(), Some(libc::ENOTSOCK));
        assert_eq!(TcpListener::from(file()).accept().unwrap_err().raw_os_error(), Some(libc::ENOTSOCK));
    });
}
