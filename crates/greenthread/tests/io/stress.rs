//! Pipes and sockets of all kinds that the system has, at once and between green and OS threads,
//! are ended in every way at any moment. What arrives is what was sent, no thread waits for ever,
//! and no descriptor is left open. The test prints its seed, and takes one from
//! `GREENTHREAD_TEST_SEED`.

use std::{
    env,
    io::{ErrorKind, Read, Write},
    sync::{Arc, Mutex, mpsc},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

#[cfg(unix)]
use greenthread::os::unix::net::{UnixDatagram, UnixStream};
use greenthread::{
    io,
    net::{Shutdown, TcpListener, TcpStream},
    thread,
};

use crate::common::{
    Random, child, is_child, runtime, slowness, system::open_descriptors, text, worker_counts,
};

/// One direction of a connection, and a function that ends it from another thread, if there is one.
struct Connection {
    reader: Box<dyn Read + Send>,
    writer: Box<dyn Write + Send>,
    end: Option<Box<dyn FnOnce() + Send>>,
}

/// Datagrams in order; an empty one is the end.
#[cfg(unix)]
struct Datagrams(UnixDatagram);

#[cfg(unix)]
impl Read for Datagrams {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.recv(buf)
    }
}

#[cfg(unix)]
impl Write for Datagrams {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.send(&buf[..buf.len().min(1000)])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(unix)]
impl Drop for Datagrams {
    fn drop(&mut self) {
        // The reader's end sends an empty datagram as well. It does no harm.
        let _ = self.0.set_nonblocking(true);
        while let Err(error) = self.0.send(&[])
            && error.kind() == ErrorKind::WouldBlock
        {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

fn timeout(random: &mut Random) -> Option<Duration> {
    (random.below(3) == 0).then(|| Duration::from_micros(1 + random.below(3000)))
}

fn connect(random: &mut Random) -> Connection {
    match random.below(if cfg!(unix) { 4 } else { 2 }) {
        0 => {
            let (reader, writer) = io::pipe().unwrap();
            Connection { reader: Box::new(reader), writer: Box::new(writer), end: None }
        }
        1 => {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let writer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let reader = listener.accept().unwrap().0;
            reader.set_read_timeout(timeout(random)).unwrap();
            writer.set_write_timeout(timeout(random)).unwrap();
            let clone = if random.below(2) == 0 { &reader } else { &writer }.try_clone().unwrap();
            let end = move || drop(clone.shutdown(Shutdown::Both));
            Connection { reader: Box::new(reader), writer: Box::new(writer), end: Some(Box::new(end)) }
        }
        #[cfg(unix)]
        2 => {
            let (reader, writer) = UnixStream::pair().unwrap();
            reader.set_read_timeout(timeout(random)).unwrap();
            writer.set_write_timeout(timeout(random)).unwrap();
            let clone = if random.below(2) == 0 { &reader } else { &writer }.try_clone().unwrap();
            let end = move || drop(clone.shutdown(Shutdown::Both));
            Connection { reader: Box::new(reader), writer: Box::new(writer), end: Some(Box::new(end)) }
        }
        #[cfg(unix)]
        3 => {
            let (reader, writer) = UnixDatagram::pair().unwrap();
            Connection { reader: Box::new(Datagrams(reader)), writer: Box::new(Datagrams(writer)), end: None }
        }
        _ => unreachable!(),
    }
}

/// A thread of either kind.
fn spawn<T: Send + 'static>(
    green: bool,
    f: impl FnOnce() -> T + Send + 'static,
) -> Box<dyn FnOnce() -> T + Send> {
    match green {
        true => {
            let thread = thread::spawn(f);
            Box::new(move || thread.join().unwrap())
        }
        false => {
            let thread = std::thread::spawn(f);
            Box::new(move || thread::unblock(|| thread.join().unwrap()))
        }
    }
}

/// The bytes that are sent from position `at` on.
fn bytes(at: usize, count: usize) -> impl Iterator<Item = u8> {
    (at..at + count).map(|n| (n % 251) as u8)
}

/// Sends `all` bytes, or fewer if the connection is ended. Returns how many may have arrived at
/// most, and whether all were sent.
fn send(mut writer: impl Write, all: usize, mut random: Random) -> (usize, bool) {
    let mut at = 0;
    while at < all {
        let count = (1 + random.below(20_000) as usize).min(all - at);
        let chunk: Vec<u8> = bytes(at, count).collect();
        match writer.write(&chunk) {
            Ok(count) => at += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            // Bytes that were under way may have arrived.
            Err(_) => return (at, false),
        }
        if random.below(4) == 0 {
            thread::yield_now();
        }
    }
    (at, true)
}

/// Receives until the end, and checks each byte. Returns the number of bytes.
fn receive(mut reader: impl Read, mut random: Random, stop_at: usize) -> usize {
    let mut at = 0;
    let mut buffer = vec![0; 1000 + random.below(30_000) as usize];
    while at < stop_at {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                assert!(buffer[..count].iter().copied().eq(bytes(at, count)), "at {at}");
                at += count;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if is_end(error.kind()) => break,
            Err(error) => panic!("{error}"),
        }
        if random.below(4) == 0 {
            thread::yield_now();
        }
    }
    at
}

/// Whether an error is a connection's end. Windows calls an end of the own side by the second name.
fn is_end(kind: ErrorKind) -> bool {
    kind == ErrorKind::ConnectionReset || cfg!(windows) && kind == ErrorKind::ConnectionAborted
}

fn round(seed: u64) {
    let mut random = Random::new(seed);
    let Connection { reader, writer, end } = connect(&mut random);
    let all = 1 + random.below(150_000) as usize;
    let kinds = [random.below(4) != 0, random.below(4) != 0];
    // Sometimes the reader is dropped early.
    let stop_at = if random.below(4) == 0 { random.below(all as u64) as usize } else { usize::MAX };
    let (a, b) = (Random::new(random.below(u64::MAX)), Random::new(random.below(u64::MAX)));
    let sender = spawn(kinds[0], move || send(writer, all, a));
    let receiver = spawn(kinds[1], move || receive(reader, b, stop_at));
    // If the connection is not to be ended, the function is dropped at once, since it keeps a side
    // open.
    let end = end.filter(|_| random.below(2) == 0);
    let ended = end.is_some();
    if let Some(end) = end {
        thread::sleep(Duration::from_micros(random.below(2000)));
        end();
    }
    let (arrived, (sent, whole)) = (receiver(), sender());
    assert!(arrived <= all);
    if whole && !ended && stop_at == usize::MAX {
        assert_eq!((arrived, sent), (all, all));
    }
}

/// The number of open descriptors, as soon as it is the expected one. A thread that has just woken
/// a thread of a runtime that has ended may keep that runtime's descriptors for a moment.
fn wait_for_descriptors(expected: usize) -> usize {
    for _ in 0..1000 {
        if open_descriptors() == expected {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    open_descriptors()
}

#[test]
fn what_arrives_is_what_was_sent() {
    // In a process of its own, since other tests have descriptors that would be counted.
    if !is_child() {
        let out = child(|_| {});
        assert!(out.status.success(), "{}", text(&out));
        return;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = env::var("GREENTHREAD_TEST_SEED").map_or(now.as_nanos() as u64, |seed| seed.parse().unwrap());
    eprintln!("GREENTHREAD_TEST_SEED={seed}");
    let (done, finished) = mpsc::channel();
    let running = Arc::new(Mutex::new(String::new()));
    let shown = running.clone();
    std::thread::spawn(move || {
        let first = open_descriptors();
        for workers in worker_counts(&[1, 2, 8]) {
            *shown.lock().unwrap() = format!("{workers} workers");
            let before = wait_for_descriptors(first);
            let mut random = Random::new(seed.wrapping_mul(workers as u64));
            let runtime = runtime(workers);
            runtime.run(|| {
                for _ in 0..3 {
                    let rounds: Vec<_> = (0..20)
                        .map(|_| {
                            let seed = random.below(u64::MAX);
                            thread::spawn(move || round(seed))
                        })
                        .collect();
                    rounds.into_iter().for_each(|round| round.join().unwrap());
                }
            });
            drop(runtime);
            assert_eq!(wait_for_descriptors(before), before, "descriptors are left");
        }
        done.send(()).unwrap();
    });
    match finished.recv_timeout(Duration::from_secs(600) * slowness()) {
        Ok(()) => {}
        Err(mpsc::RecvTimeoutError::Disconnected) => panic!("it has failed"),
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs, with {}", running.lock().unwrap()),
    }
}
