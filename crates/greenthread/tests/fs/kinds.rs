//! A `File` that is no regular file: FIFOs, pipes, terminals, sockets and the kernel's other kinds
//! behave as with `std`, in blocking and in non-blocking mode. A thread that waits for one takes no
//! OS thread, and stops no other call.
//!
//! Each case runs with io_uring, without it, and where calls that don't wait are refused.

use std::{
    fs::File as Plain,
    io::{Error, ErrorKind, IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write, pipe},
    net::{TcpListener, TcpStream},
    os::{
        fd::{AsFd, AsRawFd, FromRawFd, OwnedFd},
        unix::net::UnixStream,
    },
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use greenthread::{
    fs::{self, File, OpenOptions},
    os::unix::fs::{FileExt, OpenOptionsExt},
    thread,
};

use crate::common::{
    child,
    dir::{Dir, fifo},
    filter::{forbid, refuse},
    is_child,
    machine::{Need, lacks},
    runtime, text,
    world::time_limit,
};

/// Something that can be read, and its other end, where messages are written.
struct End {
    name: &'static str,
    reader: OwnedFd,
    writer: OwnedFd,
    /// A message that is written, and is then read.
    message: &'static [u8],
}

/// Takes ownership of a new descriptor.
fn owned(descriptor: libc::c_int) -> OwnedFd {
    assert!(descriptor >= 0, "{}", Error::last_os_error());
    // SAFETY: the descriptor was just opened, and nothing else owns it.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

/// A terminal: the side that a program sees, and the other one.
fn terminal() -> (OwnedFd, OwnedFd) {
    let (mut one, mut other) = (0, 0);
    let null = std::ptr::null_mut();
    // SAFETY: the call writes two numbers to the places that it is given.
    let result = unsafe { libc::openpty(&raw mut one, &raw mut other, null, null.cast(), null.cast()) };
    assert_eq!(result, 0);
    (owned(other), owned(one))
}

fn settings(terminal: impl AsFd) -> libc::termios {
    let mut settings = std::mem::MaybeUninit::uninit();
    // SAFETY: the call fills the settings.
    unsafe {
        assert_eq!(libc::tcgetattr(terminal.as_fd().as_raw_fd(), settings.as_mut_ptr()), 0);
        settings.assume_init()
    }
}

/// Sets a terminal to raw mode without echo. A read waits for `least` bytes, and for `time` tenths
/// of a second.
fn set_raw(terminal: impl AsFd, least: u8, time: u8) {
    let mut settings = settings(&terminal);
    settings.c_lflag &= !(libc::ICANON | libc::ECHO);
    settings.c_cc[libc::VMIN] = least;
    settings.c_cc[libc::VTIME] = time;
    // SAFETY: the settings are initialised.
    let set = unsafe { libc::tcsetattr(terminal.as_fd().as_raw_fd(), libc::TCSANOW, &raw const settings) };
    assert_eq!(set, 0);
}

fn ends() -> Vec<End> {
    let mut ends = Vec::new();
    let mut add = |name, reader: OwnedFd, writer: OwnedFd, message| {
        ends.push(End { name, reader, writer, message });
    };
    let (reader, writer) = pipe().unwrap();
    add("pipe", reader.into(), writer.into(), b"through a pipe");
    let dir = Dir::new();
    fifo(&dir.path("fifo"));
    let open = Plain::options().read(true).write(true).open(dir.path("fifo")).unwrap();
    add("FIFO", open.try_clone().unwrap().into(), open.into(), b"through a FIFO");
    let (one, other) = UnixStream::pair().unwrap();
    add("Unix socket", one.into(), other.into(), b"through a socket");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let one = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    add("TCP socket", one.into(), listener.accept().unwrap().0.into(), b"through the loopback");
    let (one, other) = terminal();
    set_raw(&one, 1, 0);
    add("terminal", one, other, b"through a terminal");
    // SAFETY: the call touches no memory.
    let event = owned(unsafe { libc::eventfd(0, 0) });
    add("eventfd", event.try_clone().unwrap(), event, &[7, 0, 0, 0, 0, 0, 0, 0]);
    ends
}

fn set_nonblocking(descriptor: impl AsFd, on: bool) {
    let (descriptor, on) = (descriptor.as_fd().as_raw_fd(), libc::c_int::from(on));
    // SAFETY: the call reads one number.
    assert_eq!(unsafe { libc::ioctl(descriptor, libc::FIONBIO, &raw const on) }, 0);
}

fn kind<T>(result: std::io::Result<T>) -> ErrorKind {
    result.map(drop).unwrap_err().kind()
}

/// In non-blocking mode a call that would wait says so, no matter when the mode was set, and
/// through which descriptor.
fn non_blocking_mode_is_heeded() {
    for End { name, reader, writer, message } in ends() {
        let (reader, writer) = (File::from(reader), File::from(writer));
        let other = reader.as_fd().try_clone_to_owned().unwrap();
        for _ in 0..2 {
            set_nonblocking(&other, true);
            let mut bytes = [0; 100];
            assert_eq!(kind((&reader).read(&mut bytes)), ErrorKind::WouldBlock, "{name}");
            assert_eq!(kind((&reader).read(&mut bytes)), ErrorKind::WouldBlock, "{name}, once more");
            let mut all = Vec::new();
            if name != "eventfd" {
                assert_eq!(
                    kind((&reader).read_to_end(&mut all)),
                    ErrorKind::WouldBlock,
                    "{name}, to the end"
                );
            }
            assert_eq!((&writer).write(message).unwrap(), message.len(), "{name}");
            // A terminal's other side is not there at once.
            let count = loop {
                match (&reader).read(&mut bytes) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock && name == "terminal" => {
                        thread::sleep(Duration::from_millis(1));
                    }
                    result => break result.unwrap(),
                }
            };
            assert_eq!(&bytes[..count], message, "{name}");

            // And in blocking mode it waits.
            set_nonblocking(&other, false);
            let reader = reader.try_clone().unwrap();
            let waits = thread::spawn(move || {
                let mut bytes = [0; 100];
                let count = (&reader).read(&mut bytes).unwrap();
                bytes[..count].to_vec()
            });
            (0..20).for_each(|_| thread::yield_now());
            thread::sleep(Duration::from_millis(2));
            assert!(!waits.is_finished(), "{name}");
            assert_eq!((&writer).write(message).unwrap(), message.len(), "{name}");
            assert_eq!(waits.join().unwrap(), message, "{name}");
        }
    }
    // Writes for which there is no room.
    for End { name, reader, writer, .. } in ends().into_iter().filter(|end| end.name != "eventfd") {
        let (reader, writer) = (File::from(reader), File::from(writer));
        set_nonblocking(&writer, true);
        let mut count = 0;
        let full = loop {
            match (&writer).write(&[b'x'; 5000]) {
                Ok(some) => count += some,
                Err(error) => break error.kind(),
            }
        };
        assert_eq!(full, ErrorKind::WouldBlock, "{name}");
        // These kinds may have room again at once.
        if ["terminal", "TCP socket"].contains(&name) {
            continue;
        }
        let again = (&writer).write_vectored(&[IoSlice::new(&[b'x'; 5000])]);
        assert_eq!(kind(again), ErrorKind::WouldBlock, "{name}");
        set_nonblocking(&writer, false);
        let writes = thread::spawn(move || (&writer).write_all(&[b'y'; 5000]).unwrap());
        (0..20).for_each(|_| thread::yield_now());
        assert!(!writes.is_finished(), "{name}");
        set_nonblocking(&reader, false);
        let mut all = vec![0; count + 5000];
        (&reader).read_exact(&mut all).unwrap();
        assert!(
            all[..count].iter().all(|byte| *byte == b'x') && all[count..].iter().all(|byte| *byte == b'y')
        );
        writes.join().unwrap();
    }
}

/// Calls that don't wait have the results of std's calls.
fn as_std() {
    let (directory, null, zero) = (".", "/dev/null", "/dev/zero");
    let open = |path| (path, OwnedFd::from(Plain::open(path).unwrap()));
    let mut all: Vec<_> =
        ends().into_iter().flat_map(|end| [(end.name, end.reader), (end.name, end.writer)]).collect();
    all.extend([directory, null, zero, "/proc/self/stat"].map(open));
    // SAFETY: the calls touch no memory, or only the set of signals.
    unsafe {
        all.push(("epoll", owned(libc::epoll_create1(0))));
        all.push(("inotify", owned(libc::inotify_init1(libc::IN_NONBLOCK))));
        let timer = libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_NONBLOCK);
        all.push(("timerfd", owned(timer)));
        all.push(("memfd", owned(libc::memfd_create(c"memory".as_ptr(), 0))));
    }
    let code = |result: std::io::Result<usize>| result.map_err(|error| error.raw_os_error());
    let _others: Vec<_> = all.iter().map(|(_, descriptor)| descriptor.try_clone().unwrap()).collect();
    for (name, descriptor) in all {
        let (ours, plain) = (File::from(descriptor.try_clone().unwrap()), Plain::from(descriptor));
        set_nonblocking(&plain, true);
        for round in 0..2 {
            let at = format!("{name}, round {round}");
            let (mut one, mut two) = ([0; 8], [0; 8]);
            assert_eq!(code((&ours).read(&mut [])), code((&plain).read(&mut [])), "{at}, nothing");
            assert_eq!(code((&ours).write(&[])), code((&plain).write(&[])), "{at}, write nothing");
            let seek = |to| ((&ours).seek(to).map_err(|e| e.kind()), (&plain).seek(to).map_err(|e| e.kind()));
            let (a, b) = seek(SeekFrom::Current(0));
            assert_eq!(a, b, "{at}, seek");
            for offset in [0, 5, u64::MAX] {
                if name == "/proc/self/stat" && offset != u64::MAX {
                    continue;
                }
                let (a, b) = (code(ours.read_at(&mut one, offset)), code(plain.read_at(&mut two, offset)));
                assert_eq!((a, one), (b, two), "{at}, read at {offset}");
                let (a, b) = (code(ours.write_at(&[], offset)), code(plain.write_at(&[], offset)));
                assert_eq!(a, b, "{at}, write at {offset}");
            }
            assert_eq!(
                code((&ours).read(&mut one).map(|_| 0)),
                code((&plain).read(&mut two).map(|_| 0)),
                "{at}"
            );
            let no_buffers: &mut [IoSliceMut<'_>] = &mut [];
            let a = code((&ours).read_vectored(no_buffers));
            assert_eq!(a, code((&plain).read_vectored(&mut [])), "{at}, no buffers");
            assert_eq!(code(ours.sync_all().map(|()| 0)), code(plain.sync_all().map(|()| 0)), "{at}, sync");
            let (a, b) = (ours.metadata().unwrap(), plain.metadata().unwrap());
            assert_eq!((a.len(), a.file_type()), (b.len(), b.file_type()), "{at}");
            assert_eq!(ours.set_len(3).map_err(|e| e.kind()), plain.set_len(3).map_err(|e| e.kind()), "{at}");
        }
    }
}

/// A call with an empty buffer does not wait, even if calls were seen to block.
fn nothing_is_not_waited_for() {
    for End { name, reader, writer, .. } in ends() {
        if name == "eventfd" {
            continue;
        }
        let (reader, writer) = (File::from(reader), File::from(writer));
        let waits = thread::spawn({
            let reader = reader.try_clone().unwrap();
            move || (&reader).read(&mut [0]).unwrap()
        });
        (0..20).for_each(|_| thread::yield_now());
        assert_eq!((&reader).read(&mut []).unwrap(), 0, "{name}");
        assert_eq!((&reader).read_vectored(&mut [IoSliceMut::new(&mut [])]).unwrap(), 0, "{name}");
        (&writer).write_all(b"x").unwrap();
        assert_eq!(waits.join().unwrap(), 1, "{name}");
    }
}

/// The timeouts of a socket count for a `File` that is a socket.
fn timeouts_of_sockets() {
    let (one, other) = UnixStream::pair().unwrap();
    one.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    one.set_write_timeout(Some(Duration::from_millis(5))).unwrap();
    let file = File::from(OwnedFd::from(one));
    assert_eq!(kind((&file).read(&mut [0])), ErrorKind::WouldBlock);
    let full = loop {
        if let Err(error) = (&file).write(&[0; 50_000]) {
            break error.kind();
        }
    };
    assert_eq!(full, ErrorKind::WouldBlock);
    drop(other);
}

/// By its settings a terminal returns nothing at once, or nothing after a while, or several bytes
/// together.
fn terminals_as_they_are_set() {
    let (terminal, other) = terminal();
    let (terminal, mut other) = (File::from(terminal), Plain::from(other));
    let mut bytes = [0; 10];
    for time in [0, 1] {
        set_raw(&terminal, 0, time);
        assert_eq!((&terminal).read(&mut bytes).unwrap(), 0);
    }
    // The read has room for fewer bytes than the terminal should wait for. They are returned.
    set_raw(&terminal, 5, 0);
    other.write_all(b"abc").unwrap();
    (&terminal).read_exact(&mut bytes[..3]).unwrap();
    assert_eq!(&bytes[..3], b"abc");
    let waits = thread::spawn({
        let terminal = terminal.try_clone().unwrap();
        move || (&terminal).read(&mut [0; 10]).unwrap()
    });
    other.write_all(b"1234").unwrap();
    thread::sleep(Duration::from_millis(5));
    assert!(!waits.is_finished());
    other.write_all(b"5").unwrap();
    assert_eq!(waits.join().unwrap(), 5);
}

fn everything() {
    let _limit = time_limit("kinds of files".into());
    let tests = [
        non_blocking_mode_is_heeded,
        as_std,
        nothing_is_not_waited_for,
        timeouts_of_sockets,
        terminals_as_they_are_set,
    ];
    for workers in [1, 2] {
        tests.into_iter().for_each(|test| runtime(workers).run(test));
    }
}

/// Runs the test in a process of its own, with the variables set and after a call of `before`.
fn in_a_child(set: &[(&str, &str)], before: fn(), test: fn()) {
    if is_child() {
        before();
        return test();
    }
    let output = child(|command| {
        command.env_remove("GREENTHREAD_IO").envs(set.iter().copied());
    });
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn with_what_there_is() {
    in_a_child(&[], || (), everything);
}

#[test]
fn without_a_ring() {
    in_a_child(&[("GREENTHREAD_IO", "poll")], || (), everything);
}

#[test]
fn where_a_ring_is_forbidden() {
    if lacks(&[Need::Filters]) {
        return;
    }
    in_a_child(&[], || forbid(libc::SYS_io_uring_setup), everything);
}

/// Filters refuse calls with many errors.
#[test]
fn where_calls_without_waiting_are_refused() {
    if lacks(&[Need::Filters]) {
        return;
    }
    let refuse_both = || {
        let errno = std::env::var("ERRNO").unwrap().parse().unwrap();
        refuse(libc::SYS_preadv2, errno);
        refuse(libc::SYS_pwritev2, errno);
    };
    if is_child() {
        return in_a_child(&[], refuse_both, everything);
    }
    for errno in [libc::ENOSYS, libc::EPERM, libc::EACCES, libc::ENOTSUP, libc::EINVAL] {
        in_a_child(&[("ERRNO", &errno.to_string())], refuse_both, everything);
    }
}

#[test]
fn where_nothing_can_be_waited_for() {
    if lacks(&[Need::Filters]) {
        return;
    }
    let test = || {
        let _limit = time_limit("no room to wait".into());
        let (reader, writer) = pipe().unwrap();
        // The worker's own descriptors are registered before the filter is set.
        let runtime = runtime(1);
        runtime.run(move || {
            // The error of a system whose `max_user_watches` are used up.
            refuse(libc::SYS_epoll_ctl, libc::ENOSPC);
            let reader = File::from(OwnedFd::from(reader));
            let waits = thread::spawn(move || {
                let mut bytes = [0; 3];
                (&reader).read_exact(&mut bytes).unwrap();
                bytes
            });
            (0..20).for_each(|_| thread::yield_now());
            (&writer).write_all(b"abc").unwrap();
            assert_eq!(waits.join().unwrap(), *b"abc");
        });
    };
    let set = [("GREENTHREAD_IO", "poll")];
    in_a_child(&set, || (), test);
}

/// Threads that wait for another end take no OS thread of the pool. Threads that open something
/// that waits take none of the disk lane.
#[test]
fn waiting_takes_no_thread() {
    let test = || {
        const READERS: usize = 1500;
        let _limit = time_limit("waiting takes no thread".into());
        let runtime = runtime(2);
        let (dir, waiting) = (Arc::new(Dir::new()), Arc::new(AtomicUsize::new(0)));
        fifo(&dir.path("fifo"));
        let open = Plain::options().read(true).write(true).open(dir.path("fifo")).unwrap();
        let terminals: Vec<_> = (0..20).map(|_| terminal()).collect();
        let (terminals, mut others): (Vec<_>, Vec<_>) = terminals.into_iter().unzip();
        let spawn = |file: File| {
            let waiting = waiting.clone();
            runtime.spawn(move || {
                waiting.fetch_add(1, SeqCst);
                assert!((&file).read(&mut [0; 2]).unwrap() > 0);
            })
        };
        let mut readers: Vec<_> = (0..READERS).map(|_| spawn(open.try_clone().unwrap().into())).collect();
        readers.extend(terminals.into_iter().map(|terminal| spawn(terminal.into())));
        while waiting.load(SeqCst) < READERS + others.len() {
            std::thread::sleep(Duration::from_millis(1));
        }
        // More than the disk lane has threads, and than a ring has entries.
        let path = dir.path("a");
        runtime.run(move || {
            for n in 0..20 {
                thread::yield_now();
                fs::write(&path, n.to_string()).unwrap();
                File::open(&path).unwrap().sync_all().unwrap();
                assert_eq!(fs::read_to_string(&path).unwrap(), n.to_string());
            }
        });
        assert!(readers.iter().all(|reader| !reader.is_finished()));
        assert_eq!(runtime.metrics().blocking().threads(), 0);
        for other in &mut others {
            Plain::from(other.try_clone().unwrap()).write_all(b"\n").unwrap();
        }
        let mut left = readers.split_off(READERS);
        left.drain(..).for_each(|reader| reader.join().unwrap());
        for _ in 0..READERS {
            (&open).write_all(b"xy").unwrap();
        }
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    };
    let set = [("GREENTHREAD_DISK_THREADS", "1")];
    in_a_child(&set, || (), test);
}

/// To open a FIFO waits for its other end, but in no lane that other calls need.
#[test]
fn fifos_are_opened_when_there_is_another_end() {
    let test = || {
        let _limit = time_limit("FIFOs are opened".into());
        let runtime = runtime(1);
        runtime.run(|| {
            let dir = Arc::new(Dir::new());
            let names: Vec<_> = (0..20).map(|n| dir.path(&n.to_string())).collect();
            names.iter().for_each(|name| fifo(name));
            fs::write(dir.path("file"), "file").unwrap();
            fs::write(dir.path("message"), "message").unwrap();
            let opening = Arc::new(AtomicUsize::new(0));
            let threads: Vec<_> = names
                .iter()
                .cloned()
                .enumerate()
                .map(|(n, name)| {
                    let (opening, dir) = (opening.clone(), dir.clone());
                    thread::spawn(move || {
                        opening.fetch_add(1, SeqCst);
                        match n % 5 {
                            0 => assert_eq!(fs::read_to_string(name).unwrap(), "message"),
                            1 => assert_eq!(fs::read(name).unwrap(), b"message"),
                            2 => assert_eq!(fs::copy(dir.path("message"), name).unwrap(), 7),
                            3 => fs::write(name, "message").unwrap(),
                            _ => {
                                let mut all = String::new();
                                File::open(name).unwrap().read_to_string(&mut all).unwrap();
                                assert_eq!(all, "message");
                            }
                        }
                    })
                })
                .collect();
            while opening.load(SeqCst) < names.len() {
                thread::yield_now();
            }
            for _ in 0..10 {
                thread::sleep(Duration::from_millis(1));
                assert_eq!(fs::read(dir.path("file")).unwrap(), b"file");
                File::create(dir.path("file")).unwrap().write_all(b"file").unwrap();
            }
            assert!(threads.iter().all(|thread| !thread.is_finished()), "nobody is at the other end");
            for (n, name) in names.iter().enumerate() {
                if [2, 3].contains(&(n % 5)) {
                    assert_eq!(fs::read(name).unwrap(), b"message");
                } else {
                    File::options().write(true).open(name).unwrap().write_all(b"message").unwrap();
                }
            }
            threads.into_iter().for_each(|thread| thread.join().unwrap());

            // Opens in non-blocking mode.
            let mut options = OpenOptions::new();
            options.custom_flags(libc::O_NONBLOCK);
            let error = options.clone().write(true).open(&names[0]).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::ENXIO));
            let reader = options.read(true).open(&names[0]).unwrap();
            assert_eq!((&reader).read(&mut [0]).unwrap(), 0, "there is no writer");
            let writer = File::options().write(true).open(&names[0]).unwrap();
            assert_eq!(kind((&reader).read(&mut [0])), ErrorKind::WouldBlock);
            (&writer).write_all(b"x").unwrap();
            assert_eq!((&reader).read(&mut [0]).unwrap(), 1);
        });
    };
    let set = [("GREENTHREAD_DISK_THREADS", "1")];
    in_a_child(&set, || (), test);
}
