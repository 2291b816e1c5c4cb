//! Pipes.

use std::io::{BufRead, BufReader, ErrorKind, IoSlice, IoSliceMut, Read, Write};

#[cfg(unix)]
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};

use greenthread::{
    io::{self, IsTerminal, PipeReader, PipeWriter},
    thread,
};

use crate::common::sockets::{Kind, World, a_moment, everywhere, green};

#[test]
fn a_reader_waits_for_what_is_written() {
    everywhere(|world| {
        let (mut reader, mut writer) = io::pipe().unwrap();
        let sender = world.spawn(move || {
            for word in [&b"one"[..], b"two", b"three"] {
                a_moment();
                writer.write_all(word).unwrap();
            }
        });
        let mut all = String::new();
        reader.read_to_string(&mut all).unwrap();
        assert_eq!(all, "onetwothree");
        assert_eq!(reader.read(&mut [0]).unwrap(), 0);
        sender.join();
    });
}

#[test]
fn a_writer_waits_for_room() {
    everywhere(|world| {
        const SIZE: usize = 1 << 20;
        let (mut reader, mut writer) = io::pipe().unwrap();
        let bytes: Vec<u8> = (0..SIZE).map(|i| (i % 251) as u8).collect();
        let expected = bytes.clone();
        // A blocking system call takes all of it, and so does this `write`.
        let sender = world.spawn(move || writer.write(&bytes).unwrap());
        a_moment();
        let mut all = Vec::new();
        reader.read_to_end(&mut all).unwrap();
        assert!(all == expected);
        assert_eq!(sender.join(), SIZE);
    });
}

#[test]
fn several_buffers_at_once() {
    everywhere(|world| {
        let (mut reader, mut writer) = io::pipe().unwrap();
        let large = vec![7; 200_000];
        let sender = world.spawn(move || {
            writer.write_vectored(&[IoSlice::new(b"ab"), IoSlice::new(&large), IoSlice::new(b"yz")]).unwrap()
        });
        let (mut left, mut right) = ([0; 1], [0; 2]);
        let buffers = &mut [IoSliceMut::new(&mut left), IoSliceMut::new(&mut right)];
        // Windows reads into one buffer at a time, as std does there.
        let count = if cfg!(windows) { 1 } else { 3 };
        assert_eq!(reader.read_vectored(buffers).unwrap(), count);
        assert_eq!((&left, &right), (b"a", if cfg!(windows) { b"\0\0" } else { b"b\x07" }));
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).unwrap();
        assert_eq!(rest.len(), 200_004 - count);
        assert_eq!(&rest[rest.len() - 3..], b"\x07yz");
        assert_eq!(sender.join(), 200_004);
    });
}

/// A write of at most `PIPE_BUF` bytes stays together when others write too.
#[test]
fn short_writes_stay_together() {
    const WRITERS: u8 = 4;
    const LINES: usize = 200;

    everywhere(|world| {
        let (reader, writer) = io::pipe().unwrap();
        let writers: Vec<_> = (0..WRITERS)
            .map(|n| {
                let mut writer = writer.try_clone().unwrap();
                world.spawn(move || {
                    let mut line = vec![b'a' + n; 999];
                    line.push(b'\n');
                    (0..LINES).for_each(|_| assert_eq!(writer.write(&line).unwrap(), 1000));
                })
            })
            .collect();
        drop(writer);
        let mut count = 0;
        for line in BufReader::new(reader).lines() {
            let line = line.unwrap().into_bytes();
            assert!(line.len() == 999 && line.iter().all(|byte| *byte == line[0]));
            count += 1;
        }
        assert_eq!(count, usize::from(WRITERS) * LINES);
        writers.into_iter().for_each(|writer| writer.join());
    });
}

/// Each byte goes to one reader, and the end to all.
#[test]
fn several_read_one_pipe() {
    everywhere(|world| {
        let (reader, mut writer) = io::pipe().unwrap();
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let mut reader = reader.try_clone().unwrap();
                world.spawn(move || {
                    let (mut sum, mut byte) = (0, [0]);
                    while reader.read(&mut byte).unwrap() == 1 {
                        sum += u64::from(byte[0]);
                    }
                    sum
                })
            })
            .collect();
        drop(reader);
        for n in 0..2000_u64 {
            writer.write_all(&[(n % 200) as u8]).unwrap();
        }
        drop(writer);
        let sum: u64 = readers.into_iter().map(|reader| reader.join()).sum();
        assert_eq!(sum, 10 * (0..200).sum::<u64>());
    });
}

#[test]
fn the_reader_goes() {
    everywhere(|world| {
        let (reader, mut writer) = io::pipe().unwrap();
        let sender = world.spawn(move || {
            let error = loop {
                if let Err(error) = writer.write(&[0; 65536]) {
                    break error;
                }
            };
            error.kind()
        });
        a_moment();
        drop(reader);
        assert_eq!(sender.join(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn the_writer_goes() {
    everywhere(|world| {
        let (mut reader, writer) = io::pipe().unwrap();
        let receiver = world.spawn(move || reader.read(&mut [0]).unwrap());
        a_moment();
        drop(writer);
        assert_eq!(receiver.join(), 0);
    });
}

/// The library does not change a pipe's mode, since another process may have the pipe open too.
#[cfg(unix)]
#[test]
fn a_pipe_is_left_as_it_was() {
    everywhere(|world| {
        let blocking = |end: &dyn AsFdDyn| !socket2::SockRef::from(&end.fd()).nonblocking().unwrap();
        let (mut reader, writer) = io::pipe().unwrap();
        let clone = reader.try_clone().unwrap();
        let receiver = world.spawn(move || reader.read(&mut [0]).unwrap());
        a_moment();
        assert!(blocking(&clone) && blocking(&writer));
        drop(writer);
        receiver.join();
    });
}

#[cfg(unix)]
trait AsFdDyn {
    fn fd(&self) -> std::os::fd::BorrowedFd<'_>;
}

#[cfg(unix)]
impl<T: AsFd> AsFdDyn for T {
    fn fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.as_fd()
    }
}

#[cfg(unix)]
#[test]
fn in_non_blocking_mode_nothing_waits() {
    everywhere(|_| {
        let (reader, writer) = io::pipe().unwrap();
        rustix::io::ioctl_fionbio(&reader, true).unwrap();
        rustix::io::ioctl_fionbio(&writer, true).unwrap();
        let mut reader = PipeReader::from(OwnedFd::from(reader));
        let mut writer = PipeWriter::from(OwnedFd::from(writer));
        assert_eq!(reader.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        let mut room = 0;
        loop {
            match writer.write(&[0; 10_000]) {
                Ok(count) => room += count,
                Err(error) => break assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
        assert!(room >= 4096);
    });
}

#[cfg(unix)]
#[test]
fn there_and_back() {
    everywhere(|world| {
        let (reader, writer) = io::pipe().unwrap();
        assert!(!reader.is_terminal());
        let number = reader.as_raw_fd();
        let theirs = std::io::PipeReader::from(reader);
        assert_eq!(theirs.as_raw_fd(), number);
        let number = PipeReader::from(theirs).into_raw_fd();
        // SAFETY: `into_raw_fd` has just given the descriptor away.
        let mut reader = unsafe { PipeReader::from_raw_fd(number) };
        let receiver = world.spawn(move || {
            let first = reader.read(&mut [0; 8]).unwrap();
            // A green thread has waited for it, and an OS thread does after that.
            (first, std::io::PipeReader::from(reader))
        });
        a_moment();
        (&writer).write_all(b"one").unwrap();
        let (first, mut theirs) = receiver.join();
        assert_eq!(first, 3);
        (&writer).write_all(b"two!").unwrap();
        assert_eq!(theirs.read(&mut [0; 8]).unwrap(), 4);
    });
}

/// A terminal can't be read without blocking, and a file can't be waited for. Both can still be
/// read.
#[cfg(unix)]
#[test]
fn what_is_no_pipe() {
    fn test(world: World) {
        let mut master = -1;
        let mut slave = -1;
        let null = std::ptr::null_mut();
        // SAFETY: the call writes two descriptors, which this code owns then.
        let (master, slave) = unsafe {
            assert_eq!(libc::openpty(&mut master, &mut slave, null, null.cast(), null.cast()), 0);
            (OwnedFd::from_raw_fd(master), OwnedFd::from_raw_fd(slave))
        };
        let mut keyboard = PipeWriter::from(master);
        let mut terminal = PipeReader::from(slave);
        assert!(terminal.is_terminal());
        let receiver = world.spawn(move || {
            let mut buffer = [0; 64];
            let count = terminal.read(&mut buffer).unwrap();
            (buffer[..count].to_vec(), terminal)
        });
        a_moment();
        keyboard.write_all(b"hello\n").unwrap();
        let (line, _terminal) = receiver.join();
        assert_eq!(line, b"hello\n");

        let mut file = PipeReader::from(OwnedFd::from(std::fs::File::open("/proc/self/exe").unwrap()));
        let mut magic = [0; 4];
        file.read_exact(&mut magic).unwrap();
        assert_eq!(&magic, b"\x7fELF");
    }
    everywhere(test);
}

#[test]
fn one_who_never_waits_lets_others_run() {
    green(1, Kind::Green, |_| {
        let (mut reader, mut writer) = io::pipe().unwrap();
        let other = thread::spawn(|| ());
        while !other.is_finished() {
            writer.write_all(b"x").unwrap();
            reader.read_exact(&mut [0]).unwrap();
        }
    });
}

#[test]
fn copying_through_pipes() {
    everywhere(|world| {
        let (mut reader, mut writer) = io::pipe().unwrap();
        let (mut next_reader, mut next_writer) = io::pipe().unwrap();
        let copier = world.spawn(move || io::copy(&mut reader, &mut next_writer).unwrap());
        let bytes = vec![3; 300_000];
        let sender = world.spawn(move || writer.write_all(&bytes).unwrap());
        let mut all = Vec::new();
        next_reader.read_to_end(&mut all).unwrap();
        assert_eq!((copier.join(), all.len()), (300_000, 300_000));
        sender.join();
    });
}
