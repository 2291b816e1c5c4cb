//! A file in the kernel's cache is opened and described by the calling thread, without an OS thread
//! of the pool. The result is that of std's calls, for every kind of file, and also if system calls
//! are refused.

use std::{
    ffi::CString,
    fs::File as Plain,
    io::{Error, Read, Seek, SeekFrom, Write},
    num::NonZeroU64,
    os::{
        fd::AsRawFd,
        unix::{ffi::OsStrExt, fs::symlink, net::UnixListener},
    },
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use greenthread::{
    fs::{self, File, OpenOptions},
    thread,
};
use rustix::fs::{Advice, fadvise};

use crate::common::{
    Random, child,
    dir::{Dir, fifo, pattern},
    filter::refuse,
    is_child,
    machine::{Need, lacks},
    runtime, test_name, text,
    world::time_limit,
};

/// Whether the kernel can be asked only for what it has in its cache, and the tests' files are on a
/// file system that is known to be local.
fn is_supported(path: &Path) -> bool {
    const RESOLVE_CACHED: u64 = 0x20;
    const LOCAL: [i64; 5] = [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630];
    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    let how = [libc::O_PATH as u64, 0, RESOLVE_CACHED];
    // SAFETY: the path has a terminating zero. The call fills the structure that it is given.
    unsafe {
        let call = libc::SYS_openat2;
        let file = libc::syscall(call, libc::AT_FDCWD, path.as_ptr(), how.as_ptr(), size_of_val(&how));
        libc::close(file as i32);
        let mut stat = std::mem::zeroed::<libc::statfs>();
        file >= 0 && libc::statfs(path.as_ptr(), &raw mut stat) == 0 && LOCAL.contains(&(stat.f_type as i64))
    }
}

#[test]
fn no_os_thread_is_needed() {
    let dir = Arc::new(Dir::new());
    let path = dir.path("a");
    std::fs::write(&path, pattern(100_000)).unwrap();
    symlink(&path, dir.path("link")).unwrap();
    if !is_supported(&path) {
        println!("the system has no way to tell");
        return;
    }
    // The first calls find out what the file system is. They also bring into the cache where the
    // link leads, and that a name does not exist.
    runtime(1).run(|| fs::metadata(&path)).unwrap();
    assert!(std::fs::metadata(dir.path("link")).unwrap().is_file());
    assert!(std::fs::metadata(dir.path("nothing")).is_err());
    let needed_none = || {
        let runtime = runtime(2);
        runtime.run({
            let (dir, path) = (dir.clone(), path.clone());
            move || (0..100).for_each(|_| use_all(&dir, &path))
        });
        assert_eq!(runtime.metrics().blocking().threads(), 0);
        runtime.metrics().disk().threads() == 0
    };
    // Sometimes, when other processes rename files, the kernel can't answer without waiting.
    assert!((0..20).any(|_| needed_none()));
}

fn use_all(dir: &Dir, path: &Path) {
    let mut file = File::open(path).unwrap();
    let mut bytes = vec![0; 1000];
    file.read_exact(&mut bytes).unwrap();
    assert!(file.metadata().unwrap().is_file());
    assert_eq!(file.seek(SeekFrom::Start(99_999)).unwrap(), 99_999);
    assert_eq!(file.read(&mut bytes).unwrap(), 1);
    assert_eq!(file.read(&mut bytes).unwrap(), 0, "the end");
    assert_eq!(fs::read(path).unwrap().len(), 100_000);
    assert_eq!(fs::metadata(dir.path("link")).unwrap().len(), 100_000);
    assert!(fs::symlink_metadata(dir.path("link")).unwrap().is_symlink());
    assert!(fs::exists(path).unwrap());
    assert!(!fs::exists(dir.path("nothing")).unwrap());
    assert!(File::open(dir.path("nothing")).is_err());
    assert!(File::open(&dir.0).unwrap().metadata().unwrap().is_dir());
}

/// Opens and describes what is at the paths, and compares it with std.
fn as_std() {
    let dir = Dir::new();
    std::fs::write(dir.path("file"), pattern(5000)).unwrap();
    std::fs::write(dir.path("empty"), "").unwrap();
    std::fs::create_dir(dir.path("dir")).unwrap();
    symlink("file", dir.path("link")).unwrap();
    symlink("dir", dir.path("to dir")).unwrap();
    symlink("nowhere", dir.path("dangling")).unwrap();
    symlink("loop", dir.path("loop")).unwrap();
    fifo(&dir.path("fifo"));
    let _socket = UnixListener::bind(dir.path("socket")).unwrap();
    let paths = [
        "file",
        "empty",
        "dir",
        "link",
        "to dir",
        "dangling",
        "loop",
        "socket",
        "nothing",
        "file/",
        "dir/",
        "link/",
        "to dir/",
        "to dir/../file",
        "file/x",
        "dangling/x",
        "dir/.",
        "nothing/../file",
        "",
        "zero\0",
        "/dev/null",
        "/dev/zero",
        "/proc/self/stat",
        "/proc/self/fd/0",
        "/proc",
        "/",
    ]
    .map(|name| if name.is_empty() { PathBuf::new() } else { dir.path(name) });
    let long = dir.path(&"x".repeat(300));
    let mut options = Vec::new();
    for flags in [0, libc::O_NOFOLLOW, libc::O_DIRECTORY, libc::O_PATH] {
        for bits in 0..32 {
            let [read, write, append, truncate, create] = [1, 2, 4, 8, 16].map(|bit| bits & bit != 0);
            // Nothing is created or truncated, since the next call would find it.
            if (truncate || create) && (write || append) {
                continue;
            }
            options.push((read, write, append, truncate, create, flags));
        }
    }
    for path in paths.iter().chain([&long]) {
        // The tests' standard input may be anything: a terminal, a pipe.
        let is_input = path.ends_with("fd/0");
        for _ in 0..2 {
            let about = |metadata: std::fs::Metadata| (metadata.file_type(), metadata.permissions());
            let code = |error: Error| (error.kind(), error.raw_os_error());
            assert_eq!(
                fs::metadata(path).map(about).map_err(code),
                std::fs::metadata(path).map(about).map_err(code),
                "{path:?}"
            );
            assert_eq!(
                fs::symlink_metadata(path).map(about).map_err(code),
                std::fs::symlink_metadata(path).map(about).map_err(code),
                "{path:?}"
            );
            assert_eq!(fs::exists(path).map_err(code), std::fs::exists(path).map_err(code), "{path:?}");
            if !path.starts_with("/dev/zero") && !path.starts_with("/proc/self/stat") && !is_input {
                assert_eq!(fs::read(path).map_err(code), std::fs::read(path).map_err(code), "{path:?}");
                let (ours, plain) = (fs::read_to_string(path), std::fs::read_to_string(path));
                assert_eq!(ours.map_err(code), plain.map_err(code), "{path:?}");
            }
        }
        if is_input {
            continue;
        }
        for &(read, write, append, truncate, create, flags) in &options {
            use greenthread::os::unix::fs::OpenOptionsExt;
            let mut ours = OpenOptions::new();
            ours.read(read).write(write).append(append).truncate(truncate).create(create).custom_flags(flags);
            let mut plain = std::fs::OpenOptions::new();
            plain
                .read(read)
                .write(write)
                .append(append)
                .truncate(truncate)
                .create(create)
                .custom_flags(flags);
            let flags = |descriptor: i32| {
                // SAFETY: the calls touch no memory.
                unsafe { (libc::fcntl(descriptor, libc::F_GETFL), libc::fcntl(descriptor, libc::F_GETFD)) }
            };
            let got = ours.open(path).map(|file| flags(file.as_raw_fd()));
            let want = plain.open(path).map(|file| flags(file.as_raw_fd()));
            let code = |error: Error| (error.kind(), error.raw_os_error());
            assert_eq!(got.map_err(code), want.map_err(code), "{path:?}, {ours:?}");
        }
    }
    // A file that is open to append.
    let mut appended = OpenOptions::new().append(true).read(true).open(dir.path("empty")).unwrap();
    let mut written = OpenOptions::new().write(true).open(dir.path("empty")).unwrap();
    written.write_all(b"one").unwrap();
    appended.write_all(b" two").unwrap();
    written.write_all(b"!").unwrap();
    assert_eq!(fs::read_to_string(dir.path("empty")).unwrap(), "one!two");
}

#[test]
fn what_is_there_is_as_with_std() {
    let _limit = time_limit("as with std".into());
    crate::common::everywhere(as_std);
}

/// Filters refuse calls with many errors, and old kernels with two.
#[test]
fn where_it_is_refused() {
    if lacks(&[Need::Filters]) {
        return;
    }
    if is_child() {
        let _limit = time_limit(test_name());
        let [call, errno] =
            ["CALL", "ERRNO"].map(|name| std::env::var(name).unwrap().parse::<i32>().unwrap());
        refuse(call.into(), errno);
        return runtime(1).run(as_std);
    }
    for errno in [libc::ENOSYS, libc::EPERM, libc::EACCES, libc::ENOTSUP, libc::EINVAL, libc::E2BIG] {
        let output = child(|command| {
            command.env("CALL", libc::SYS_openat2.to_string()).env("ERRNO", errno.to_string());
        });
        assert!(output.status.success(), "{errno}: {}", text(&output));
    }
    for call in [libc::SYS_preadv2, libc::SYS_fstatfs] {
        let output = child(|command| {
            command.env("CALL", call.to_string()).env("ERRNO", libc::EPERM.to_string());
        });
        assert!(output.status.success(), "{call}: {}", text(&output));
    }
}

/// Whole files of any size are read as by std, from the cache or the disk.
#[test]
fn whole_files() {
    let _limit = time_limit("whole files".into());
    let dir = Dir::new();
    crate::common::everywhere(|| {
        let mut random = Random::new(15);
        for length in [0, 1, 31, 32, 33, 4096, 100_000, 262_143, 262_144, 262_145, 1_000_000] {
            let (path, bytes) = (dir.path("a"), pattern(length));
            std::fs::write(&path, &bytes).unwrap();
            assert!(fs::read(&path).unwrap() == bytes);
            let offset = random.below(length as u64 + 1);
            for forgotten in [false, true] {
                let mut file = File::open(&path).unwrap();
                if forgotten {
                    file.sync_all().unwrap();
                    let half = NonZeroU64::new(length as u64 / 2);
                    fadvise(&file, 0, half, Advice::DontNeed).unwrap();
                }
                file.seek(SeekFrom::Start(offset)).unwrap();
                let mut all = b"before".to_vec();
                assert_eq!(file.read_to_end(&mut all).unwrap() as u64, length as u64 - offset);
                assert!(&all[..6] == b"before" && all[6..] == bytes[offset as usize..]);
                assert_eq!(file.read_to_end(&mut all).unwrap(), 0);
                // It has grown.
                let mut end = Plain::options().append(true).open(&path).unwrap();
                end.write_all(b"after").unwrap();
                all.clear();
                assert_eq!(file.read_to_end(&mut all).unwrap(), 5);
                assert_eq!(all, b"after");
                end.set_len(length as u64).unwrap();
            }
        }
        std::fs::write(dir.path("text"), "täxt").unwrap();
        let mut text = String::from("some ");
        let mut file = File::open(dir.path("text")).unwrap();
        assert_eq!(file.read_to_string(&mut text).unwrap(), 5);
        assert_eq!(text, "some täxt");
        std::fs::write(dir.path("text"), [b'x', 0xff]).unwrap();
        file.rewind().unwrap();
        let error = file.read_to_string(&mut text).unwrap_err();
        let want = Plain::open(dir.path("text")).unwrap().read_to_string(&mut String::new()).unwrap_err();
        assert_eq!((error.kind(), error.to_string()), (want.kind(), want.to_string()));
        assert_eq!(text, "some täxt");
        // Files whose size is not known before they are read.
        assert!(fs::read_to_string("/proc/self/status").unwrap().contains("Threads:"));
        let mut text = String::new();
        File::open("/proc/cpuinfo").unwrap().read_to_string(&mut text).unwrap();
        assert!(!text.is_empty());
    });
}

/// Files are replaced by FIFOs without a writer while threads open them. The opening threads wait,
/// and no worker does.
#[test]
fn what_is_exchanged_in_between_keeps_no_worker() {
    let _limit = time_limit("exchanged in between".into());
    let dir = Arc::new(Dir::new());
    std::fs::write(dir.path("file"), "text").unwrap();
    fifo(&dir.path("fifo"));
    for name in ["file", "fifo"] {
        std::fs::hard_link(dir.path(name), dir.path(&format!("{name} again"))).unwrap();
    }
    let stop = Arc::new(AtomicBool::new(false));
    let exchanger = std::thread::spawn({
        let (dir, stop) = (dir.clone(), stop.clone());
        move || {
            while !stop.load(SeqCst) {
                for name in ["fifo", "file"] {
                    std::fs::hard_link(dir.path(&format!("{name} again")), dir.path("new")).unwrap();
                    std::fs::rename(dir.path("new"), dir.path("path")).unwrap();
                    // To rename a name of a file to another name of the same file leaves both
                    // names.
                    let _ = std::fs::remove_file(dir.path("new"));
                }
            }
        }
    });
    while !dir.path("path").exists() {
        std::thread::yield_now();
    }
    let runtime = runtime(1);
    runtime.run({
        let dir = dir.clone();
        move || {
            let openers: Vec<_> = (0..300)
                .map(|_| {
                    let path = dir.path("path");
                    thread::spawn(move || drop(File::open(path).unwrap()))
                })
                .collect();
            // The worker goes on while threads wait. In the end a writer comes for all of them.
            for _ in 0..50 {
                thread::sleep(std::time::Duration::from_millis(1));
                thread::spawn(|| ()).join().unwrap();
            }
            let _end = Plain::options().read(true).write(true).open(dir.path("fifo")).unwrap();
            openers.into_iter().for_each(|opener| opener.join().unwrap());
        }
    });
    stop.store(true, SeqCst);
    exchanger.join().unwrap();
}
