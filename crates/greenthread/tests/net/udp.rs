//! UDP sockets.

use std::{io::ErrorKind, sync::Arc, time::Duration};

use greenthread::net::{Ipv4Addr, SocketAddr, UdpSocket};

use crate::common::sockets::{World, a_moment, everywhere, loopbacks};

fn pair_on(address: SocketAddr) -> (UdpSocket, UdpSocket) {
    (UdpSocket::bind(address).unwrap(), UdpSocket::bind(address).unwrap())
}

fn pair() -> (UdpSocket, UdpSocket) {
    pair_on(SocketAddr::from(([127, 0, 0, 1], 0)))
}

#[test]
fn datagrams_and_their_senders() {
    everywhere(|world| {
        for address in loopbacks() {
            let (one, two) = pair_on(address);
            let (name_of_one, name_of_two) = (one.local_addr().unwrap(), two.local_addr().unwrap());
            let receiver = world.spawn(move || {
                let mut buffer = [0; 8];
                assert_eq!(one.recv_from(&mut buffer).unwrap(), (3, name_of_two));
                assert_eq!(&buffer[..3], b"one");
                // The rest of a datagram that does not fit is lost. The next call receives the next
                // one.
                let cut = one.recv_from(&mut buffer[..2]);
                if cfg!(windows) {
                    // `WSAEMSGSIZE`, as with std.
                    assert_eq!(cut.unwrap_err().raw_os_error(), Some(10040));
                } else {
                    assert_eq!(cut.unwrap(), (2, name_of_two));
                }
                assert_eq!(one.recv_from(&mut buffer).unwrap(), (0, name_of_two));
                assert_eq!(one.recv_from(&mut buffer).unwrap(), (4, name_of_two));
                assert_eq!(&buffer[..4], b"last");
            });
            a_moment();
            for datagram in [&b"one"[..], b"two", b"", b"last"] {
                assert_eq!(two.send_to(datagram, name_of_one).unwrap(), datagram.len());
            }
            receiver.join();
        }
    });
}

#[test]
fn peeking_takes_nothing() {
    everywhere(|_| {
        let (one, two) = pair();
        one.connect(two.local_addr().unwrap()).unwrap();
        two.connect(one.local_addr().unwrap()).unwrap();
        two.send(b"word").unwrap();
        let mut buffer = [0; 8];
        for _ in 0..3 {
            assert_eq!(one.peek(&mut buffer).unwrap(), 4);
            assert_eq!(one.peek_from(&mut buffer).unwrap(), (4, two.local_addr().unwrap()));
        }
        assert_eq!(one.recv(&mut buffer).unwrap(), 4);
        one.set_nonblocking(true).unwrap();
        assert_eq!(one.peek(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn connected_to_one_it_hears_nobody_else() {
    everywhere(|_| {
        let (one, two) = pair();
        let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(one.peer_addr().is_err());
        assert!(one.send(b"to whom?").is_err());
        one.connect(two.local_addr().unwrap()).unwrap();
        assert_eq!(one.peer_addr().unwrap(), two.local_addr().unwrap());
        stranger.send_to(b"psst", one.local_addr().unwrap()).unwrap();
        two.send_to(b"hello", one.local_addr().unwrap()).unwrap();
        assert_eq!(one.recv(&mut [0; 8]).unwrap(), 5);
        one.set_nonblocking(true).unwrap();
        assert_eq!(one.recv(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}

/// On Linux the next call returns the error that no socket has received the datagram.
/// Wine reports no event for the refusal.
#[cfg(unix)]
#[test]
fn nobody_is_there() {
    everywhere(|world| {
        let (one, two) = pair();
        one.connect(two.local_addr().unwrap()).unwrap();
        drop(two);
        let one = Arc::new(one);
        let receiving = one.clone();
        let receiver = world.spawn(move || receiving.recv(&mut [0]).unwrap_err().kind());
        a_moment();
        one.send(b"hello?").unwrap();
        assert_eq!(receiver.join(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn timeouts() {
    everywhere(|world| {
        let (one, two) = pair();
        assert_eq!(one.read_timeout().unwrap(), None);
        assert!(one.set_read_timeout(Some(Duration::ZERO)).is_err());
        one.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let clone = one.try_clone().unwrap();
        for _ in 0..2 {
            assert_eq!(one.recv(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
            assert_eq!(clone.recv_from(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        }
        one.set_read_timeout(None).unwrap();
        let to = one.local_addr().unwrap();
        let sender = world.spawn(move || {
            a_moment();
            two.send_to(b"late", to).unwrap();
        });
        assert_eq!(one.recv(&mut [0; 8]).unwrap(), 4);
        sender.join();
    });
}

/// Each datagram goes to one thread, and all waiting threads get one.
#[test]
fn several_receive_on_one_socket() {
    fn test(world: World) {
        const RECEIVERS: usize = 4;
        let (one, two) = pair();
        let (to, one) = (one.local_addr().unwrap(), Arc::new(one));
        let receivers: Vec<_> = (0..RECEIVERS)
            .map(|_| {
                let one = one.clone();
                world.spawn(move || {
                    let mut byte = [0];
                    let mut seen = Vec::new();
                    while one.recv(&mut byte).unwrap() == 1 {
                        seen.push(byte[0]);
                    }
                    seen
                })
            })
            .collect();
        for n in 0..100 {
            two.send_to(&[n], to).unwrap();
        }
        for _ in 0..RECEIVERS {
            two.send_to(&[], to).unwrap();
        }
        let mut all: Vec<_> = receivers.into_iter().flat_map(|receiver| receiver.join()).collect();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
    }
    everywhere(test);
}

#[test]
fn options_are_what_was_set() {
    everywhere(|_| {
        let (one, _two) = pair();
        one.set_broadcast(true).unwrap();
        one.set_multicast_loop_v4(false).unwrap();
        one.set_multicast_ttl_v4(7).unwrap();
        one.set_ttl(8).unwrap();
        assert!(one.broadcast().unwrap());
        assert!(!one.multicast_loop_v4().unwrap());
        assert_eq!((one.multicast_ttl_v4().unwrap(), one.ttl().unwrap()), (7, 8));
        assert!(one.take_error().unwrap().is_none());
        assert!(one.join_multicast_v4(&Ipv4Addr::LOCALHOST, &Ipv4Addr::UNSPECIFIED).is_err());
    });
}

#[test]
fn a_group_on_loopback() {
    everywhere(|world| {
        let group = Ipv4Addr::new(239, 77, 0, 1);
        let member = UdpSocket::bind("0.0.0.0:0").unwrap();
        member.join_multicast_v4(&group, &Ipv4Addr::LOCALHOST).unwrap();
        let to = (group, member.local_addr().unwrap().port());
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        let clone = member.try_clone().unwrap();
        let receiver = world.spawn(move || clone.recv(&mut [0; 8]).unwrap());
        a_moment();
        sender.send_to(b"all", to).unwrap();
        assert_eq!(receiver.join(), 3);
        member.leave_multicast_v4(&group, &Ipv4Addr::LOCALHOST).unwrap();
        assert!(member.leave_multicast_v4(&group, &Ipv4Addr::LOCALHOST).is_err());
    });
}

#[test]
fn an_address_is_bound_once() {
    everywhere(|_| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let again = UdpSocket::bind(socket.local_addr().unwrap());
        assert_eq!(again.unwrap_err().kind(), ErrorKind::AddrInUse);
        let nowhere: &[SocketAddr] = &[];
        assert_eq!(UdpSocket::bind(nowhere).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(socket.send_to(&[], nowhere).unwrap_err().kind(), ErrorKind::InvalidInput);
        let large = socket.send_to(&[0; 100_000], socket.local_addr().unwrap()).unwrap_err();
        // `EMSGSIZE`.
        let error = if cfg!(target_os = "linux") {
            90
        } else if cfg!(windows) {
            10040
        } else {
            40
        };
        assert_eq!(large.raw_os_error(), Some(error));
    });
}

#[test]
fn there_and_back() {
    everywhere(|_| {
        let (one, two) = pair();
        let theirs = std::net::UdpSocket::from(one);
        theirs.set_nonblocking(true).unwrap();
        let ours = UdpSocket::from(theirs);
        // Windows does not tell the mode.
        #[cfg(windows)]
        ours.set_nonblocking(true).unwrap();
        assert_eq!(ours.recv(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        ours.set_nonblocking(false).unwrap();
        two.send_to(b"x", ours.local_addr().unwrap()).unwrap();
        assert_eq!(ours.recv(&mut [0; 4]).unwrap(), 1);
        let text = format!("{ours:?}");
        assert_eq!(text, format!("{:?}", std::net::UdpSocket::from(ours)));
    });
}
