//! Files behave as those of `std::fs`: what std's own tests check, on green threads, on OS threads,
//! and on both. No call keeps a worker from its other threads.

use std::{
    io::{ErrorKind, IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, SystemTime},
};

#[cfg(unix)]
use std::os::fd::AsFd;

#[cfg(unix)]
use greenthread::os::unix::fs::{FileExt, OpenOptionsExt};
use greenthread::{
    fs::{self, File, OpenOptions, TryLockError},
    thread,
};

#[cfg(windows)]
use crate::common::dir::FileExt;
use crate::common::{
    Random, child,
    dir::{Dir, each, kind, pattern},
    is_child,
    machine::{Need, lacks},
    runtime, test_name, text,
    world::{everywhere, time_limit},
};
#[cfg(unix)]
use crate::common::{
    dir::fifo,
    system::{DIRECT, uncache},
};

/// Drops the file's pages from the cache, so that a read has to wait for the disk.
#[cfg(unix)]
fn forget(file: &File) {
    file.sync_all().unwrap();
    uncache(file.as_fd());
}

#[test]
fn what_is_written_is_read() {
    each(|dir| {
        let path = dir.path("a");
        let mut file = File::create(&path).unwrap();
        file.write_all(b"it's ").unwrap();
        assert_eq!(file.write(b"alright").unwrap(), 7);
        assert_eq!(file.write(b"").unwrap(), 0);
        file.flush().unwrap();
        // `EBADF`, and `ERROR_ACCESS_DENIED`.
        let error = if cfg!(windows) { 5 } else { 9 };
        assert_eq!(file.read(&mut [0; 4]).unwrap_err().raw_os_error(), Some(error));
        let mut file = File::open(&path).unwrap();
        let mut start = [0; 5];
        file.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"it's ");
        let mut rest = String::from("all of it: ");
        assert_eq!(file.read_to_string(&mut rest).unwrap(), 7);
        assert_eq!(rest, "all of it: alright");
        assert_eq!(file.read(&mut start).unwrap(), 0);
        assert_eq!(kind(file.read_exact(&mut start)), ErrorKind::UnexpectedEof);
        file.read_exact(&mut []).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"it's alright");
        assert_eq!(fs::read_to_string(&path).unwrap(), "it's alright");
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert_eq!(kind(fs::read_to_string(&path)), ErrorKind::InvalidData);
    });
}

// On Windows a call uses one buffer, and a seek fails with an error of another kind.
#[cfg(unix)]
#[test]
fn one_file_in_many_ways() {
    each(|dir| {
        let file = File::options().read(true).write(true).create_new(true).open(dir.path("a")).unwrap();
        let mut by_ref = &file;
        by_ref.write_all(b"0123456789").unwrap();
        assert_eq!(by_ref.stream_position().unwrap(), 10);
        by_ref.rewind().unwrap();
        let mut two = [0; 2];
        by_ref.read_exact(&mut two).unwrap();
        assert_eq!(&two, b"01");
        assert_eq!(by_ref.seek(SeekFrom::Current(3)).unwrap(), 5);
        assert_eq!(by_ref.seek(SeekFrom::End(-2)).unwrap(), 8);
        assert_eq!(by_ref.read(&mut [0; 10]).unwrap(), 2);
        assert_eq!(kind(by_ref.seek(SeekFrom::Current(-11))), ErrorKind::InvalidInput);
        assert_eq!(by_ref.seek(SeekFrom::Start(20)).unwrap(), 20);
        by_ref.write_all(b"!").unwrap();
        assert_eq!(file.metadata().unwrap().len(), 21);

        let mut clone = file.try_clone().unwrap();
        clone.rewind().unwrap();
        assert_eq!(by_ref.stream_position().unwrap(), 0, "one position");
        let (mut a, mut b) = ([0; 3], [0; 4]);
        let mut bufs = [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b)];
        assert_eq!(clone.read_vectored(&mut bufs).unwrap(), 7);
        assert_eq!((&a, &b), (b"012", b"3456"));
        by_ref.rewind().unwrap();
        assert_eq!(by_ref.write_vectored(&[IoSlice::new(b"ab"), IoSlice::new(b"c")]).unwrap(), 3);
        assert_eq!(&fs::read(dir.path("a")).unwrap()[..5], b"abc34");
        assert!(!file.is_terminal());
        assert!(format!("{file:?}").contains("File"));
    });
}

// On Windows such calls move the position.
#[cfg(unix)]
#[test]
fn positioned_calls_leave_the_position_alone() {
    each(|dir| {
        let mut file = File::create_new(dir.path("a")).unwrap();
        file.write_all_at(b"0123456789", 0).unwrap();
        assert_eq!(file.write_at(b"xy", 4).unwrap(), 2);
        assert_eq!(file.stream_position().unwrap(), 0);
        let mut buf = [0; 4];
        assert_eq!(file.read_at(&mut buf, 3).unwrap(), 4);
        assert_eq!(&buf, b"3xy6");
        assert_eq!(file.read_at(&mut buf, 8).unwrap(), 2);
        assert_eq!(file.read_at(&mut buf, 100).unwrap(), 0);
        file.read_exact_at(&mut buf, 6).unwrap();
        assert_eq!(&buf, b"6789");
        assert_eq!(kind(file.read_exact_at(&mut buf, 7)), ErrorKind::UnexpectedEof);
        for offset in [u64::MAX, i64::MAX as u64 + 1] {
            assert_eq!(kind(file.read_at(&mut buf, offset)), ErrorKind::InvalidInput);
            assert_eq!(kind(file.write_at(&buf, offset)), ErrorKind::InvalidInput);
        }
        let mut all = Vec::new();
        file.read_to_end(&mut all).unwrap();
        assert_eq!(all, b"0123xy6789");
    });
}

#[test]
fn from_the_disk_and_from_the_cache() {
    each(|dir| {
        let bytes = pattern(300_000);
        fs::write(dir.path("a"), &bytes).unwrap();
        let mut file = File::open(dir.path("a")).unwrap();
        for cold in [true, false, true] {
            if cold {
                forget(&file);
            }
            let mut buf = vec![0; 10_000];
            for offset in [0, 123_456, 290_000] {
                file.read_exact_at(&mut buf, offset as u64).unwrap();
                assert_eq!(buf, bytes[offset..offset + 10_000]);
            }
            file.rewind().unwrap();
            let (mut all, mut piece) = (Vec::new(), [0; 7_777]);
            loop {
                match file.read(&mut piece).unwrap() {
                    0 => break,
                    count => all.extend_from_slice(&piece[..count]),
                }
            }
            assert!(all == bytes);
            file.seek(SeekFrom::Start(100)).unwrap();
            let (mut a, mut b) = (vec![0; 5_000], vec![0; 50_000]);
            let count = file.read_vectored(&mut [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b)]).unwrap();
            assert!(count > 0);
            assert_eq!(file.stream_position().unwrap(), 100 + count as u64);
            assert!([a, b].concat()[..count] == bytes[100..100 + count]);
        }
    });
}

#[cfg(unix)]
#[test]
fn past_the_cache() {
    #[repr(align(4096))]
    struct Block([u8; 4096]);
    each(|dir| {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).custom_flags(DIRECT);
        let file = match options.open(dir.path("a")) {
            Ok(file) => file,
            // Some file systems (tmpfs on old kernels) don't support it.
            Err(error) => return assert_eq!(error.kind(), ErrorKind::InvalidInput),
        };
        let mut block = Block([7; 4096]);
        file.write_all_at(&block.0, 4096).unwrap();
        block.0.fill(1);
        file.read_exact_at(&mut block.0, 4096).unwrap();
        assert!(block.0 == [7; 4096]);
        (&file).read_exact(&mut block.0).unwrap();
        assert!(block.0 == [0; 4096]);
    });
}

#[test]
fn many_threads_at_one_file() {
    everywhere(|world| {
        let dir = Dir::new();
        let file = Arc::new(File::create_new(dir.path("a")).unwrap());
        let threads: Vec<_> = (0..32_u64)
            .map(|n| {
                let file = file.clone();
                world.spawn(move || {
                    file.write_all_at(&[n as u8; 100], n * 100).unwrap();
                    thread::yield_now();
                    let mut back = [0; 100];
                    file.read_exact_at(&mut back, n * 100).unwrap();
                    assert_eq!(back, [n as u8; 100]);
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.end());
        // On Windows the calls so far have moved the position.
        (&*file).rewind().unwrap();
        // By the common position each byte is read once.
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let file = file.clone();
                world.spawn(move || {
                    let (mut sum, mut buf) = (0, [0; 64]);
                    loop {
                        match (&*file).read(&mut buf).unwrap() {
                            0 => break sum,
                            count => sum += buf[..count].iter().map(|byte| u64::from(*byte)).sum::<u64>(),
                        }
                        thread::yield_now();
                    }
                })
            })
            .collect();
        let sum: u64 = threads.into_iter().map(|thread| thread.end()).sum();
        assert_eq!(sum, (0..32).sum::<u64>() * 100);
    });
}

#[test]
fn file_locks() {
    if lacks(&[Need::Unlocking]) {
        return;
    }
    everywhere(|world| {
        let dir = Dir::new();
        let path = dir.path("a");
        let open =
            || File::options().read(true).write(true).create(true).truncate(false).open(&path).unwrap();
        let (one, two, three) = (open(), open(), open());
        let blocked = |result| matches!(result, Err(TryLockError::WouldBlock));
        one.lock_shared().unwrap();
        two.try_lock_shared().unwrap();
        assert!(blocked(three.try_lock()));
        one.unlock().unwrap();
        drop(two);
        three.try_lock().unwrap();
        assert!(blocked(one.try_lock_shared()));

        // It waits. The threads that hold the lock go on meanwhile, also on the same worker.
        let got = Arc::new(AtomicUsize::new(0));
        let waiters: Vec<_> = (0..6)
            .map(|n| {
                let (file, got) = (open(), got.clone());
                world.spawn(move || {
                    if n % 2 == 0 {
                        file.lock().unwrap()
                    } else {
                        file.lock_shared().unwrap()
                    }
                    got.fetch_add(1, SeqCst);
                })
            })
            .collect();
        (0..20).for_each(|_| thread::yield_now());
        thread::sleep(Duration::from_millis(1));
        assert_eq!(got.load(SeqCst), 0);
        (&three).write_all(b"held").unwrap();
        three.unlock().unwrap();
        waiters.into_iter().for_each(|waiter| waiter.end());
        assert_eq!(got.load(SeqCst), 6);
        one.lock().unwrap();
    });
}

/// Threads that wait for a file lock don't take OS threads that its holders need.
#[test]
fn more_waiters_for_a_lock_than_the_pool_has_threads() {
    if lacks(&[Need::Unlocking]) {
        return;
    }
    if is_child() {
        let _limit = time_limit(test_name());
        let dir = Dir::new();
        runtime(2).run(|| {
            let path = dir.path("a");
            let holder = File::create(&path).unwrap();
            holder.lock().unwrap();
            let waiting = Arc::new(AtomicUsize::new(0));
            let waiters: Vec<_> = (0..20)
                .map(|_| {
                    let (file, waiting) = (File::open(&path).unwrap(), waiting.clone());
                    thread::spawn(move || {
                        waiting.fetch_add(1, SeqCst);
                        file.lock().unwrap();
                    })
                })
                .collect();
            while waiting.load(SeqCst) < 20 {
                thread::yield_now();
            }
            for _ in 0..10 {
                (&holder).write_all(b"through the pool").unwrap();
                holder.sync_data().unwrap();
            }
            holder.unlock().unwrap();
            waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
        });
        println!("came through");
        return;
    }
    let out = child(|command| {
        command.env("GREENTHREAD_DISK_THREADS", "2");
    });
    assert!(text(&out).contains("came through"), "{}", text(&out));
}

/// One worker, and both ends of a FIFO. If opening, reading or writing blocked the worker, it would
/// block for ever.
#[cfg(unix)]
#[test]
fn no_call_keeps_a_worker_from_its_threads() {
    let _limit = time_limit("a FIFO".into());
    let dir = Dir::new();
    fifo(&dir.path("fifo"));
    for workers in [1, 2] {
        let path = dir.path("fifo");
        runtime(workers).run(|| {
            let reader = thread::spawn({
                let path = path.clone();
                move || {
                    let mut file = File::open(path).unwrap();
                    let mut first = [0; 6];
                    file.read_exact(&mut first).unwrap();
                    assert_eq!(&first, b"first ");
                    let mut rest = String::new();
                    file.read_to_string(&mut rest).unwrap();
                    rest
                }
            });
            thread::yield_now();
            let mut file = File::options().write(true).open(path).unwrap();
            let large = "large ".repeat(50_000);
            for piece in ["fi", "rst ", &large] {
                (0..10).for_each(|_| thread::yield_now());
                file.write_all(piece.as_bytes()).unwrap();
            }
            drop(file);
            assert!(reader.join().unwrap() == large);
        });
    }
}

#[cfg(unix)]
#[test]
fn siblings_run_while_a_call_is_away() {
    let _limit = time_limit("a FIFO".into());
    let dir = Dir::new();
    fifo(&dir.path("fifo"));
    runtime(1).run(|| {
        let gone = Arc::new(AtomicBool::new(false));
        let reader = thread::spawn({
            let (path, gone) = (dir.path("fifo"), gone.clone());
            move || {
                let file = File::options().read(true).write(true).open(path).unwrap();
                let mut one = [0];
                gone.store(true, SeqCst);
                (&file).read_exact(&mut one).unwrap();
                one[0]
            }
        });
        while !gone.load(SeqCst) {
            thread::yield_now();
        }
        for _ in 0..100 {
            thread::spawn(|| ()).join().unwrap();
        }
        assert!(!reader.is_finished());
        fs::write(dir.path("fifo"), [9]).unwrap();
        assert_eq!(reader.join().unwrap(), 9);
    });
}

#[test]
fn inside_without_yield_the_caller_makes_the_calls() {
    let dir = Dir::new();
    runtime(1).run(|| {
        let ran = Arc::new(AtomicBool::new(false));
        let sibling = thread::spawn({
            let ran = ran.clone();
            move || ran.store(true, SeqCst)
        });
        thread::without_yield(|| {
            fs::write(dir.path("a"), "text").unwrap();
            let file = File::open(dir.path("a")).unwrap();
            file.lock().unwrap();
            assert_eq!(file.read_at(&mut [0; 9], 0).unwrap(), 4);
            assert_eq!(fs::read_dir(&dir.0).unwrap().count(), 1);
            assert!(!ran.load(SeqCst));
        });
        sibling.join().unwrap();
    });
}

#[test]
fn cached_reads_let_siblings_run() {
    let _limit = time_limit("cached reads".into());
    let dir = Dir::new();
    std::fs::write(dir.path("a"), pattern(10_000)).unwrap();
    runtime(1).run(|| {
        // From here on no call waits.
        let file = File::open(dir.path("a")).unwrap();
        file.read_exact_at(&mut [0; 100], 5_000).unwrap();
        let steps = Arc::new(AtomicUsize::new(0));
        let sibling = thread::spawn({
            let steps = steps.clone();
            move || {
                for _ in 0..50 {
                    steps.fetch_add(1, SeqCst);
                    thread::yield_now();
                }
            }
        });
        while steps.load(SeqCst) < 50 {
            file.read_exact_at(&mut [0; 100], 5_000).unwrap();
        }
        sibling.join().unwrap();
    });
}

/// Threads do random operations on files of their own. A vector says what must be in each file.
#[test]
fn random_work() {
    let seed = match std::env::var("GREENTHREAD_TEST_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64,
    };
    println!("GREENTHREAD_TEST_SEED={seed}");
    everywhere(move |world| {
        let threads: Vec<_> = (0..8)
            .map(|n| {
                world.spawn(move || {
                    let (mut random, dir) = (Random::new(seed ^ (n + 1) << 32), Dir::new());
                    let path = dir.path("a");
                    let mut file = File::create_new(&path).unwrap();
                    let (mut model, mut at) = (Vec::<u8>::new(), 0);
                    for _ in 0..60 {
                        let length = random.below(5_000) as usize;
                        let offset = random.below(model.len() as u64 + 1) as usize;
                        let end = model.len();
                        match random.below(8) {
                            0 | 1 => {
                                let bytes: Vec<u8> = (0..length).map(|_| random.below(256) as u8).collect();
                                file.write_all_at(&bytes, offset as u64).unwrap();
                                model.resize(end.max(offset + length), 0);
                                model[offset..offset + length].copy_from_slice(&bytes);
                                if cfg!(windows) {
                                    at = offset + length;
                                }
                            }
                            2 => {
                                let byte = random.below(256) as u8;
                                file.write_all(&vec![byte; length]).unwrap();
                                model.resize(end.max(at + length), 0);
                                model[at..at + length].fill(byte);
                                at += length;
                            }
                            3 => {
                                let mut bytes = vec![0; length];
                                let count = file.read(&mut bytes).unwrap();
                                assert_eq!(bytes[..count], model[at.min(end)..at.min(end) + count]);
                                at += count;
                            }
                            4 => {
                                let mut bytes = vec![0; length.min(end - offset)];
                                file.read_exact_at(&mut bytes, offset as u64).unwrap();
                                assert_eq!(bytes, model[offset..offset + bytes.len()]);
                                if cfg!(windows) {
                                    at = offset + bytes.len();
                                }
                            }
                            5 => {
                                file.seek(SeekFrom::Start(offset as u64)).unwrap();
                                at = offset;
                            }
                            6 => {
                                file.set_len(offset as u64).unwrap();
                                model.truncate(offset);
                            }
                            _ => assert!(fs::read(&path).unwrap() == model),
                        }
                    }
                    assert!(fs::read(&path).unwrap() == model);
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.end());
    });
}

/// What takes a file out of the cache is not tried here.
#[cfg(windows)]
fn forget(_: &File) {}
