//! `fs` behaves as `std::fs`: what std's own tests check, on green threads, on OS threads, and on both; and no call keeps a
//! worker from its other threads.

mod common;
mod sync_world;

use std::{
    ffi::CString,
    io::{ErrorKind, IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write},
    os::{
        fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, SystemTime},
};

use common::{Random, child, is_child, runtime, text};
use greenthread::{
    fs::{self, DirBuilder, File, FileTimes, OpenOptions, TryLockError},
    os::unix::fs::{
        DirBuilderExt, DirEntryExt, FileExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown,
        chroot, fchown, lchown, symlink,
    },
    thread,
};
use sync_world::{everywhere, patience};

/// A directory of the test's own, which goes with it.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("fs-{}-{}", std::process::id(), NEXT.fetch_add(1, SeqCst));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs the test in a thread of each world.
fn each(test: impl Fn(&Dir) + Send + Sync + 'static) {
    let test = Arc::new(test);
    everywhere(move |world| {
        let test = test.clone();
        world.spawn(move || test(&Dir::new())).end();
    });
}

fn kind<T>(result: std::io::Result<T>) -> ErrorKind {
    result.map(|_| ()).unwrap_err().kind()
}

/// Numbers that show where they belong.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 7 + i / 251) as u8).collect()
}

/// Throws the file's pages out of the cache, so that a read has to wait for the disk.
fn forget(file: &File) {
    file.sync_all().unwrap();
    // SAFETY: an open descriptor, no memory.
    let error = unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
    assert_eq!(error, 0);
}

fn fifo(path: &Path) {
    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    // SAFETY: a string with its zero.
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
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
        assert_eq!(file.read(&mut [0; 4]).unwrap_err().raw_os_error(), Some(libc::EBADF));
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

#[test]
fn past_the_cache() {
    #[repr(align(4096))]
    struct Block([u8; 4096]);
    each(|dir| {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).custom_flags(libc::O_DIRECT);
        let file = match options.open(dir.path("a")) {
            Ok(file) => file,
            // Some file systems (tmpfs of old) have no such thing.
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
fn all_ways_to_open() {
    each(|dir| {
        let path = dir.path("a");
        let with = |f: &dyn Fn(&mut OpenOptions) -> &mut OpenOptions| {
            let mut options = OpenOptions::new();
            f(&mut options);
            options.open(&path)
        };
        // Not there.
        assert_eq!(kind(with(&|o| o.read(true))), ErrorKind::NotFound);
        assert_eq!(kind(with(&|o| o.write(true))), ErrorKind::NotFound);
        assert_eq!(kind(File::open(&path)), ErrorKind::NotFound);
        // Contradictions.
        assert_eq!(kind(with(&|o| o)), ErrorKind::InvalidInput);
        assert_eq!(kind(with(&|o| o.read(true).truncate(true))), ErrorKind::InvalidInput);
        assert_eq!(kind(with(&|o| o.read(true).create(true))), ErrorKind::InvalidInput);
        assert_eq!(kind(with(&|o| o.append(true).truncate(true))), ErrorKind::InvalidInput);
        // There.
        with(&|o| o.write(true).create(true)).unwrap().write_all(b"12345").unwrap();
        assert_eq!(kind(with(&|o| o.write(true).create_new(true))), ErrorKind::AlreadyExists);
        assert_eq!(kind(File::create_new(&path)), ErrorKind::AlreadyExists);
        with(&|o| o.write(true)).unwrap().write_all(b"ab").unwrap();
        with(&|o| o.append(true)).unwrap().write_all(b"67").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"ab34567");
        let mut appends = with(&|o| o.read(true).append(true)).unwrap();
        appends.rewind().unwrap();
        appends.write_all(b"8").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"ab345678");
        with(&|o| o.write(true).truncate(true)).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
        let mut both = OpenOptions::new();
        both.read(true);
        let write = both.clone().write(true).open(&path).unwrap();
        (&write).write_all(b"x").unwrap();
        assert!(both.open(&path).unwrap().write(b"y").is_err());
        assert_eq!(format!("{both:?}"), format!("{:?}", std::fs::OpenOptions::new().read(true)));
        // A mode.
        OpenOptions::new().write(true).create(true).mode(0o600).open(dir.path("mode")).unwrap();
        assert_eq!(fs::metadata(dir.path("mode")).unwrap().mode() & 0o777, 0o600);
        // A zero in the name, a directory that is a file, a file that is a directory.
        assert_eq!(kind(File::open("a\0b")), ErrorKind::InvalidInput);
        assert_eq!(kind(File::open(path.join("b"))), ErrorKind::NotADirectory);
        assert_eq!(kind(File::create(&dir.0)), ErrorKind::IsADirectory);
        assert_eq!(kind(File::open(&dir.0).unwrap().read(&mut [0])), ErrorKind::IsADirectory);
    });
}

#[test]
fn lengths_times_and_permissions() {
    each(|dir| {
        let path = dir.path("a");
        let file = File::create(&path).unwrap();
        (&file).write_all(b"0123456789").unwrap();
        file.set_len(4).unwrap();
        file.set_len(6).unwrap();
        file.sync_data().unwrap();
        file.sync_all().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"0123\0\0");
        assert_eq!(kind(File::open(&path).unwrap().set_len(1)), ErrorKind::InvalidInput);

        let (then, later) = (Duration::from_secs(1_000_000), Duration::from_nanos(1_500_000_000_123_456_789));
        let (then, later) = (SystemTime::UNIX_EPOCH + then, SystemTime::UNIX_EPOCH + later);
        file.set_times(FileTimes::new().set_accessed(then).set_modified(later)).unwrap();
        let metadata = file.metadata().unwrap();
        assert_eq!((metadata.accessed().unwrap(), metadata.modified().unwrap()), (then, later));
        file.set_modified(then).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), then);

        let mut permissions = metadata.permissions();
        permissions.set_readonly(true);
        file.set_permissions(permissions.clone()).unwrap();
        assert!(fs::metadata(&path).unwrap().permissions().readonly());
        permissions.set_mode(0o640);
        fs::set_permissions(&path, permissions).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(
            kind(fs::set_permissions(dir.path("none"), fs::Permissions::from_mode(0o600))),
            ErrorKind::NotFound
        );
    });
}

#[test]
fn directories_are_made_and_removed() {
    each(|dir| {
        let deep = dir.path("a/b/c");
        assert_eq!(kind(fs::create_dir(&deep)), ErrorKind::NotFound);
        fs::create_dir_all(&deep).unwrap();
        fs::create_dir_all(&deep).unwrap();
        assert_eq!(kind(fs::create_dir(&deep)), ErrorKind::AlreadyExists);
        assert_eq!(kind(fs::remove_dir(dir.path("a"))), ErrorKind::DirectoryNotEmpty);
        fs::write(deep.join("file"), "text").unwrap();
        assert_eq!(kind(fs::create_dir_all(deep.join("file"))), ErrorKind::AlreadyExists);
        assert_eq!(kind(fs::remove_dir(deep.join("file"))), ErrorKind::NotADirectory);
        symlink(dir.path("kept"), deep.join("link")).unwrap();
        fs::create_dir(dir.path("kept")).unwrap();
        fs::remove_dir_all(dir.path("a")).unwrap();
        assert!(!fs::exists(dir.path("a")).unwrap());
        assert!(fs::exists(dir.path("kept")).unwrap(), "the link wasn't followed");
        fs::remove_dir(dir.path("kept")).unwrap();
        assert_eq!(kind(fs::remove_dir(dir.path("kept"))), ErrorKind::NotFound);
        assert_eq!(kind(fs::remove_dir_all(dir.path("kept"))), ErrorKind::NotFound);

        let mut builder = DirBuilder::new();
        builder.mode(0o700);
        assert_eq!(kind(builder.create(dir.path("x/y"))), ErrorKind::NotFound);
        builder.recursive(true).create(dir.path("x/y")).unwrap();
        builder.create(dir.path("x/y")).unwrap();
        assert_eq!(fs::metadata(dir.path("x/y")).unwrap().mode() & 0o777, 0o700);
        assert!(format!("{builder:?}").starts_with("DirBuilder"));
    });
}

#[test]
fn directories_are_read() {
    each(|dir| {
        // More than come at once.
        for n in 0..300 {
            fs::write(dir.path(&format!("file-{n:03}")), "x".repeat(n)).unwrap();
        }
        fs::create_dir(dir.path("dir")).unwrap();
        symlink("file-001", dir.path("link")).unwrap();
        let entries = fs::read_dir(&dir.0).unwrap();
        assert_eq!(format!("{entries:?}"), format!("ReadDir({:?})", dir.0));
        let mut seen = Vec::new();
        for entry in entries {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            assert_eq!(entry.path(), dir.path(&name));
            let (metadata, file_type) = (entry.metadata().unwrap(), entry.file_type().unwrap());
            assert_eq!(metadata.file_type(), file_type);
            assert_eq!(entry.ino(), metadata.ino());
            assert_eq!(file_type.is_dir(), name == "dir");
            assert_eq!(file_type.is_symlink(), name == "link");
            if let Some(length) = name.strip_prefix("file-") {
                assert_eq!(metadata.len(), length.parse::<u64>().unwrap());
            }
            assert!(format!("{entry:?}").contains(&name));
            seen.push(name);
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 302);
        let mut entries = fs::read_dir(dir.path("dir")).unwrap();
        assert!(entries.next().is_none() && entries.next().is_none());
        assert_eq!(kind(fs::read_dir(dir.path("none"))), ErrorKind::NotFound);
        assert_eq!(kind(fs::read_dir(dir.path("file-000"))), ErrorKind::NotADirectory);
    });
}

#[test]
fn a_directory_begun_on_a_green_thread_is_read_on_by_an_os_thread() {
    let dir = Dir::new();
    (0..400).for_each(|n| std::fs::write(dir.path(&n.to_string()), "").unwrap());
    let (begun, count) = runtime(1).run(|| {
        let mut entries = fs::read_dir(&dir.0).unwrap();
        let count = entries.by_ref().take(10).filter(|entry| entry.is_ok()).count();
        (entries, count)
    });
    assert_eq!(begun.filter(|entry| entry.is_ok()).count() + count, 400);
    let mut begun = fs::read_dir(&dir.0).unwrap();
    let count = begun.by_ref().take(10).count();
    assert_eq!(runtime(1).run(|| begun.count()) + count, 400);
}

#[test]
fn files_are_copied_linked_renamed_and_removed() {
    each(|dir| {
        let [a, b, c] = ["a", "b", "c"].map(|name| dir.path(name));
        let bytes = pattern(100_000);
        fs::write(&a, &bytes).unwrap();
        fs::set_permissions(&a, fs::Permissions::from_mode(0o640)).unwrap();
        fs::write(&b, "longer ".repeat(20_000)).unwrap();
        assert_eq!(fs::copy(&a, &b).unwrap(), 100_000);
        assert!(fs::read(&b).unwrap() == bytes);
        assert_eq!(fs::metadata(&b).unwrap().mode() & 0o777, 0o640);
        assert_eq!(kind(fs::copy(&c, &a)), ErrorKind::NotFound);
        assert!(fs::read(&a).unwrap() == bytes);
        assert!(fs::copy(&dir.0, &c).is_err());

        fs::hard_link(&a, &c).unwrap();
        assert_eq!(fs::metadata(&a).unwrap().nlink(), 2);
        assert_eq!(kind(fs::hard_link(&a, &b)), ErrorKind::AlreadyExists);
        fs::rename(&a, &b).unwrap();
        assert!(!fs::exists(&a).unwrap());
        assert_eq!(fs::metadata(&b).unwrap().ino(), fs::metadata(&c).unwrap().ino());
        assert_eq!(kind(fs::rename(&a, &c)), ErrorKind::NotFound);
        fs::remove_file(&c).unwrap();
        assert_eq!(kind(fs::remove_file(&c)), ErrorKind::NotFound);
        assert_eq!(fs::metadata(&b).unwrap().nlink(), 1);
        // An open file outlives its name.
        let mut open = File::open(&b).unwrap();
        fs::remove_file(&b).unwrap();
        let mut back = Vec::new();
        open.read_to_end(&mut back).unwrap();
        assert!(back == bytes);
    });
}

#[test]
#[allow(deprecated, reason = "it is there because std has it")]
fn symbolic_links_and_what_is_there() {
    each(|dir| {
        let [file, link, lost] = ["file", "link", "lost"].map(|name| dir.path(name));
        fs::write(&file, "text").unwrap();
        symlink("file", &link).unwrap();
        fs::soft_link("nothing", &lost).unwrap();
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("file"));
        assert_eq!(fs::read_to_string(&link).unwrap(), "text");
        assert_eq!(fs::canonicalize(&link).unwrap(), fs::canonicalize(&dir.0).unwrap().join("file"));
        assert!(fs::metadata(&link).unwrap().is_file());
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(!fs::exists(&lost).unwrap());
        assert_eq!(kind(fs::metadata(&lost)), ErrorKind::NotFound);
        assert!(fs::symlink_metadata(&lost).is_ok());
        assert_eq!(kind(fs::read_link(&file)), ErrorKind::InvalidInput);
        assert_eq!(kind(fs::canonicalize(&lost)), ErrorKind::NotFound);
        assert_eq!(kind(symlink("file", &link)), ErrorKind::AlreadyExists);
        // A link to itself.
        symlink("loop", dir.path("loop")).unwrap();
        assert!(fs::exists(dir.path("loop")).is_err());

        fifo(&dir.path("fifo"));
        assert!(fs::metadata(dir.path("fifo")).unwrap().file_type().is_fifo());
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        let metadata = fs::metadata(&file).unwrap();
        assert_eq!(greenthread::os::linux::fs::MetadataExt::st_size(&metadata), 4);
        assert_eq!(MetadataExt::size(&metadata), 4);
    });
}

#[test]
fn owners() {
    each(|dir| {
        let path = dir.path("a");
        let file = File::create(&path).unwrap();
        let owner = |path: &Path| fs::symlink_metadata(path).map(|of| (of.uid(), of.gid())).unwrap();
        let (uid, gid) = owner(&path);
        chown(&path, Some(uid), None).unwrap();
        fchown(&file, None, Some(gid)).unwrap();
        symlink("nothing", dir.path("link")).unwrap();
        lchown(dir.path("link"), Some(uid), Some(gid)).unwrap();
        assert_eq!(kind(chown(dir.path("link"), None, None)), ErrorKind::NotFound);
        assert_eq!((owner(&path), owner(&dir.path("link"))), ((uid, gid), (uid, gid)));
        assert_eq!(kind(chroot(dir.path("none"))), ErrorKind::NotFound);
    });
}

#[test]
fn conversions() {
    each(|dir| {
        let path = dir.path("a");
        let file: File = std::fs::File::create(&path).unwrap().into();
        (&file).write_all(b"1").unwrap();
        let mut file: std::fs::File = file.into();
        file.write_all(b"2").unwrap();
        let descriptor: OwnedFd = File::from(file).into();
        let file = File::from(descriptor);
        (&file).write_all(b"3").unwrap();
        assert_eq!(file.as_fd().as_raw_fd(), file.as_raw_fd());
        let raw = file.into_raw_fd();
        // SAFETY: just given to us.
        let file = unsafe { File::from_raw_fd(raw) };
        (&file).write_all(b"4").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"1234");
        let out = Command::new("echo").arg("5").stdout(Stdio::from(file)).status();
        assert!(out.unwrap().success());
        assert_eq!(fs::read(&path).unwrap(), b"12345\n");
    });
}

#[test]
fn file_locks() {
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

        // It waits; and those that hold the lock go on meanwhile, on the same worker too.
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

/// Those who wait for a lock take nothing that those who hold it need.
#[test]
fn more_waiters_for_a_lock_than_the_pool_has_threads() {
    const NAME: &str = "more_waiters_for_a_lock_than_the_pool_has_threads";
    if is_child(NAME) {
        let _patience = patience(NAME.into());
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
    let out = child(NAME, |command| {
        command.env("BLOCKING_MAX_THREADS", "2");
    });
    assert!(text(&out).contains("came through"), "{}", text(&out));
}

/// One worker, and both ends of a FIFO: if opening, reading or writing blocked the worker, it would be for ever.
#[test]
fn no_call_keeps_a_worker_from_its_threads() {
    let _patience = patience("a FIFO".into());
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

#[test]
fn siblings_run_while_a_call_is_away() {
    let _patience = patience("a FIFO".into());
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
fn inside_without_yield_the_calls_are_made_right_here() {
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
fn many_make_the_same_directories() {
    everywhere(|world| {
        let dir = Dir::new();
        for round in 0..5 {
            let path = dir.path(&format!("{round}/b/c/d/e/f"));
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    let path = path.clone();
                    world.spawn(move || fs::create_dir_all(path))
                })
                .collect();
            threads.into_iter().for_each(|thread| thread.end().unwrap());
            assert!(fs::metadata(path).unwrap().is_dir());
        }
        // And of those who make one and the same file, one does.
        let path = dir.path("one");
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let path = path.clone();
                world.spawn(move || File::create_new(path).is_ok())
            })
            .collect();
        assert_eq!(threads.into_iter().map(|thread| usize::from(thread.end())).sum::<usize>(), 1);
    });
}

#[test]
fn all_sorts_of_names() {
    each(|dir| {
        let names: [&[u8]; 6] =
            ["\u{1F33F}.txt".as_bytes(), b"\xff\xfe", b" ", b"-rf", b"a\nb", &[b'x'; 255]];
        for name in names {
            let path = dir.0.join(std::ffi::OsStr::from_bytes(name));
            fs::write(&path, name).unwrap();
            assert_eq!(fs::read(&path).unwrap(), name);
        }
        let mut seen: Vec<_> = fs::read_dir(&dir.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().as_bytes().to_vec())
            .collect();
        let mut names = names.map(<[u8]>::to_vec);
        seen.sort();
        names.sort();
        assert_eq!(seen, names);
        assert_eq!(kind(File::create(dir.path(&"x".repeat(256)))), ErrorKind::InvalidFilename);
        assert_eq!(kind(File::open("")), ErrorKind::NotFound);
        fs::create_dir(dir.path("slash/")).unwrap();
        fs::remove_dir(dir.path("slash/")).unwrap();
    });
}

#[test]
fn who_reads_from_the_cache_takes_turns() {
    let _patience = patience("who reads from the cache takes turns".into());
    let dir = Dir::new();
    std::fs::write(dir.path("a"), pattern(10_000)).unwrap();
    runtime(1).run(|| {
        // From here on nothing waits.
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

/// Threads do whatever they like to files of their own; a plain vector says what must be in them.
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
