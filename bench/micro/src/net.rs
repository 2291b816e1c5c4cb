//! Sockets and files: both ends in this process.

use std::os::linux::net::SocketAddrExt;

use greenthread::{
    fs::File,
    io::{Read, Write},
    net::{TcpListener, TcpStream, UdpSocket},
    os::unix::{
        fs::FileExt,
        net::{SocketAddr, UnixListener, UnixStream},
    },
    thread::spawn,
};

use crate::Meter;

pub(crate) fn echo(meter: impl Meter) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut ours = TcpStream::connect(listener.local_addr().expect("bound")).expect("a listener");
    let (mut theirs, _) = listener.accept().expect("a connection");
    ours.set_nodelay(true).expect("TCP");
    theirs.set_nodelay(true).expect("TCP");
    let other = spawn(move || {
        let mut buffer = [0; 64];
        while theirs.read_exact(&mut buffer).is_ok() {
            theirs.write_all(&buffer).expect("we read");
        }
    });
    let mut buffer = [7; 64];
    meter.measure(1, || {
        ours.write_all(&buffer).expect("the other reads");
        ours.read_exact(&mut buffer).expect("the other answers");
    });
    drop(ours);
    other.join().expect("no panic");
}

pub(crate) fn connect(meter: impl Meter) {
    let name = format!("greenthread-micro-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(name).expect("a short name");
    let listener = UnixListener::bind_addr(&address).expect("a name of our own");
    // A guest that sends nothing is a measured one. The one that sends something is the last.
    let other = spawn(move || {
        let mut said = Vec::new();
        while said.is_empty() {
            let (mut guest, _) = listener.accept().expect("a connection");
            guest.read_to_end(&mut said).expect("an end");
        }
    });
    meter.measure(1, || drop(UnixStream::connect_addr(&address).expect("a listener")));
    UnixStream::connect_addr(&address).expect("a listener").write_all(b"bye").expect("it reads");
    other.join().expect("no panic");
}

pub(crate) fn datagrams(meter: impl Meter) {
    let ours = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let theirs = UdpSocket::bind("127.0.0.1:0").expect("a port");
    ours.connect(theirs.local_addr().expect("bound")).expect("UDP");
    theirs.connect(ours.local_addr().expect("bound")).expect("UDP");
    let other = spawn(move || {
        let mut buffer = [0; 64];
        // An empty datagram is the end.
        while let length @ 1.. = theirs.recv(&mut buffer).expect("a datagram") {
            theirs.send(&buffer[..length]).expect("room");
        }
    });
    let mut buffer = [7; 64];
    meter.measure(1, || {
        ours.send(&buffer).expect("room");
        assert_eq!(ours.recv(&mut buffer).expect("an answer"), 64);
    });
    ours.send(&[]).expect("room");
    other.join().expect("no panic");
}

pub(crate) fn file(meter: impl Meter) {
    let file = File::open(std::env::current_exe().expect("Linux's /proc")).expect("what runs can be read");
    let mut buffer = [0; 4096];
    let mut page = 0;
    meter.measure(1, || {
        page = (page + 1) % 16;
        file.read_exact_at(&mut buffer, page * 4096).expect("more than 64 KiB");
    });
}
