//! Datagrams.

use std::{io::ErrorKind, sync::Arc, time::Duration};

use greenthread::{net::Shutdown, os::unix::net::UnixDatagram};

use super::{Place, nameless_file};
use crate::common::{
    sockets::{a_moment, everywhere},
    system::is_same,
};

#[test]
fn by_path() {
    everywhere(|world| {
        let (here, there) = (Place::new(), Place::new());
        let receiver = UnixDatagram::bind(here.socket()).unwrap();
        let sender = UnixDatagram::bind(there.socket()).unwrap();
        let (to, from) = (here.socket(), there.socket());
        let receiving = world.spawn(move || {
            let mut buffer = [0; 16];
            let (count, address) = receiver.recv_from(&mut buffer).unwrap();
            assert_eq!((&buffer[..count], address.as_pathname()), (&b"named"[..], Some(&*from)));
            let (count, address) = receiver.recv_from(&mut buffer).unwrap();
            assert_eq!((&buffer[..count], address.is_unnamed()), (&b"nameless"[..], true));
        });
        a_moment();
        assert_eq!(sender.send_to(b"named", &to).unwrap(), 5);
        assert_eq!(UnixDatagram::unbound().unwrap().send_to(b"nameless", &to).unwrap(), 8);
        receiving.join();
        assert!(sender.send_to(b"gone", &to).is_err());
        assert!(sender.send(b"to whom?").is_err());
    });
}

#[test]
fn by_abstract_address() {
    everywhere(|_| {
        let address = nameless_file();
        let receiver = UnixDatagram::bind_addr(&address).unwrap();
        let sender = UnixDatagram::unbound().unwrap();
        sender.send_to_addr(b"one", &address).unwrap();
        sender.connect_addr(&address).unwrap();
        sender.send(b"four").unwrap();
        assert_eq!(receiver.recv(&mut [0; 8]).unwrap(), 3);
        assert_eq!(receiver.recv(&mut [0; 8]).unwrap(), 4);
        let peer = sender.peer_addr().unwrap();
        assert!(is_same(&peer, &address));
    });
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.path().fmt(f)
    }
}

/// A thread that sends faster than the other side receives waits, in every way of sending, and
/// nothing is lost.
#[test]
fn a_full_queue_makes_sending_wait() {
    const COUNT: u32 = 500;

    everywhere(|world| {
        for connected in [true, false] {
            let address = nameless_file();
            let receiver = UnixDatagram::bind_addr(&address).unwrap();
            let senders: Vec<_> = (0..2)
                .map(|_| {
                    let address = address.clone();
                    world.spawn(move || {
                        let sender = UnixDatagram::unbound().unwrap();
                        if connected {
                            sender.connect_addr(&address).unwrap();
                        }
                        for n in 0..COUNT {
                            let bytes = n.to_ne_bytes();
                            let sent = match connected {
                                true => sender.send(&bytes),
                                false => sender.send_to_addr(&bytes, &address),
                            };
                            assert_eq!(sent.unwrap(), 4);
                        }
                    })
                })
                .collect();
            a_moment();
            let mut sum = 0;
            for _ in 0..2 * COUNT {
                let mut bytes = [0; 4];
                assert_eq!(receiver.recv(&mut bytes).unwrap(), 4);
                sum += u32::from_ne_bytes(bytes);
            }
            assert_eq!(sum, COUNT * (COUNT - 1));
            senders.into_iter().for_each(|sender| sender.join());
        }
    });
}

#[test]
fn timeouts_modes_and_ends() {
    everywhere(|world| {
        let (one, two) = UnixDatagram::pair().unwrap();
        one.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        assert_eq!(one.recv(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        one.set_write_timeout(Some(Duration::from_millis(20))).unwrap();
        let error = loop {
            if let Err(error) = one.send(&[0; 1000]) {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::WouldBlock);

        // The same towards an address.
        let address = nameless_file();
        let _receiver = UnixDatagram::bind_addr(&address).unwrap();
        let sender = UnixDatagram::unbound().unwrap();
        sender.set_write_timeout(Some(Duration::from_millis(20))).unwrap();
        let error = loop {
            if let Err(error) = sender.send_to_addr(&[0; 1000], &address) {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        sender.set_nonblocking(true).unwrap();
        assert_eq!(sender.send_to_addr(&[0], &address).unwrap_err().kind(), ErrorKind::WouldBlock);

        two.set_nonblocking(true).unwrap();
        while two.recv(&mut [0; 1000]).is_ok() {}
        two.set_nonblocking(false).unwrap();
        let two = Arc::new(two);
        let receiving = two.clone();
        let receiver = world.spawn(move || receiving.recv(&mut [0]).unwrap());
        a_moment();
        two.shutdown(Shutdown::Read).unwrap();
        assert_eq!(receiver.join(), 0);
    });
}
