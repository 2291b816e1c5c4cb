//! Threads that send to a full Unix receiver wait without OS threads, however many they are.

use std::{
    io::ErrorKind,
    os::unix::net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use greenthread::{Runtime, os::unix::net::UnixDatagram, thread};

use crate::common::{child, is_child, system, text};

const SENDERS: usize = 700;
const EACH: usize = 3;

fn address(name: &str) -> SocketAddr {
    system::address(&format!("waits-{name}"))
}

fn os_threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn sending_to_a_full_receiver_waits_without_an_os_thread() {
    // In a process of its own, since other tests have OS threads that would be counted.
    if !is_child() {
        let out = child(|_| {});
        assert!(out.status.success(), "{}", text(&out));
        return;
    }
    for workers in [1, 2] {
        Runtime::builder().workers(workers).build().unwrap().run(|| {
            many_to_one();
            the_receiver_goes();
            the_receiver_is_connected_to_the_sender();
            a_sender_is_full_itself();
        });
    }
}

fn fill(sender: &UnixDatagram, address: &SocketAddr) -> usize {
    sender.set_nonblocking(true).unwrap();
    let mut count = 0;
    while sender.send_to_addr(b"fills", address).is_ok() {
        count += 1;
    }
    sender.set_nonblocking(false).unwrap();
    count
}

fn many_to_one() {
    let address = address("many");
    let receiver = UnixDatagram::bind_addr(&address).unwrap();
    let filler = UnixDatagram::unbound().unwrap();
    let filled = fill(&filler, &address);
    let before = os_threads();
    let senders: Vec<_> = (0..SENDERS)
        .map(|n| {
            let address = address.clone();
            thread::spawn(move || {
                let sender = UnixDatagram::unbound().unwrap();
                for part in 0..EACH {
                    let bytes = [n as u8, (n >> 8) as u8, part as u8];
                    assert_eq!(sender.send_to_addr(&bytes, &address).unwrap(), 3);
                }
            })
        })
        .collect();
    thread::sleep(Duration::from_millis(100));
    assert!(os_threads() <= before + 8, "{before} OS threads became {}", os_threads());
    // A deadline counts.
    filler.set_write_timeout(Some(Duration::from_millis(20))).unwrap();
    let start = Instant::now();
    assert_eq!(filler.send_to_addr(b"late", &address).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert!(start.elapsed() >= Duration::from_millis(20));

    let mut next = vec![0; SENDERS];
    let mut buffer = [0; 8];
    for _ in 0..filled {
        assert_eq!(receiver.recv(&mut buffer).unwrap(), 5);
    }
    for _ in 0..SENDERS * EACH {
        assert_eq!(receiver.recv(&mut buffer).unwrap(), 3);
        let sender = usize::from(buffer[0]) | usize::from(buffer[1]) << 8;
        assert_eq!(usize::from(buffer[2]), next[sender]);
        next[sender] += 1;
    }
    senders.into_iter().for_each(|sender| sender.join().unwrap());
}

fn the_receiver_goes() {
    let address = address("goes");
    let receiver = UnixDatagram::bind_addr(&address).unwrap();
    let sender = UnixDatagram::unbound().unwrap();
    fill(&sender, &address);
    let waiting = thread::spawn(move || sender.send_to_addr(b"x", &address));
    thread::sleep(Duration::from_millis(20));
    drop(receiver);
    assert_eq!(waiting.join().unwrap().unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

/// Then no other socket may send to the receiver, and its queue doesn't count.
fn the_receiver_is_connected_to_the_sender() {
    let (here, there) = (address("here"), address("there"));
    let receiver = Arc::new(UnixDatagram::bind_addr(&there).unwrap());
    let sender = UnixDatagram::bind_addr(&here).unwrap();
    receiver.connect_addr(&here).unwrap();
    let count = fill(&sender, &there);
    let receives = {
        let receiver = receiver.clone();
        thread::spawn(move || {
            (0..count).for_each(|_| assert_eq!(receiver.recv(&mut [0; 8]).unwrap(), 5));
            receiver.recv(&mut [0; 8]).unwrap()
        })
    };
    assert_eq!(sender.send_to_addr(b"one", &there).unwrap(), 3);
    assert_eq!(receives.join().unwrap(), 3);
}

/// A few large datagrams fill the sender's buffer, while the receiver's queue has room.
fn a_sender_is_full_itself() {
    let address = address("large");
    let receiver = Arc::new(UnixDatagram::bind_addr(&address).unwrap());
    let sender = UnixDatagram::unbound().unwrap();
    let bytes = vec![7; 100_000];
    sender.set_nonblocking(true).unwrap();
    let mut count = 0;
    while sender.send_to_addr(&bytes, &address).is_ok() {
        count += 1;
    }
    assert!(count < 8, "the sender's buffer is the limit");
    sender.set_nonblocking(false).unwrap();
    let receives = {
        let receiver = receiver.clone();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            (0..count + 5).for_each(|_| assert_eq!(receiver.recv(&mut [0; 8]).unwrap(), 8));
        })
    };
    for _ in 0..5 {
        assert_eq!(sender.send_to_addr(&bytes, &address).unwrap(), bytes.len());
    }
    receives.join().unwrap();
}
