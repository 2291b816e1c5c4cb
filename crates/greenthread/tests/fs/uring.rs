//! Files by io_uring, and without: the same tests with a ring, without one, where it is forbidden,
//! and where it fails later on. Each case runs in a process of its own, since environment variables
//! and filters hold for a process.

use std::{
    fs::File as Plain,
    io::{ErrorKind, IoSlice, IoSliceMut, Read, Seek, Write},
    os::fd::AsRawFd,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    time::{Duration, SystemTime},
};

use greenthread::{
    fs::{File, OpenOptions},
    os::unix::fs::{FileExt, OpenOptionsExt},
    thread,
};

use crate::common::{
    Random, child,
    dir::fifo,
    filter::forbid,
    is_child,
    machine::{Need, lacks},
    runtime, test_name, text,
    world::time_limit,
};

/// A directory of the test's own. It is removed on drop.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("files-{}-{}", std::process::id(), NEXT.fetch_add(1, SeqCst));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A FIFO, open in both directions. So to open it does not wait, and a read finds no end of
    /// file.
    fn fifo(&self) -> (File, Plain) {
        let path = self.path("fifo");
        fifo(&path);
        let open = Plain::options().read(true).write(true).open(path).unwrap();
        (open.try_clone().unwrap().into(), open)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Memory that is aligned as `O_DIRECT` needs it.
#[repr(align(4096))]
struct Block([u8; BLOCK]);

const BLOCK: usize = 4096;

/// Drops the clean pages of the file from the cache.
fn forget(file: &File) {
    // SAFETY: the descriptor is open, and the call touches no memory.
    let error = unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
    assert_eq!(error, 0);
}

/// A new file for reading and writing, past the cache (`direct`) or not. Some file systems (tmpfs
/// on old kernels) can't go past the cache.
fn open(path: &Path, direct: bool) -> File {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    if direct && let Ok(file) = options.clone().custom_flags(libc::O_DIRECT).open(path) {
        return file;
    }
    options.open(path).unwrap()
}

/// Many threads use two files, one of which is read and written past the cache. At any moment a
/// block belongs to one thread, which writes it, or knows what is in it.
///
/// Two handles to one file, one of them past the cache, would not work: while io_uring writes past
/// the cache, other calls may bring neighbouring pages into it. Linux then logs a "page cache
/// invalidation failure", old blocks are read, and the next sync fails.
fn random_places() {
    const BLOCKS: usize = 64;
    let seed = match std::env::var("GREENTHREAD_TEST_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64,
    };
    println!("GREENTHREAD_TEST_SEED={seed}");
    let dir = Dir::new();
    let files = Arc::new([false, true].map(|direct| open(&dir.path(&direct.to_string()), direct)));
    files.iter().for_each(|file| file.set_len((BLOCKS * BLOCK) as u64).unwrap());
    let model = || (0..BLOCKS).map(|_| greenthread::sync::Mutex::new(0_u8)).collect::<Vec<_>>();
    let models = Arc::new([model(), model()]);
    let threads: Vec<_> = (0..100_u64)
        .map(|n| {
            let (files, models) = (files.clone(), models.clone());
            thread::spawn(move || {
                let mut random = Random::new(seed ^ (n + 1) << 32);
                let mut block = Box::new(Block([0; BLOCK]));
                for _ in 0..12 {
                    let index = random.below(BLOCKS as u64) as usize;
                    let which = random.below(2) as usize;
                    let (file, at) = (&files[which], (index * BLOCK) as u64);
                    let mut value = models[which][index].lock().unwrap();
                    if random.below(3) == 0 {
                        *value = random.below(256) as u8;
                        block.0.fill(*value);
                        file.write_all_at(&block.0, at).unwrap();
                    } else {
                        block.0.fill(!*value);
                        file.read_exact_at(&mut block.0, at).unwrap();
                        assert!(block.0.iter().all(|byte| *byte == *value), "block {index}");
                    }
                    drop(value);
                    match random.below(20) {
                        0 => file.sync_data().unwrap(),
                        1 => forget(file),
                        2 => thread::yield_now(),
                        _ => {}
                    }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    files[1].sync_all().unwrap();
}

/// By the common position each byte is read once, and each write has a place of its own, also for
/// reads from the disk.
fn by_the_common_position() {
    const THREADS: u64 = 40;
    let dir = Dir::new();
    let file = Arc::new(open(&dir.path("a"), false));
    let spawn = |f: fn(&File, u8) -> u64| -> u64 {
        let threads: Vec<_> = (0..THREADS)
            .map(|n| {
                let file = file.clone();
                thread::spawn(move || f(&file, n as u8))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    };
    let written = spawn(|mut file, n| {
        (0..5).for_each(|_| file.write_all(&[n; 5000]).unwrap());
        u64::from(n) * 25_000
    });
    assert_eq!(file.metadata().unwrap().len(), THREADS * 25_000);
    file.sync_data().unwrap();
    forget(&file);
    // The threads wait for the disk together before they read the rest.
    file.read_exact_at(&mut [0; 10], THREADS * 25_000 - 10).unwrap();
    (&*file).rewind().unwrap();
    let read = spawn(|mut file, _| {
        let (mut sum, mut buffer) = (0, [0; 3000]);
        while let count @ 1.. = file.read(&mut buffer).unwrap() {
            sum += buffer[..count].iter().map(|byte| u64::from(*byte)).sum::<u64>();
        }
        sum
    });
    assert_eq!(read, written);
}

/// Each of these calls has the result that std's call has.
fn as_std() {
    let dir = Dir::new();
    let path = dir.path("a");
    std::fs::write(&path, "0123456789").unwrap();
    let errors = |result: std::io::Result<usize>| result.map_err(|error| error.raw_os_error());
    let (read, write) = (Plain::open(&path).unwrap(), Plain::options().append(true).open(&path).unwrap());
    let null = Plain::options().read(true).write(true).open("/dev/null").unwrap();
    let folder = Plain::open(&dir.0).unwrap();
    let (_, fifo) = dir.fifo();
    let every = [&read, &write, &null, &folder, &fifo];
    for (n, plain) in every.into_iter().enumerate() {
        let ours = File::from(plain.try_clone().unwrap());
        for offset in [0, 4, 9, 10, 1 << 40, i64::MAX as u64, 1 << 63, u64::MAX] {
            for cold in [false, true] {
                if cold && n == 0 {
                    forget(&ours);
                }
                let (mut one, mut two) = ([0xee; 6], [0xee; 6]);
                let (got, want) = (ours.read_at(&mut one, offset), plain.read_at(&mut two, offset));
                assert_eq!((errors(got), one), (errors(want), two), "{n}, read at {offset}");
                let (got, want) = (ours.read_at(&mut [], offset), plain.read_at(&mut [], offset));
                assert_eq!(errors(got), errors(want), "{n}, nothing at {offset}");
            }
            let got = errors(ours.write_at(b"", offset));
            assert_eq!(got, errors(plain.write_at(b"", offset)), "{n}, write nothing at {offset}");
            if n != 1 || offset < 100 {
                let got = errors(ours.write_at(b"abc", offset));
                assert_eq!(got, errors(plain.write_at(b"abc", offset)), "{n}, write at {offset}");
            }
        }
        let got = errors(ours.sync_all().map(|()| 0));
        assert_eq!(got, errors(plain.sync_all().map(|()| 0)), "{n}, sync_all");
        let got = errors(ours.sync_data().map(|()| 0));
        assert_eq!(got, errors(plain.sync_data().map(|()| 0)), "{n}, sync_data");
    }
    // On Linux, a positioned write to a file that is open to append goes to the end.
    assert_eq!(
        std::fs::read(&path).unwrap(),
        b"0123456789".iter().chain(&b"abc".repeat(8)).copied().collect::<Vec<_>>()
    );
}

/// All ways to read and write move what a FIFO has. Threads that wait for one don't delay other
/// threads.
fn fifos() {
    // Many more than a ring has entries, and the pool of this process has threads.
    const THREADS: usize = 1500;
    let dir = Dir::new();
    let (fifo, other) = dir.fifo();
    let fifo = Arc::new(fifo);
    let readers: Vec<_> = (0..THREADS)
        .map(|_| {
            let fifo = fifo.clone();
            thread::spawn(move || {
                let mut byte = [0];
                (&*fifo).read_exact(&mut byte).unwrap();
                usize::from(byte[0])
            })
        })
        .collect();
    (0..10).for_each(|_| thread::yield_now());
    for n in 0..THREADS {
        assert_eq!((&other).write(&[(n % 251) as u8]).unwrap(), 1);
    }
    let sum: usize = readers.into_iter().map(|reader| reader.join().unwrap()).sum();
    assert_eq!(sum, (0..THREADS).map(|n| n % 251).sum());

    let large: Vec<u8> = (0..300_000).map(|i| (i * 7 + i / 251) as u8).collect();
    let writer = thread::spawn({
        let (fifo, large) = (fifo.clone(), large.clone());
        move || {
            let mut fifo = &*fifo;
            assert_eq!(fifo.write_vectored(&[IoSlice::new(b"ab"), IoSlice::new(b"c")]).unwrap(), 3);
            fifo.write_all(&large).unwrap();
        }
    });
    let (mut a, mut b) = ([0; 1], [0; 2]);
    let count = (&*fifo).read_vectored(&mut [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b)]).unwrap();
    assert_eq!((&a, &b, count), (b"a", b"bc", 3));
    let mut back = vec![0; large.len()];
    (&*fifo).read_exact(&mut back).unwrap();
    assert!(back == large);
    writer.join().unwrap();
    // Reads to the end, when all writers are gone.
    let mut reader = File::open(dir.path("fifo")).unwrap();
    (&*fifo).write_all(b"the end").unwrap();
    drop((fifo, other));
    let mut rest = String::new();
    reader.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "the end");
}

/// Threads whose destructors read and write while they unwind.
fn unwinding() {
    struct Writes(Arc<File>, u64);
    impl Drop for Writes {
        fn drop(&mut self) {
            let mut back = [0; 3];
            self.0.write_all_at(b"abc", self.1).unwrap();
            forget(&self.0);
            self.0.read_exact_at(&mut back, self.1).unwrap();
            assert_eq!(&back, b"abc");
            assert!(thread::panicking());
        }
    }
    let dir = Dir::new();
    let file = Arc::new(open(&dir.path("a"), false));
    let threads: Vec<_> = (0..20)
        .map(|n| {
            let file = file.clone();
            thread::spawn(move || {
                let _outer = Writes(file.clone(), n * 10);
                let _inner = Writes(file, n * 10 + 5);
                std::panic::panic_any(n);
            })
        })
        .collect();
    for (n, thread) in threads.into_iter().enumerate() {
        assert_eq!(thread.join().unwrap_err().downcast_ref(), Some(&(n as u64)));
    }
}

fn everything() {
    let _limit = time_limit("files".into());
    for workers in [1, 2] {
        for test in [random_places, by_the_common_position, as_std, fifos, unwinding] {
            runtime(workers).run(test);
        }
    }
}

fn in_a_child(set: impl Fn(&mut Command), test: impl Fn()) {
    if is_child() {
        return test();
    }
    let output = child(|command| {
        command.env("GREENTHREAD_DISK_THREADS", "8");
        set(command);
    });
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn with_what_there_is() {
    in_a_child(|_| {}, everything);
}

#[test]
fn without_a_ring() {
    let set = |command: &mut Command| {
        command.env("GREENTHREAD_IO", "poll");
    };
    in_a_child(set, everything);
}

#[test]
fn where_it_is_forbidden() {
    if lacks(&[Need::Filters]) {
        return;
    }
    in_a_child(
        |_| {},
        || {
            forbid(libc::SYS_io_uring_setup);
            everything();
        },
    );
}

/// A ring that works at first, and then fails.
#[test]
fn where_it_fails_later() {
    if lacks(&[Need::Filters]) {
        return;
    }
    in_a_child(
        |_| {},
        || {
            let _limit = time_limit("where it fails later".into());
            let runtime = runtime(1);
            runtime.run(random_places);
            // The filter holds for the one worker's OS thread.
            runtime.run(|| forbid(libc::SYS_io_uring_enter));
            runtime.run(random_places);
            runtime.run(unwinding);
        },
    );
}

/// A thread is parked in a call that nothing ends. It outlives a wait for its runtime that times
/// out, and goes on when it can.
#[test]
fn a_runtime_ends_after_its_operations() {
    let _limit = time_limit("a runtime ends after its operations".into());
    let dir = Dir::new();
    let (fifo, other) = dir.fifo();
    let (tell, told) = mpsc::channel();
    let runtime = runtime(1);
    let read = move || {
        let (mut fifo, mut bytes) = (&fifo, [0; 5]);
        tell.send(b' ').unwrap();
        fifo.read_exact(&mut bytes[..2]).unwrap();
        fifo.read_exact(&mut bytes[2..]).unwrap();
        bytes.iter().for_each(|byte| tell.send(*byte).unwrap());
    };
    runtime.spawn(read);
    assert_eq!(told.recv().unwrap(), b' ');
    assert!(!runtime.shutdown_timeout(Duration::from_millis(20)));
    (&other).write_all(b"fi").unwrap();
    (&other).write_all(b"nal").unwrap();
    assert_eq!(told.iter().collect::<Vec<_>>(), b"final");

    // A thread that drops the runtime waits.
    let runtime = crate::common::runtime(2);
    let done = Arc::new(Mutex::new(0));
    for _ in 0..10 {
        let (fifo, done) = (File::from(other.try_clone().unwrap()), done.clone());
        runtime.spawn(move || {
            (&fifo).read_exact(&mut [0]).unwrap();
            *done.lock().unwrap() += 1;
        });
    }
    let writer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(5));
        (&other).write_all(&[0; 10]).unwrap();
    });
    drop(runtime);
    assert_eq!(*done.lock().unwrap(), 10);
    writer.join().unwrap();
}

#[test]
fn a_process_ends_whatever_is_under_way() {
    if is_child() {
        let _limit = time_limit(test_name());
        let dir = Dir::new();
        let file = Arc::new(open(&dir.path("a"), false));
        let (fifo, _other) = dir.fifo();
        let fifo = Arc::new(fifo);
        let waiting = Arc::new(AtomicUsize::new(0));
        for n in 0..200 {
            let (file, fifo, waiting) = (file.clone(), fifo.clone(), waiting.clone());
            greenthread::thread::spawn(move || {
                waiting.fetch_add(1, SeqCst);
                if n % 2 == 0 {
                    (&*fifo).read_exact(&mut [0]).unwrap();
                }
                loop {
                    file.write_all_at(&[1; 10_000], n * 10_000).unwrap();
                    file.sync_data().unwrap();
                }
            });
        }
        while waiting.load(SeqCst) < 200 {
            std::thread::sleep(Duration::from_millis(1));
        }
        drop(dir);
        println!("so far");
        std::process::exit(7);
    }
    let output = child(|_| {});
    assert_eq!(output.status.code(), Some(7), "{}", text(&output));
    assert!(text(&output).contains("so far"));
}

#[test]
fn what_is_not_aligned_is_refused_as_by_std() {
    let dir = Dir::new();
    runtime(1).run(|| {
        let ours = open(&dir.path("a"), true);
        let mut block = Box::new(Block([5; BLOCK]));
        ours.write_all_at(&block.0, 0).unwrap();
        let plain = Plain::from(ours.try_clone().unwrap());
        let want = plain.read_at(&mut block.0[1..9], 0).map_err(|error| error.kind());
        let got = ours.read_at(&mut block.0[1..9], 0).map_err(|error| error.kind());
        assert_eq!(got, want);
        assert!(matches!(got, Ok(8) | Err(ErrorKind::InvalidInput)));
    });
}
