//! Cancelled I/O: every call that waits ends, on green threads and on OS threads, and no byte, no
//! connection and no descriptor is lost.

use std::{
    io::{ErrorKind, Read, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use greenthread::{
    cancel::{self, Token},
    net::{self, TcpListener, TcpStream},
    thread,
};

use super::points::Wait;
use crate::common::world::{Random, everywhere};

const LONG: Duration = Duration::from_secs(120);
const SHORT: Duration = Duration::from_millis(2);

/// Two ends of a connection.
fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap().0)
}

/// Calls that wait for ever.
pub(super) fn waits() -> Vec<(&'static str, Wait)> {
    let mut waits: Vec<(&'static str, Wait)> = Vec::new();
    let mut add = |name, wait: Wait| waits.push((name, wait));
    add(
        "write",
        Box::new(|| {
            let (mut stream, _other) = connection();
            while stream.write(&[0; 1 << 16]).is_ok() {}
        }),
    );
    add(
        "peek",
        Box::new(|| {
            let (stream, _other) = connection();
            _ = stream.peek(&mut [0]);
        }),
    );
    add(
        "read_vectored with a timeout",
        Box::new(|| {
            let (mut stream, _other) = connection();
            stream.set_read_timeout(Some(LONG)).unwrap();
            _ = stream.read_vectored(&mut [std::io::IoSliceMut::new(&mut [0])]);
        }),
    );
    add(
        "recv_from",
        Box::new(|| {
            let socket = net::UdpSocket::bind("127.0.0.1:0").unwrap();
            _ = socket.recv_from(&mut [0]);
        }),
    );
    #[cfg(unix)]
    unix::add_waits(&mut add);
    #[cfg(windows)]
    windows::add_waits(&mut add);
    waits
}

#[cfg(windows)]
mod windows {
    use std::io::Read;

    use greenthread::{
        io,
        process::{ChildStdin, Command, Stdio},
    };

    use super::Wait;

    pub(super) fn add_waits(add: &mut impl FnMut(&'static str, Wait)) {
        add(
            "pipe read",
            Box::new(|| {
                let (mut reader, _writer) = io::pipe().unwrap();
                _ = reader.read(&mut [0]);
            }),
        );
        add("child", Box::new(|| with_child(|mut child| _ = child.wait())));
        add("child's output", Box::new(|| with_child(|child| _ = child.wait_with_output())));
    }

    /// Calls `f` with a child that ends after that.
    fn with_child(f: impl FnOnce(greenthread::process::Child)) {
        // It waits for a line.
        let mut command = Command::new("cmd");
        command.args(["/c", "set /p line="]).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let _stdin: Option<ChildStdin> = child.stdin.take();
        f(child);
    }
}

#[cfg(unix)]
mod unix {
    use std::{
        fs::File,
        io::{PipeReader, PipeWriter, Read, Write},
        os::{
            fd::{FromRawFd, OwnedFd},
            unix::net,
        },
    };

    use greenthread::{
        fs,
        os::unix::net::{UnixDatagram, UnixListener, UnixStream},
        process::{Command, Stdio},
        signal,
    };

    use super::Wait;
    use crate::common::{dir::fifo, scratch};

    fn pipe() -> (PipeReader, PipeWriter) {
        std::io::pipe().unwrap()
    }

    pub(super) fn add_waits(add: &mut impl FnMut(&'static str, Wait)) {
        add(
            "Unix read",
            Box::new(|| {
                let (mut stream, _other) = UnixStream::pair().unwrap();
                _ = stream.read(&mut [0]);
            }),
        );
        add(
            "Unix write",
            Box::new(|| {
                let (mut stream, _other) = UnixStream::pair().unwrap();
                while stream.write_all(&[0; 1 << 16]).is_ok() {}
            }),
        );
        add(
            "Unix accept",
            Box::new(|| {
                let path = scratch("accept");
                let listener = UnixListener::bind(&path).unwrap();
                std::fs::remove_file(&path).unwrap();
                _ = listener.accept();
            }),
        );
        add(
            "datagrams to a full queue",
            Box::new(|| {
                let path = scratch("full");
                let _receiver = net::UnixDatagram::bind(&path).unwrap();
                let sender = UnixDatagram::unbound().unwrap();
                while sender.send_to(&[0; 64], &path).is_ok() {}
            }),
        );
        add(
            "pipe read",
            Box::new(|| {
                let (reader, _writer) = pipe();
                _ = fs::File::from(OwnedFd::from(reader)).read(&mut [0]);
            }),
        );
        add(
            "pipe read to the end",
            Box::new(|| {
                let (reader, _writer) = pipe();
                _ = fs::File::from(OwnedFd::from(reader)).read_to_end(&mut Vec::new());
            }),
        );
        add(
            "pipe write",
            Box::new(|| {
                let (_reader, writer) = pipe();
                _ = fs::File::from(OwnedFd::from(writer)).write_all(&[0; 1 << 20]);
            }),
        );
        add(
            "FIFO",
            Box::new(|| {
                let path = scratch("fifo");
                fifo(&path);
                let fifo = File::options().read(true).write(true).open(&path).unwrap();
                std::fs::remove_file(&path).unwrap();
                _ = fs::File::from(fifo).read(&mut [0]);
            }),
        );
        add(
            "terminal",
            Box::new(|| {
                let (_controller, terminal) = terminal();
                _ = fs::File::from(terminal).read(&mut [0]);
            }),
        );
        add("child", Box::new(|| _ = with_child(|mut child| child.wait().map(drop))));
        add("child's output", Box::new(|| _ = with_child(|child| child.wait_with_output().map(drop))));
        add(
            "signal",
            Box::new(|| {
                let mut signals = signal::Signals::new([signal::SIGUSR2]).unwrap();
                _ = signals.next();
            }),
        );
    }

    /// Calls `f` with a child that does not end, and then ends it.
    fn with_child<T>(f: impl FnOnce(greenthread::process::Child) -> T) -> T {
        struct Kill(u32);
        impl Drop for Kill {
            fn drop(&mut self) {
                // SAFETY: the calls touch no memory. The child is not waited for before.
                unsafe {
                    libc::kill(self.0.cast_signed(), libc::SIGKILL);
                    libc::waitpid(self.0.cast_signed(), std::ptr::null_mut(), 0);
                }
            }
        }
        let mut command = Command::new("sleep");
        command.arg("1000").stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let _kill = Kill(child.id());
        f(child)
    }

    /// A pseudoterminal: the end that controls it, and the terminal.
    fn terminal() -> (File, OwnedFd) {
        let (mut controller, mut terminal) = (-1, -1);
        let null = std::ptr::null_mut();
        // SAFETY: the call makes two descriptors, and nothing else owns them.
        unsafe {
            assert_eq!(
                libc::openpty(&raw mut controller, &raw mut terminal, null, null.cast(), null.cast()),
                0
            );
            (File::from_raw_fd(controller), OwnedFd::from_raw_fd(terminal))
        }
    }
}

/// Calls `f` in scopes that end after moments, until it has returned once. Returns what it has
/// returned.
fn at_last<T>(random: &mut Random, mut f: impl FnMut() -> T) -> T {
    loop {
        let moment = Duration::from_micros(random.below(300));
        if let Ok(value) = cancel::timeout(moment, &mut f) {
            return value;
        }
    }
}

/// Sends bytes from one end to the other, with both ends cancelled now and then. None is lost, and
/// none comes twice.
fn transfer(reader: &mut impl Read, writer: &mut (impl Write + Send), seed: u64) {
    const ALL: usize = 1 << 20;
    let bytes: Vec<u8> = (0..ALL).map(|at| (at ^ at >> 8 ^ at >> 13) as u8).collect();
    let mut received = Vec::new();
    std::thread::scope(|scope| {
        let bytes = &bytes;
        scope.spawn(move || {
            let (mut random, mut sent) = (Random::new(seed), 0);
            while sent < ALL {
                let next = &bytes[sent..ALL.min(sent + 1 + random.below(1 << 18) as usize)];
                sent += at_last(&mut random, || writer.write(next).unwrap());
            }
        });
        let mut random = Random::new(seed + 1);
        let mut buffer = vec![0; 1 << 17];
        while received.len() < ALL {
            let most = 1 + random.below(1 << 17) as usize;
            let count = at_last(&mut random, || reader.read(&mut buffer[..most]).unwrap());
            assert_ne!(count, 0, "the end came early");
            received.extend_from_slice(&buffer[..count]);
        }
    });
    assert!(received == bytes);
}

/// Sends bytes through a pipe, of which each end learns when the other is closed.
pub(super) fn pipes(seed: u64) {
    let (mut reader, mut writer) = greenthread::io::pipe().unwrap();
    transfer(&mut reader, &mut writer, seed);
    drop(writer);
    assert_eq!(reader.read(&mut [0]).unwrap(), 0);
    let (reader, mut writer) = greenthread::io::pipe().unwrap();
    drop(reader);
    assert_eq!(writer.write(&[0; 1 << 16]).unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[test]
fn no_byte_is_lost_on_os_threads() {
    for seed in 0..4 {
        let (mut one, mut other) = connection();
        transfer(&mut one, &mut other, seed);
        pipes(seed);
        #[cfg(target_os = "linux")]
        {
            let (reader, writer) = std::io::pipe().unwrap();
            let file = |end: std::os::fd::OwnedFd| greenthread::fs::File::from(end);
            transfer(&mut file(reader.into()), &mut file(writer.into()), seed);
        }
    }
}

#[test]
fn no_byte_is_lost_on_green_threads() {
    for workers in [1, 2] {
        let runtime = crate::common::runtime(workers);
        for seed in 0..4 {
            let (mut one, other) = connection();
            // The writer is a green thread; the reader, an OS thread, goes on in between.
            let (bytes, mut received) = (Arc::new(vec![7_u8; 1 << 21]), 0);
            let theirs = bytes.clone();
            let writing = runtime.spawn(move || {
                let (mut other, mut random, mut sent) = (other, Random::new(seed), 0);
                while sent < theirs.len() {
                    sent += at_last(&mut random, || other.write(&theirs[sent..]).unwrap());
                }
                sent
            });
            let mut buffer = vec![0; 1 << 16];
            while received < bytes.len() {
                let count = one.read(&mut buffer).unwrap();
                assert_ne!(count, 0, "the writer has ended early");
                assert!(buffer[..count].iter().all(|byte| *byte == 7));
                received += count;
            }
            assert_eq!((writing.join().unwrap(), received), (bytes.len(), bytes.len()));
        }
    }
}

#[test]
fn a_write_that_is_cancelled_says_how_much_it_has_written() {
    everywhere(|world| {
        world
            .spawn(|| {
                let (mut stream, mut other) = connection();
                let all = vec![1; 64 << 20];
                let token = Token::new();
                let (theirs, end) = (token.clone(), other.try_clone().unwrap());
                let canceller = std::thread::spawn(move || {
                    // When something has come.
                    end.peek(&mut [0]).unwrap();
                    theirs.cancel();
                });
                let sent = token.run(|| stream.write(&all).unwrap()).expect("it has written something");
                canceller.join().unwrap();
                assert!(0 < sent && sent < all.len());
                assert!(token.run(|| stream.write(&all)).is_err(), "the next call does not begin");
                drop(stream);
                assert_eq!(std::io::copy(&mut other, &mut std::io::sink()).unwrap(), sent as u64);
            })
            .end();
    });
}

#[test]
fn no_connection_is_lost() {
    const ALL: usize = 200;
    everywhere(|world| {
        let listener = Arc::new(TcpListener::bind("127.0.0.1:0").unwrap());
        let address = listener.local_addr().unwrap();
        let connecting = std::thread::spawn(move || {
            let mut random = Random::new(5);
            let mut streams = Vec::new();
            for _ in 0..ALL {
                std::thread::sleep(Duration::from_micros(random.below(200)));
                streams.push(std::net::TcpStream::connect(address).unwrap());
            }
            streams
        });
        let theirs = listener.clone();
        let accepted = world
            .spawn(move || {
                let mut random = Random::new(6);
                (0..ALL).map(|_| at_last(&mut random, || theirs.accept().unwrap().0)).collect::<Vec<_>>()
            })
            .end();
        let mut ports: Vec<_> = accepted.iter().map(|stream| stream.peer_addr().unwrap().port()).collect();
        let mut expected: Vec<_> =
            connecting.join().unwrap().iter().map(|stream| stream.local_addr().unwrap().port()).collect();
        ports.sort_unstable();
        expected.sort_unstable();
        assert_eq!(ports, expected);
    });
}

/// A listener whose queue is full, so that the next connection is never made; and what fills it.
#[cfg(target_os = "linux")]
fn full_listener() -> (std::net::TcpListener, Vec<std::net::TcpStream>) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket.listen(0).unwrap();
    let listener = std::net::TcpListener::from(socket);
    let (address, mut streams) = (listener.local_addr().unwrap(), Vec::new());
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&address, Duration::from_millis(50)) {
        streams.push(stream);
    }
    (listener, streams)
}

#[cfg(target_os = "linux")]
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[cfg(target_os = "linux")]
#[test]
fn a_connect_that_is_cancelled_closes_its_socket() {
    use crate::common::{child, is_child, text};

    if !is_child() {
        // Other tests open descriptors meanwhile.
        let out = child(|_| {});
        assert!(out.status.success(), "{}", text(&out));
        return;
    }
    let (listener, _streams) = full_listener();
    let address = listener.local_addr().unwrap();
    let connect = move || {
        assert!(cancel::timeout(SHORT, || TcpStream::connect(address)).is_err());
        assert!(cancel::timeout(SHORT, || TcpStream::connect_timeout(&address, LONG)).is_err());
    };
    let runtime = crate::common::runtime(1);
    for _ in 0..2 {
        runtime.spawn(connect).join().unwrap();
        std::thread::spawn(connect).join().unwrap();
    }
    let before = descriptors();
    for _ in 0..10 {
        runtime.spawn(connect).join().unwrap();
        std::thread::spawn(connect).join().unwrap();
    }
    assert_eq!(descriptors(), before);
}

#[test]
fn a_deadline_of_its_own_works_in_a_shield() {
    everywhere(|world| {
        world
            .spawn(|| {
                let (mut stream, _other) = connection();
                stream.set_read_timeout(Some(SHORT)).unwrap();
                let token = Token::new();
                token.cancel();
                let result = token.run(|| {
                    cancel::shield(|| {
                        let error = stream.read(&mut [0]).unwrap_err();
                        assert!(
                            matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
                            "{error}"
                        );
                        stream.set_read_timeout(None).unwrap();
                        assert!(cancel::timeout(SHORT, || stream.read(&mut [0])).is_err());
                        "done"
                    })
                });
                // Behind the shield there is no other point.
                assert_eq!(result.unwrap(), "done");
                // The call's deadline comes before that of the scope.
                stream.set_read_timeout(Some(SHORT)).unwrap();
                assert!(cancel::timeout(LONG, || stream.read(&mut [0])).unwrap().is_err());
            })
            .end();
    });
}

#[test]
fn destructors_read_and_write_in_peace() {
    struct Goodbye(TcpStream, Arc<AtomicBool>);
    impl Drop for Goodbye {
        fn drop(&mut self) {
            self.0.write_all(b"bye").unwrap();
            let mut answer = [0; 2];
            self.0.read_exact(&mut answer).unwrap();
            self.1.store(answer == *b"ok", SeqCst);
        }
    }
    everywhere(|world| {
        let (stream, mut other) = connection();
        let answered = Arc::new(AtomicBool::new(false));
        let theirs = answered.clone();
        let thread = world.spawn(move || {
            cancel::timeout(SHORT, move || {
                let mut goodbye = Goodbye(stream, theirs);
                _ = goodbye.0.read(&mut [0]);
            })
        });
        let mut said = [0; 3];
        other.read_exact(&mut said).unwrap();
        thread::sleep(SHORT);
        other.write_all(b"ok").unwrap();
        assert!(thread.end().is_err() && answered.load(SeqCst));
    });
}
