//! Streams and listeners.

use std::{
    io::{ErrorKind, IoSlice, IoSliceMut, Read, Write},
    os::fd::{AsFd, OwnedFd},
    time::Duration,
};

use greenthread::{
    net::Shutdown,
    os::unix::net::{SocketAddr, UnixListener, UnixStream},
};

use super::{Place, nameless_file};
use crate::common::{
    sockets::{Kind, a_moment, everywhere, green},
    system::is_same,
};

#[test]
fn a_conversation() {
    everywhere(|world| {
        let place = Place::new();
        let listener = UnixListener::bind(place.socket()).unwrap();
        let server = world.spawn(move || {
            let (mut stream, address) = listener.accept().unwrap();
            assert!(address.is_unnamed());
            let mut buffer = [0; 5];
            stream.read_exact(&mut buffer).unwrap();
            assert_eq!(&buffer, b"hello");
            stream.write_all(b"world!").unwrap();
        });
        let mut stream = UnixStream::connect(place.socket()).unwrap();
        assert_eq!(stream.peer_addr().unwrap().as_pathname(), Some(&*place.socket()));
        assert!(stream.local_addr().unwrap().is_unnamed());
        stream.write_all(b"hello").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "world!");
        server.join();
    });
}

#[test]
fn pairs_clones_and_several_buffers() {
    everywhere(|world| {
        let (mut one, two) = UnixStream::pair().unwrap();
        let mut clone = two.try_clone().unwrap();
        drop(two);
        let writer = world.spawn(move || {
            a_moment();
            clone.write_vectored(&[IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")]).unwrap()
        });
        let (mut left, mut right) = ([0; 3], [0; 8]);
        let count =
            one.read_vectored(&mut [IoSliceMut::new(&mut left), IoSliceMut::new(&mut right)]).unwrap();
        assert_eq!((count, &left, &right[..2]), (5, b"abc", &b"de"[..]));
        assert_eq!(writer.join(), 5);
        // The clone was dropped with its thread.
        assert_eq!(one.read(&mut [0]).unwrap(), 0);
    });
}

#[test]
fn abstract_addresses() {
    everywhere(|world| {
        let address = nameless_file();
        let listener = UnixListener::bind_addr(&address).unwrap();
        assert!(is_same(&listener.local_addr().unwrap(), &address));
        let to = address.clone();
        let client = world.spawn(move || UnixStream::connect_addr(&to).unwrap().write_all(b"x").unwrap());
        assert_eq!(listener.accept().unwrap().0.read(&mut [0; 2]).unwrap(), 1);
        client.join();
        drop(listener);
        assert_eq!(UnixStream::connect_addr(&address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn paths_that_will_not_do() {
    everywhere(|_| {
        let place = Place::new();
        let long = "x".repeat(200);
        for bad in [&*long, "a\0b"] {
            let ours = UnixListener::bind(bad).unwrap_err();
            let theirs = std::os::unix::net::UnixListener::bind(bad).unwrap_err();
            assert_eq!((ours.kind(), ours.to_string()), (theirs.kind(), theirs.to_string()));
            assert_eq!(UnixStream::connect(bad).unwrap_err().kind(), ErrorKind::InvalidInput);
        }
        assert_eq!(UnixStream::connect(place.socket()).unwrap_err().kind(), ErrorKind::NotFound);
        let listener = UnixListener::bind(place.socket()).unwrap();
        assert_eq!(UnixListener::bind(place.socket()).unwrap_err().kind(), ErrorKind::AddrInUse);
        drop(listener);
        // The file stays, but no socket listens.
        assert_eq!(UnixStream::connect(place.socket()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
        assert!(place.path().join("socket").exists());
    });
}

#[test]
fn many_connections() {
    everywhere(|world| {
        let place = Place::new();
        let listener = UnixListener::bind(place.socket()).unwrap();
        let server = world.spawn(move || {
            for stream in listener.incoming().take(50) {
                let mut byte = [0];
                let mut stream = stream.unwrap();
                stream.read_exact(&mut byte).unwrap();
                stream.write_all(&byte).unwrap();
            }
            // By reference it works in the same way.
            (&listener).into_iter().next().unwrap().unwrap()
        });
        for n in 0..50 {
            let mut stream = UnixStream::connect(place.socket()).unwrap();
            stream.write_all(&[n]).unwrap();
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            assert_eq!(byte, [n]);
        }
        let _last = UnixStream::connect(place.socket()).unwrap();
        server.join();
    });
}

/// More threads connect than the listener's queue holds. They wait, and no worker does.
#[test]
fn a_full_queue_makes_connecting_wait() {
    everywhere(|world| {
        let place = Place::new();
        // One in the queue, and one more, is all that Linux allows with a backlog of 0.
        let theirs = std::os::unix::net::UnixListener::bind(place.socket()).unwrap();
        rustix::net::listen(&theirs, 0).unwrap();
        let listener = UnixListener::from(theirs);
        let clients: Vec<_> = (0..4)
            .map(|_| {
                let path = place.socket();
                world.spawn(move || UnixStream::connect(path).unwrap().write_all(b"x").unwrap())
            })
            .collect();
        a_moment();
        for _ in 0..4 {
            assert_eq!(listener.accept().unwrap().0.read(&mut [0; 2]).unwrap(), 1);
        }
        clients.into_iter().for_each(|client| client.join());
    });
}

/// More clients than the 128 of std's TCP listeners wait to be accepted, if the system allows it.
#[cfg(target_os = "linux")]
#[test]
fn three_hundred_clients_wait_to_be_accepted() {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

    everywhere(|_| {
        let place = Place::new();
        let _listener = UnixListener::bind(place.socket()).unwrap();
        let allowed = std::fs::read_to_string("/proc/sys/net/core/somaxconn");
        let allowed = allowed.map_or(128, |text| text.trim().parse().unwrap());
        let address = SocketAddrUnix::new(place.socket()).unwrap();
        let _clients = Vec::from_iter((0..allowed.min(300)).map(|_| {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            let client = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap();
            connect(&client, &address).unwrap();
            client
        }));
    });
}

#[test]
fn a_large_write_and_a_slow_reader() {
    everywhere(|world| {
        const SIZE: usize = 4 << 20;
        let (one, mut two) = UnixStream::pair().unwrap();
        let reader = world.spawn(move || {
            let mut buffer = vec![0; 100_000];
            let mut at = 0;
            while let n @ 1.. = two.read(&mut buffer).unwrap() {
                assert!(buffer[..n].iter().enumerate().all(|(i, byte)| *byte == ((at + i) % 251) as u8));
                at += n;
            }
            at
        });
        let bytes: Vec<u8> = (0..SIZE).map(|i| (i % 251) as u8).collect();
        assert_eq!((&one).write(&bytes).unwrap(), SIZE);
        drop(one);
        assert_eq!(reader.join(), SIZE);
    });
}

#[test]
fn shutting_down_wakes_waiting_threads() {
    everywhere(|world| {
        for how in [Shutdown::Read, Shutdown::Both] {
            let (one, _two) = UnixStream::pair().unwrap();
            let mut clone = one.try_clone().unwrap();
            let reader = world.spawn(move || clone.read(&mut [0]).unwrap());
            a_moment();
            one.shutdown(how).unwrap();
            assert_eq!(reader.join(), 0);
        }
        let (one, _two) = UnixStream::pair().unwrap();
        let mut clone = one.try_clone().unwrap();
        let writer = world.spawn(move || {
            loop {
                if let Err(error) = clone.write(&[0; 65536]) {
                    break error.kind();
                }
            }
        });
        a_moment();
        one.shutdown(Shutdown::Write).unwrap();
        assert_eq!(writer.join(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn the_other_end_goes() {
    everywhere(|world| {
        let (mut one, two) = UnixStream::pair().unwrap();
        let peer = world.spawn(move || {
            a_moment();
            drop(two);
        });
        assert_eq!(one.read(&mut [0]).unwrap(), 0);
        assert_eq!(one.write(&[0]).unwrap_err().kind(), ErrorKind::BrokenPipe);
        peer.join();
    });
}

#[test]
fn timeouts_and_modes() {
    everywhere(|_| {
        let (mut one, two) = UnixStream::pair().unwrap();
        one.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        assert_eq!(one.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        one.set_write_timeout(Some(Duration::from_millis(20))).unwrap();
        let error = loop {
            if let Err(error) = one.write(&[0; 65536]) {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        assert!(two.set_read_timeout(Some(Duration::ZERO)).is_err());
        let listener = UnixListener::bind_addr(&nameless_file()).unwrap();
        listener.set_nonblocking(true).unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
        let theirs = std::os::unix::net::UnixListener::from(listener);
        assert_eq!(theirs.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}

/// A message with a descriptor ends a read early, with more data behind it. Such a short read does
/// not mean that the socket is empty.
#[test]
fn descriptors_that_are_passed_hide_nothing() {
    everywhere(|world| {
        let (one, mut two) = UnixStream::pair().unwrap();
        let reader = world.spawn(move || {
            let mut all = Vec::new();
            let mut buffer = [0; 100];
            while all.len() < 6 {
                let count = two.read(&mut buffer).unwrap();
                all.extend_from_slice(&buffer[..count]);
            }
            all
        });
        a_moment();
        let file = OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = rustix::net::SendAncillaryBuffer::new(&mut space);
        let passed = [file.as_fd()];
        assert!(ancillary.push(rustix::net::SendAncillaryMessage::ScmRights(&passed)));
        let flags = rustix::net::SendFlags::empty();
        rustix::net::sendmsg(&one, &[IoSlice::new(b"abc")], &mut ancillary, flags).unwrap();
        (&one).write_all(b"def").unwrap();
        assert_eq!(reader.join(), b"abcdef");
    });
}

#[test]
fn they_have_stds_auto_traits() {
    green(1, Kind::Green, |_| {
        let (one, _two) = UnixStream::pair().unwrap();
        assert!(format!("{one:?}").starts_with("UnixStream { fd: "));
        let listener = UnixListener::bind_addr(&nameless_file()).unwrap();
        assert!(format!("{listener:?}").starts_with("UnixListener { fd: "));
        fn same<T: Send + Sync + std::panic::UnwindSafe + std::panic::RefUnwindSafe>() {}
        same::<(UnixStream, UnixListener, SocketAddr)>();
    });
}
