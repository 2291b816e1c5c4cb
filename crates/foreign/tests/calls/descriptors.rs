//! Sockets, pipes and files.

use std::{
    fs,
    io::{self, ErrorKind, Read, Write},
    net::{TcpListener, TcpStream, UdpSocket},
    os::{
        fd::AsRawFd,
        unix::net::{UnixListener, UnixStream},
    },
    thread,
    time::Duration,
};

use crate::{on_one_worker, spawn};

#[test]
fn a_hundred_conversations() {
    on_one_worker(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = spawn(move || {
            let threads: Vec<_> = (0..100)
                .map(|_| {
                    let (mut stream, _) = listener.accept().unwrap();
                    spawn(move || {
                        let mut bytes = [0; 4];
                        while stream.read_exact(&mut bytes).is_ok() {
                            stream.write_all(&bytes).unwrap();
                        }
                    })
                })
                .collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
        let clients: Vec<_> = (0..100_u32)
            .map(|number| {
                spawn(move || {
                    let mut stream = TcpStream::connect(address).unwrap();
                    for step in 0..20 {
                        let sent = (number * step).to_le_bytes();
                        stream.write_all(&sent).unwrap();
                        let mut bytes = [0; 4];
                        stream.read_exact(&mut bytes).unwrap();
                        assert_eq!(sent, bytes);
                    }
                })
            })
            .collect();
        clients.into_iter().for_each(|thread| thread.join().unwrap());
        server.join().unwrap();
    });
}

/// std's threads are preempted, so one that polls does not keep others waiting.
#[test]
fn siblings_of_one_that_polls_run() {
    on_one_worker(|| {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let polls = spawn(move || (0..1_000_000).any(|_| ours.read(&mut [0]).is_ok()));
        let writes = spawn(move || theirs.write_all(b"x").map(|()| theirs));
        assert!(polls.join().unwrap());
        drop(writes.join().unwrap());
    });
}

/// Each end's `open` waits for the other's.
#[test]
fn fifos_are_opened() {
    on_one_worker(|| {
        let path = std::env::temp_dir().join(format!("greenthread-fifo-{}", std::process::id()));
        let name = std::ffi::CString::new(path.as_os_str().as_encoded_bytes()).unwrap();
        // SAFETY: the name is a string of C.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        let reads = spawn({
            let path = path.clone();
            move || fs::read_to_string(path).unwrap()
        });
        let writes = spawn({
            let path = path.clone();
            move || fs::OpenOptions::new().write(true).open(path).unwrap().write_all(b"through").unwrap()
        });
        assert_eq!(reads.join().unwrap(), "through");
        writes.join().unwrap();
        fs::remove_file(path).unwrap();
    });
}

/// A write waits until the system has taken all of it.
#[test]
fn large_writes_are_whole() {
    on_one_worker(|| {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        let (mut reader, mut writer) = io::pipe().unwrap();
        let writes = spawn(move || {
            let bytes = vec![7; 3_000_000];
            assert_eq!(ours.write(&bytes).unwrap(), bytes.len());
            assert_eq!(writer.write(&bytes).unwrap(), bytes.len());
            let parts = [io::IoSlice::new(&bytes[..1_000_000]), io::IoSlice::new(&bytes[1_000_000..])];
            assert_eq!(ours.write_vectored(&parts).unwrap(), bytes.len());
        });
        let reads = spawn(move || {
            let mut bytes = vec![0; 3_000_000];
            theirs.read_exact(&mut bytes).unwrap();
            reader.read_exact(&mut bytes).unwrap();
            theirs.read_exact(&mut bytes).unwrap();
            assert!(bytes.iter().all(|byte| *byte == 7));
            theirs.read(&mut bytes).unwrap()
        });
        writes.join().unwrap();
        assert_eq!(reads.join().unwrap(), 0);
    });
}

#[test]
fn timeouts_of_sockets_hold() {
    on_one_worker(|| {
        let kinds = spawn(|| {
            let (mut ours, _theirs) = UnixStream::pair().unwrap();
            ours.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
            ours.set_write_timeout(Some(Duration::from_millis(5))).unwrap();
            let read = ours.read(&mut [0]).unwrap_err().kind();
            let mut write = Ok(());
            while write.is_ok() {
                write = ours.write_all(&[0; 100_000]);
            }
            (read, write.unwrap_err().kind())
        });
        assert_eq!(kinds.join().unwrap(), (ErrorKind::WouldBlock, ErrorKind::WouldBlock));
    });
}

#[test]
fn the_mode_is_respected() {
    on_one_worker(|| {
        let kind = spawn(|| {
            let (mut ours, _theirs) = UnixStream::pair().unwrap();
            ours.set_nonblocking(true).unwrap();
            ours.read(&mut [0]).unwrap_err().kind()
        });
        assert_eq!(kind.join().unwrap(), ErrorKind::WouldBlock);
    });
}

#[test]
fn datagrams_and_the_end_of_a_connection() {
    on_one_worker(|| {
        let one = UdpSocket::bind("127.0.0.1:0").unwrap();
        let two = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = one.local_addr().unwrap();
        let waits = spawn(move || {
            let mut bytes = [0; 9];
            let (count, _) = one.recv_from(&mut bytes).unwrap();
            bytes[..count].to_vec()
        });
        let sends = spawn(move || two.send_to(b"hello", address).unwrap());
        assert_eq!(waits.join().unwrap(), b"hello");
        sends.join().unwrap();
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let waits = spawn(move || ours.read(&mut [0; 9]).unwrap());
        spawn(|| drop(theirs)).join().unwrap();
        assert_eq!(waits.join().unwrap(), 0);
    });
}

#[test]
fn a_close_wakes_who_waits() {
    on_one_worker(|| {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let fd = ours.as_raw_fd();
        let waits = spawn(move || {
            let mut byte = 0_u8;
            // SAFETY: the buffer has one byte.
            let result = unsafe { libc::read(fd, (&raw mut byte).cast(), 1) };
            (result, io::Error::last_os_error().raw_os_error())
        });
        greenthread::thread::yield_now();
        spawn(move || drop(ours)).join().unwrap();
        assert_eq!(waits.join().unwrap(), (-1, Some(libc::EBADF)));
    });
}

#[test]
fn connections_are_made_and_refused() {
    on_one_worker(|| {
        let refused = spawn(|| {
            let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            TcpStream::connect(address).unwrap_err().kind()
        });
        assert_eq!(refused.join().unwrap(), ErrorKind::ConnectionRefused);
        let path = std::env::temp_dir().join(format!("greenthread-foreign-{}", std::process::id()));
        let theirs = path.clone();
        let listens = UnixListener::bind(&path).unwrap();
        let accepts = spawn(move || listens.accept().unwrap().0.write_all(b"x").unwrap());
        let connects = spawn(move || {
            let mut byte = [0];
            UnixStream::connect(theirs).unwrap().read_exact(&mut byte).unwrap();
            byte
        });
        assert_eq!(connects.join().unwrap(), *b"x");
        accepts.join().unwrap();
        fs::remove_file(path).unwrap();
    });
}

#[test]
fn files_are_read_and_written() {
    on_one_worker(|| {
        let path = std::env::temp_dir().join(format!("greenthread-foreign-file-{}", std::process::id()));
        let text = spawn(move || {
            let mut file = fs::File::create(&path).unwrap();
            file.write_all(b"written").unwrap();
            file.sync_all().unwrap();
            let text = fs::read_to_string(&path).unwrap();
            fs::remove_file(path).unwrap();
            text
        });
        assert_eq!(text.join().unwrap(), "written");
    });
}

#[test]
fn an_ordinary_thread_is_left_alone() {
    let (mut ours, mut theirs) = UnixStream::pair().unwrap();
    let os = thread::spawn(move || {
        let mut byte = [0];
        ours.read_exact(&mut byte).unwrap();
        byte
    });
    greenthread::run(move || theirs.write_all(b"x").unwrap());
    assert_eq!(os.join().unwrap(), *b"x");
}
