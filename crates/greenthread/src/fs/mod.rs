//! Files and directories: [`std::fs`] for green threads.
//!
//! The names and their meaning are std's. A call that waits for a disk blocks only the calling
//! green thread. On an OS thread every call is std's. On a green thread:
//!
//! * A read of data that is in the page cache is done directly, without a wait. The same holds for
//!   opening an existing file, [`metadata`], [`symlink_metadata`] and [`exists`], if the kernel has
//!   the path in its cache (Linux 5.12) and the file system is local.
//! * Positioned reads and writes ([`FileExt`](crate::os::unix::fs::FileExt)), `sync_all` and
//!   `sync_data` go to the kernel through io_uring, where it is available (see `GREENTHREAD_IO`),
//!   together with the operations of other threads. The kernel uses the caller's own buffer. With
//!   `O_DIRECT` among the [`custom_flags`](crate::os::unix::fs::OpenOptionsExt::custom_flags) these
//!   operations bypass the page cache, as with std.
//! * A [`File`] may also be a FIFO, a terminal, or another file that waits for another party rather
//!   than for a disk. The thread waits for it as for a socket, which takes no OS thread.
//! * All other calls are made on OS threads, of which there are up to
//!   [`disk_threads`](crate::RuntimeBuilder::disk_threads). A trip to such a thread and back costs
//!   some microseconds. Therefore one call for a whole file ([`read`], [`write`](write()),
//!   [`copy`], `read_to_end`) is better than many small ones, and a
//!   [`BufWriter`](std::io::BufWriter) is better than small writes. While the system provides no OS
//!   thread at all, the worker makes the call itself.
//!
//! An operation that the kernel has begun is not abandoned: the thread waits until it ends.
//!
//! Types that never wait are std's own: [`Metadata`], [`Permissions`], [`FileType`], [`FileTimes`],
//! [`TryLockError`].
//!
//! # Differs from std
//!
//! * [`File`] and [`ReadDir`] list their own differences.
//! * Opening a FIFO or a device that waits for another party occupies an OS thread for blocking
//!   calls until it is open
//!   ([`RuntimeBuilder::blocking_threads`](crate::RuntimeBuilder::blocking_threads)). So does a
//!   read or write of a device that cannot be asked whether it would wait, from the moment that the
//!   device is ready. If no such OS thread is available, the call fails.
//! * Linux asks programs not to access a file through the page cache and past it (`O_DIRECT`) at
//!   the same time. With plain system calls this works on many file systems, because these hold a
//!   lock of the file during a direct write. They do not hold it for io_uring: a read may return
//!   old data then, and the next `sync_all` fails. With `GREENTHREAD_IO=poll` all operations are
//!   plain system calls.
//! * The methods of [`Path`] (`exists`, `metadata`, `read_dir` and the like) are std's, and block
//!   the whole worker. The functions of this module return the same, and block only the calling
//!   thread.
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
    io::{ErrorKind, Result},
    path::{Path, PathBuf},
};

pub use std::fs::{FileTimes, FileType, Metadata, Permissions, TryLockError};

pub use dir::{DirEntry, ReadDir};
pub use file::File;
use op::Open;
pub use options::{DirBuilder, OpenOptions};
use path::Opened;

use crate::{runtime, sys::lookup::Access};

/// Returns the absolute path of an existing file, with all symbolic links resolved.
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

/// Copies the content and the permissions of a file, and returns the number of bytes copied. An
/// existing file at `to` is overwritten.
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
    path::open_on_pool(&[from, to], None, || fs::copy(from, to))
}

/// Makes a directory. Its parent must exist.
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

/// Makes a directory and all of its missing parents.
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

/// Returns whether the path exists. Symbolic links are followed: a link without a target counts as
/// missing.
///
/// # Errors
///
/// An error if the answer cannot be found out, for example for lack of permission.
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
    match path::query(path, true, |_| Ok(true), || fs::exists(path)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        result => result,
    }
}

/// Makes a hard link: an additional name for a file.
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

/// Returns the metadata of the file at a path. Symbolic links are followed.
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
    path::query(path, true, fs::File::metadata, || fs::metadata(path))
}

/// Reads a whole file into a vector.
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
    match path::open_now(path, Access::READ)? {
        Opened::Now(file, about) => {
            let mut all = Vec::new();
            Open::with(file, about).read_left(about.size, &mut all)?;
            Ok(all)
        }
        Opened::MayWait(mount) => path::open_on_pool(&[path], mount, || fs::read(path)),
    }
}

/// Returns an iterator over the entries of a directory, in no particular order. `.` and `..` are
/// left out.
///
/// # Errors
///
/// As [`std::fs::read_dir`]. Each item of the iterator may be an error, too.
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

/// Returns the target of a symbolic link.
///
/// # Errors
///
/// As [`std::fs::read_link`].
///
/// # Examples
///
/// ```ignore-windows
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

/// Reads a whole file into a string.
///
/// # Errors
///
/// As [`std::fs::read_to_string`]: `InvalidData` if the content is not UTF-8.
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
    op::text(read(path)?)
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

/// Removes a directory with everything in it. Symbolic links are removed, not followed.
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

/// Removes a name of a file. The file itself is removed when its last name is gone and its last
/// handle is closed.
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

/// Renames a file or directory. A file that has the new name already is replaced.
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

/// Sets the permissions of the file at a path. Symbolic links are followed.
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
/// ```ignore-windows
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
#[allow(deprecated, reason = "std has this name, too")]
pub fn soft_link<P: AsRef<Path>, Q: AsRef<Path>>(original: P, link: Q) -> Result<()> {
    let (original, link) = (original.as_ref(), link.as_ref());
    runtime::unblock_disk(|| fs::soft_link(original, link))
}

/// Returns the metadata of the file at a path. A symbolic link at the end of the path is not
/// followed.
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
///     assert!(!fs::symlink_metadata("Cargo.toml")?.is_symlink());
///     std::io::Result::Ok(())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn symlink_metadata<P: AsRef<Path>>(path: P) -> Result<Metadata> {
    let path = path.as_ref();
    path::query(path, false, fs::File::metadata, || fs::symlink_metadata(path))
}

/// Writes a whole file. The file is created if it does not exist, and its content is replaced if it
/// does.
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
    path::open_on_pool(&[path], None, || fs::write(path, contents))
}
