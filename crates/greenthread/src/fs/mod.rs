//! Files and directories: [`std::fs`] for green threads.
//!
//! The names and their meaning are std's. What waits for a disk here makes only the calling green
//! thread wait. On an OS thread every call is std's, as it stands. On a green thread:
//!
//! * A read of what is in the page cache is done on the spot. So are opening a file that is there,
//!   [`metadata`], [`symlink_metadata`] and [`exists`], if the kernel has the path in its cache
//!   (Linux 5.12) and the file system is a local one.
//! * Positioned reads and writes ([`FileExt`](crate::os::unix::fs::FileExt)), `sync_all` and
//!   `sync_data` are handed to the kernel by io_uring, where there is one (see `GREENTHREAD_IO`),
//!   together with those of the other threads; it works on the caller's own buffer. With `O_DIRECT`
//!   among the [`custom_flags`](crate::os::unix::fs::OpenOptionsExt::custom_flags) they pass the
//!   page cache by, as ever.
//! * A FIFO, a terminal, or whatever else a [`File`] may be that waits for others and not for a
//!   disk, is waited for as a socket is; that takes no OS thread.
//! * All else is called on OS threads, of which there are up to
//!   [`disk_threads`](crate::RuntimeBuilder::disk_threads). A trip there and back costs some
//!   microseconds. So one call for a whole file ([`read`], [`write`](write()), [`copy`],
//!   `read_to_end`) is better than many small ones, and a [`BufWriter`](std::io::BufWriter) better
//!   than small writes. While the system gives no OS thread at all, the call is made on the spot.
//!
//! An operation that the kernel has begun is not given up: the thread waits for its end.
//!
//! What doesn't wait is std's own type: [`Metadata`], [`Permissions`], [`FileType`], [`FileTimes`],
//! [`TryLockError`].
//!
//! # Differs from std
//!
//! * [`File`] and [`ReadDir`] say so themselves.
//! * To open a FIFO or a device that waits for others takes an OS thread for as long, of those for
//!   blocking calls
//!   ([`RuntimeBuilder::blocking_threads`](crate::RuntimeBuilder::blocking_threads)), and so does a
//!   read or write of a device that can't be asked whether it would wait, once it is ready. If
//!   there is none, that is an error.
//! * Linux asks programs not to read or write a file through its cache and past it (`O_DIRECT`) at
//!   the same time. With plain calls that goes well on many file systems, since they hold a lock of
//!   the file as long as such a write takes. They don't for io_uring: old data may be read then,
//!   and the next `sync_all` fails. `GREENTHREAD_IO=poll` makes plain calls of all.
//! * The methods of [`Path`] (`exists`, `metadata`, `read_dir` and the like) are std's, and make
//!   the whole worker wait; the functions here do the same.
//!
//! # Examples
//!
//! ```
//! use greenthread::fs;
//!
//! # let dir = std::env::temp_dir().join(format!("greenthread-fs-{}", std::process::id()));
//! greenthread::run(|| {
//!     fs::create_dir_all(dir.join("notes"))?;
//!     fs::write(dir.join("notes/today"), "water the fern")?;
//!     for entry in fs::read_dir(dir.join("notes"))? {
//!         assert_eq!(fs::read_to_string(entry?.path())?, "water the fern");
//!     }
//!     fs::remove_dir_all(&dir)
//! })?;
//! # Ok::<(), std::io::Error>(())
//! ```

mod dir;
mod file;
mod op;
mod open;
mod options;
mod path;

use std::{
    fs,
    io::{ErrorKind, Read, Result},
    path::{Path, PathBuf},
};

pub use std::fs::{FileTimes, FileType, Metadata, Permissions, TryLockError};

pub use dir::{DirEntry, ReadDir};
pub use file::File;
pub use options::{DirBuilder, OpenOptions};
use path::Opened;

use crate::{runtime, sys::lookup::Access};

/// The absolute path, without symbolic links, of what is there.
///
/// # Errors
///
/// As [`std::fs::canonicalize`].
///
/// # Examples
///
/// ```
/// use greenthread::fs;
/// greenthread::run(|| {
///     assert!(fs::canonicalize(".")?.is_absolute());
///     std::io::Result::Ok(())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn canonicalize<P: AsRef<Path>>(path: P) -> Result<PathBuf> {
    let path = path.as_ref();
    runtime::unblock_disk(|| fs::canonicalize(path))
}

/// Copies a file's content and permissions; how many bytes. What was at `to` is overwritten.
///
/// # Errors
///
/// As [`std::fs::copy`].
///
/// # Examples
///
/// ```
/// use greenthread::fs;
/// # let dir = std::env::temp_dir().join(format!("greenthread-copy-{}", std::process::id()));
/// # fs::create_dir_all(&dir)?;
/// greenthread::run(|| {
///     fs::write(dir.join("a"), "text")?;
///     assert_eq!(fs::copy(dir.join("a"), dir.join("b"))?, 4);
///     assert_eq!(fs::read(dir.join("b"))?, b"text");
///     std::io::Result::Ok(())
/// })?;
/// # fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn copy<P: AsRef<Path>, Q: AsRef<Path>>(from: P, to: Q) -> Result<u64> {
    let (from, to) = (from.as_ref(), to.as_ref());
    path::opening(&[from, to], None, || fs::copy(from, to))
}

/// Makes a directory, whose parent is there.
///
/// # Errors
///
/// As [`std::fs::create_dir`].
///
/// # Examples
///
/// ```
/// use greenthread::fs;
/// # let dir = std::env::temp_dir().join(format!("greenthread-create-dir-{}", std::process::id()));
/// # fs::create_dir_all(&dir)?;
/// greenthread::run(|| {
///     fs::create_dir(dir.join("new"))?;
///     assert!(fs::create_dir(dir.join("new")).is_err());
///     std::io::Result::Ok(())
/// })?;
/// # fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn create_dir<P: AsRef<Path>>(path: P) -> Result<()> {
    let path = path.as_ref();
    runtime::unblock_disk(|| fs::create_dir(path))
}

/// Makes a directory and all of its parents, as far as they aren't there.
///
/// # Errors
///
/// As [`std::fs::create_dir_all`].
///
/// # Examples
///
/// ```
/// use greenthread::fs;
/// # let dir = std::env::temp_dir().join(format!("greenthread-create-dir-all-{}", std::process::id()));
/// # fs::create_dir_all(&dir)?;
/// greenthread::run(|| {
///     fs::create_dir_all(dir.join("a/b/c"))?;
///     fs::create_dir_all(dir.join("a/b/c"))
/// })?;
/// # fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn create_dir_all<P: AsRef<Path>>(path: P) -> Result<()> {
    let path = path.as_ref();
    runtime::unblock_disk(|| fs::create_dir_all(path))
}

/// Whether something is there; a symbolic link that leads nowhere is nothing.
///
/// # Errors
///
/// It can't be known: no permission to look, and the like.
///
/// # Examples
///
/// ```
/// use greenthread::fs;
/// greenthread::run(|| {
///     assert!(fs::exists("/")?);
///     assert!(!fs::exists("/no/such/thing")?);
///     std::io::Result::Ok(())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn exists<P: AsRef<Path>>(path: P) -> Result<bool> {
    let path = path.as_ref();
    match path::ask(path, true, |_| Ok(true), || fs::exists(path)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        result => result,
    }
}

/// Gives a file another name.
///
/// # Errors
///
/// As [`std::fs::hard_link`].
///
/// # Examples
///
/// ```
/// use greenthread::fs;
/// # let dir = std::env::temp_dir().join(format!("greenthread-hard-link-{}", std::process::id()));
/// # fs::create_dir_all(&dir)?;
/// greenthread::run(|| {
///     fs::write(dir.join("a"), "text")?;
///     fs::hard_link(dir.join("a"), dir.join("b"))?;
///     assert_eq!(fs::read(dir.join("b"))?, b"text");
///     std::io::Result::Ok(())
/// })?;
/// # fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn hard_link<P: AsRef<Path>, Q: AsRef<Path>>(original: P, link: Q) -> Result<()> {
    let (original, link) = (original.as_ref(), link.as_ref());
    runtime::unblock_disk(|| fs::hard_link(original, link))
}

/// What the system knows about what is there; a symbolic link is followed.
///
/// # Errors
///
/// As [`std::fs::metadata`].
///
/// # Examples
///
/// ```
/// use greenthread::fs;
/// greenthread::run(|| {
///     assert!(fs::metadata(".")?.is_dir());
///     std::io::Result::Ok(())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn metadata<P: AsRef<Path>>(path: P) -> Result<Metadata> {
    let path = path.as_ref();
    path::ask(path, true, fs::File::metadata, || fs::metadata(path))
}

/// Reads a whole file.
///
/// # Errors
///
/// As [`std::fs::read`].
///
/// # Examples
///
/// ```
/// use greenthread::fs;
/// # let dir = std::env::temp_dir().join(format!("greenthread-read-{}", std::process::id()));
/// # fs::create_dir_all(&dir)?;
/// greenthread::run(|| {
///     fs::write(dir.join("a"), [1, 2, 3])?;
///     assert_eq!(fs::read(dir.join("a"))?, [1, 2, 3]);
///     std::io::Result::Ok(())
/// })?;
/// # fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn read<P: AsRef<Path>>(path: P) -> Result<Vec<u8>> {
    let path = path.as_ref();
    match path::open_here(path, Access::READ)? {
        Opened::Here(file, about) => {
            let mut all = Vec::new();
            File::with(file, about).read_to_end(&mut all)?;
            Ok(all)
        }
        Opened::Elsewhere(mount) => path::opening(&[path], mount, || fs::read(path)),
    }
}

/// Goes through the entries of a directory, in no order; `.` and `..` are left out.
///
/// # Errors
///
/// As [`std::fs::read_dir`]; the entries may be errors as well.
///
/// # Examples
///
/// ```
/// use greenthread::fs;
/// greenthread::run(|| {
///     assert!(fs::read_dir(".")?.count() > 0);
///     std::io::Result::Ok(())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn read_dir<P: AsRef<Path>>(path: P) -> Result<ReadDir> {
    ReadDir::open(path.as_ref())
}

/// Where a symbolic link leads.
///
/// # Errors
///
/// As [`std::fs::read_link`].
///
/// # Examples
///
/// ```
/// use greenthread::fs;
/// greenthread::run(|| {
///     assert!(fs::read_link("/proc/self/exe")?.is_absolute());
///     std::io::Result::Ok(())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn read_link<P: AsRef<Path>>(path: P) -> Result<PathBuf> {
    let path = path.as_ref();
    runtime::unblock_disk(|| fs::read_link(path))
}

/// Reads a whole file of text.
///
/// # Errors
///
/// As [`std::fs::read_to_string`]; `InvalidData` if it isn't UTF-8.
///
/// # Examples
///
/// ```
/// use greenthread::fs;
/// # let dir = std::env::temp_dir().join(format!("greenthread-read-to-string-{}", std::process::id()));
/// # fs::create_dir_all(&dir)?;
/// greenthread::run(|| {
///     fs::write(dir.join("a"), "text")?;
///     assert_eq!(fs::read_to_string(dir.join("a"))?, "text");
///     std::io::Result::Ok(())
/// })?;
/// # fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn read_to_string<P: AsRef<Path>>(path: P) -> Result<String> {
    let path = path.as_ref();
    match path::open_here(path, Access::READ)? {
        Opened::Here(file, about) => {
            let mut all = String::new();
            File::with(file, about).read_to_string(&mut all)?;
            Ok(all)
        }
        Opened::Elsewhere(mount) => path::opening(&[path], mount, || fs::read_to_string(path)),
    }
}

/// Removes an empty directory.
///
/// # Errors
///
/// As [`std::fs::remove_dir`].
///
/// # Examples
///
/// ```
/// use greenthread::fs;
/// # let dir = std::env::temp_dir().join(format!("greenthread-remove-dir-{}", std::process::id()));
/// # fs::create_dir_all(&dir)?;
/// greenthread::run(|| {
///     fs::create_dir(dir.join("empty"))?;
///     fs::remove_dir(dir.join("empty"))
/// })?;
/// # fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn remove_dir<P: AsRef<Path>>(path: P) -> Result<()> {
    let path = path.as_ref();
    runtime::unblock_disk(|| fs::remove_dir(path))
}

/// Removes a directory with all that is in it. Symbolic links are removed, not followed.
///
/// # Errors
///
/// As [`std::fs::remove_dir_all`].
///
/// # Examples
///
/// ```
/// use greenthread::fs;
/// # let dir = std::env::temp_dir().join(format!("greenthread-remove-dir-all-{}", std::process::id()));
/// # fs::create_dir_all(&dir)?;
/// greenthread::run(|| {
///     fs::create_dir_all(dir.join("a/b"))?;
///     fs::write(dir.join("a/b/c"), "text")?;
///     fs::remove_dir_all(dir.join("a"))
/// })?;
/// # fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn remove_dir_all<P: AsRef<Path>>(path: P) -> Result<()> {
    let path = path.as_ref();
    runtime::unblock_disk(|| fs::remove_dir_all(path))
}

/// Removes a file's name; the file goes with the last of its names and handles.
///
/// # Errors
///
/// As [`std::fs::remove_file`].
///
/// # Examples
///
/// ```
/// use greenthread::fs;
/// # let dir = std::env::temp_dir().join(format!("greenthread-remove-file-{}", std::process::id()));
/// # fs::create_dir_all(&dir)?;
/// greenthread::run(|| {
///     fs::write(dir.join("a"), "text")?;
///     fs::remove_file(dir.join("a"))
/// })?;
/// # fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn remove_file<P: AsRef<Path>>(path: P) -> Result<()> {
    let path = path.as_ref();
    runtime::unblock_disk(|| fs::remove_file(path))
}

/// Gives what is there another name; what had that name is replaced.
///
/// # Errors
///
/// As [`std::fs::rename`].
///
/// # Examples
///
/// ```
/// use greenthread::fs;
/// # let dir = std::env::temp_dir().join(format!("greenthread-rename-{}", std::process::id()));
/// # fs::create_dir_all(&dir)?;
/// greenthread::run(|| {
///     fs::write(dir.join("a"), "text")?;
///     fs::rename(dir.join("a"), dir.join("b"))?;
///     assert!(!fs::exists(dir.join("a"))?);
///     std::io::Result::Ok(())
/// })?;
/// # fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn rename<P: AsRef<Path>, Q: AsRef<Path>>(from: P, to: Q) -> Result<()> {
    let (from, to) = (from.as_ref(), to.as_ref());
    runtime::unblock_disk(|| fs::rename(from, to))
}

/// Sets the permissions of what is there; a symbolic link is followed.
///
/// # Errors
///
/// As [`std::fs::set_permissions`].
///
/// # Examples
///
/// ```
/// use greenthread::fs;
/// # let dir = std::env::temp_dir().join(format!("greenthread-set-permissions-{}", std::process::id()));
/// # fs::create_dir_all(&dir)?;
/// greenthread::run(|| {
///     fs::write(dir.join("a"), "text")?;
///     let mut permissions = fs::metadata(dir.join("a"))?.permissions();
///     permissions.set_readonly(true);
///     fs::set_permissions(dir.join("a"), permissions)
/// })?;
/// # fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn set_permissions<P: AsRef<Path>>(path: P, perm: Permissions) -> Result<()> {
    let path = path.as_ref();
    runtime::unblock_disk(|| fs::set_permissions(path, perm))
}

/// Makes a symbolic link.
///
/// # Errors
///
/// As [`std::fs::soft_link`].
///
/// # Examples
///
/// ```
/// use greenthread::fs;
/// # let dir = std::env::temp_dir().join(format!("greenthread-soft-link-{}", std::process::id()));
/// # fs::create_dir_all(&dir)?;
/// greenthread::run(|| {
///     #[allow(deprecated)]
///     fs::soft_link("/dev/null", dir.join("link"))?;
///     assert_eq!(fs::read_link(dir.join("link"))?.to_str(), Some("/dev/null"));
///     std::io::Result::Ok(())
/// })?;
/// # fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[deprecated(note = "use `greenthread::os::unix::fs::symlink`, as with std")]
#[allow(deprecated, reason = "it is what std calls it")]
pub fn soft_link<P: AsRef<Path>, Q: AsRef<Path>>(original: P, link: Q) -> Result<()> {
    let (original, link) = (original.as_ref(), link.as_ref());
    runtime::unblock_disk(|| fs::soft_link(original, link))
}

/// What the system knows about what is there; a symbolic link is not followed.
///
/// # Errors
///
/// As [`std::fs::symlink_metadata`].
///
/// # Examples
///
/// ```
/// use greenthread::fs;
/// greenthread::run(|| {
///     assert!(fs::symlink_metadata("/proc/self/exe")?.is_symlink());
///     std::io::Result::Ok(())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn symlink_metadata<P: AsRef<Path>>(path: P) -> Result<Metadata> {
    let path = path.as_ref();
    path::ask(path, false, fs::File::metadata, || fs::symlink_metadata(path))
}

/// Writes a whole file: makes it, or overwrites it.
///
/// # Errors
///
/// As [`std::fs::write`].
///
/// # Examples
///
/// ```
/// use greenthread::fs;
/// # let dir = std::env::temp_dir().join(format!("greenthread-write-{}", std::process::id()));
/// # fs::create_dir_all(&dir)?;
/// greenthread::run(|| {
///     fs::write(dir.join("a"), "text")?;
///     assert_eq!(fs::read(dir.join("a"))?, b"text");
///     std::io::Result::Ok(())
/// })?;
/// # fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn write<P: AsRef<Path>, C: AsRef<[u8]>>(path: P, contents: C) -> Result<()> {
    let (path, contents) = (path.as_ref(), contents.as_ref());
    path::opening(&[path], None, || fs::write(path, contents))
}
