//! Names, directories and metadata behave as those of `std::fs`: what std's own tests check, on
//! green threads, on OS threads, and on both.

use std::{
    io::{ErrorKind, Read, Seek, Write},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};

#[cfg(unix)]
use std::os::{
    fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd},
    unix::ffi::OsStrExt,
};

use greenthread::fs::{self, DirBuilder, File, FileTimes, OpenOptions};
#[cfg(unix)]
use greenthread::os::unix::fs::{
    DirBuilderExt, DirEntryExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown, chroot,
    fchown, lchown, symlink,
};

#[cfg(unix)]
use crate::common::dir::fifo;
use crate::common::{
    dir::{Dir, each, kind, pattern},
    machine::{Need, lacks},
    runtime,
    world::everywhere,
};

#[test]
fn all_ways_to_open() {
    each(|dir| {
        let path = dir.path("a");
        let with = |f: &dyn Fn(&mut OpenOptions) -> &mut OpenOptions| {
            let mut options = OpenOptions::new();
            f(&mut options);
            options.open(&path)
        };
        // The file does not exist.
        assert_eq!(kind(with(&|o| o.read(true))), ErrorKind::NotFound);
        assert_eq!(kind(with(&|o| o.write(true))), ErrorKind::NotFound);
        assert_eq!(kind(File::open(&path)), ErrorKind::NotFound);
        // Contradictions.
        assert_eq!(kind(with(&|o| o)), ErrorKind::InvalidInput);
        assert_eq!(kind(with(&|o| o.read(true).truncate(true))), ErrorKind::InvalidInput);
        assert_eq!(kind(with(&|o| o.read(true).create(true))), ErrorKind::InvalidInput);
        assert_eq!(kind(with(&|o| o.append(true).truncate(true))), ErrorKind::InvalidInput);
        // The file exists.
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
        assert_eq!(kind(File::open("a\0b")), ErrorKind::InvalidInput);
        assert!(File::create(&dir.0).is_err() && File::open(path.join("b")).is_err());
    });
}

#[cfg(unix)]
#[test]
fn ways_to_open_on_unix() {
    each(|dir| {
        let path = dir.path("a");
        fs::write(&path, "").unwrap();
        // The file's mode.
        OpenOptions::new().write(true).create(true).mode(0o600).open(dir.path("mode")).unwrap();
        assert_eq!(fs::metadata(dir.path("mode")).unwrap().mode() & 0o777, 0o600);
        // A directory that is a file, a file that is a directory.
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
        let refused = kind(File::open(&path).unwrap().set_len(1));
        assert!(
            refused == ErrorKind::InvalidInput || cfg!(windows) && refused == ErrorKind::PermissionDenied
        );

        // Windows counts in units of 100 ns.
        let (then, later) = (Duration::from_secs(1_000_000), Duration::from_nanos(1_500_000_000_123_456_700));
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
        fs::set_permissions(&path, metadata.permissions()).unwrap();
        assert!(!file.metadata().unwrap().permissions().readonly());
        assert_eq!(kind(fs::set_permissions(dir.path("none"), permissions)), ErrorKind::NotFound);
    });
}

#[cfg(unix)]
#[test]
fn modes() {
    each(|dir| {
        let path = dir.path("a");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
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
        // On Windows not all users may make links.
        #[cfg(unix)]
        symlink(dir.path("kept"), deep.join("link")).unwrap();
        fs::create_dir(dir.path("kept")).unwrap();
        fs::remove_dir_all(dir.path("a")).unwrap();
        assert!(!fs::exists(dir.path("a")).unwrap());
        assert!(fs::exists(dir.path("kept")).unwrap(), "the link wasn't followed");
        fs::remove_dir(dir.path("kept")).unwrap();
        assert_eq!(kind(fs::remove_dir(dir.path("kept"))), ErrorKind::NotFound);
        assert_eq!(kind(fs::remove_dir_all(dir.path("kept"))), ErrorKind::NotFound);

        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        builder.mode(0o700);
        assert_eq!(kind(builder.create(dir.path("x/y"))), ErrorKind::NotFound);
        builder.recursive(true).create(dir.path("x/y")).unwrap();
        builder.create(dir.path("x/y")).unwrap();
        #[cfg(unix)]
        assert_eq!(fs::metadata(dir.path("x/y")).unwrap().mode() & 0o777, 0o700);
        assert!(format!("{builder:?}").starts_with("DirBuilder"));
    });
}

#[test]
fn directories_are_read() {
    each(|dir| {
        // More entries than one system call returns.
        for n in 0..300 {
            fs::write(dir.path(&format!("file-{n:03}")), "x".repeat(n)).unwrap();
        }
        fs::create_dir(dir.path("dir")).unwrap();
        #[cfg(unix)]
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
            #[cfg(unix)]
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
        assert_eq!(seen.len(), if cfg!(unix) { 302 } else { 301 });
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
        #[cfg(unix)]
        fs::set_permissions(&a, fs::Permissions::from_mode(0o640)).unwrap();
        fs::write(&b, "longer ".repeat(20_000)).unwrap();
        let copied = fs::copy(&a, &b).unwrap();
        assert!(copied == 100_000 || lacks(&[Need::CopyLength]), "{copied}");
        assert!(fs::read(&b).unwrap() == bytes);
        #[cfg(unix)]
        assert_eq!(fs::metadata(&b).unwrap().mode() & 0o777, 0o640);
        assert_eq!(kind(fs::copy(&c, &a)), ErrorKind::NotFound);
        assert!(fs::read(&a).unwrap() == bytes);
        assert!(fs::copy(&dir.0, &c).is_err());

        fs::hard_link(&a, &c).unwrap();
        #[cfg(unix)]
        assert_eq!(fs::metadata(&a).unwrap().nlink(), 2);
        assert_eq!(kind(fs::hard_link(&a, &b)), ErrorKind::AlreadyExists);
        fs::rename(&a, &b).unwrap();
        assert!(!fs::exists(&a).unwrap());
        #[cfg(unix)]
        assert_eq!(fs::metadata(&b).unwrap().ino(), fs::metadata(&c).unwrap().ino());
        assert_eq!(kind(fs::rename(&a, &c)), ErrorKind::NotFound);
        fs::remove_file(&c).unwrap();
        assert_eq!(kind(fs::remove_file(&c)), ErrorKind::NotFound);
        #[cfg(unix)]
        assert_eq!(fs::metadata(&b).unwrap().nlink(), 1);
        // An open file outlives its name.
        let mut open = File::open(&b).unwrap();
        fs::remove_file(&b).unwrap();
        let mut back = Vec::new();
        open.read_to_end(&mut back).unwrap();
        assert!(back == bytes);
    });
}

#[cfg(unix)]
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
        assert_eq!(crate::common::system::st_size(&metadata), 4);
        assert_eq!(MetadataExt::size(&metadata), 4);
    });
}

#[cfg(unix)]
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

#[cfg(unix)]
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
        // SAFETY: the number comes from `into_raw_fd`, so this code owns it.
        let file = unsafe { File::from_raw_fd(raw) };
        (&file).write_all(b"4").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"1234");
        let out = Command::new("echo").arg("5").stdout(Stdio::from(file)).status();
        assert!(out.unwrap().success());
        assert_eq!(fs::read(&path).unwrap(), b"12345\n");
    });
}

#[cfg(windows)]
#[test]
fn conversions() {
    use std::os::windows::io::{AsHandle, AsRawHandle, FromRawHandle, IntoRawHandle, OwnedHandle};

    each(|dir| {
        let path = dir.path("a");
        let file: File = std::fs::File::create(&path).unwrap().into();
        (&file).write_all(b"1").unwrap();
        let mut file: std::fs::File = file.into();
        file.write_all(b"2").unwrap();
        let file = File::from(OwnedHandle::from(File::from(file)));
        (&file).write_all(b"3").unwrap();
        assert_eq!(file.as_handle().as_raw_handle(), file.as_raw_handle());
        // SAFETY: the handle comes from `into_raw_handle`, so this code owns it.
        let file = unsafe { File::from_raw_handle(file.into_raw_handle()) };
        (&file).write_all(b"4").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"1234");
        let out = Command::new("cmd").args(["/c", "echo 5"]).stdout(Stdio::from(file)).status();
        assert!(out.unwrap().success());
        assert_eq!(fs::read(&path).unwrap(), b"12345\r\n");
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
        // Of several threads that create the same file, one succeeds.
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

#[cfg(unix)]
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
