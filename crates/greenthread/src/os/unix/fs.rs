//! What Unix has of files: [`std::os::unix::fs`], for green threads.
//!
//! The traits are std's own, so that what is written for them works with [`crate::fs`]'s types too.
//!
//! # Examples
//!
//! ```
//! use greenthread::{fs, os::unix::fs::MetadataExt};
//!
//! assert!(fs::metadata(".")?.ino() > 0);
//! # Ok::<(), std::io::Error>(())
//! ```

use std::{
    io::Result,
    os::{fd::AsFd, unix::fs as unix},
    path::Path,
};

pub use std::os::unix::fs::{
    DirBuilderExt, DirEntryExt, FileExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt,
};

use crate::runtime;

/// Changes who owns what is there, and its group; `None` leaves it as it is.
///
/// # Errors
///
/// As [`std::os::unix::fs::chown`]: mostly, that only root may.
///
/// # Examples
///
/// ```
/// use greenthread::{fs, os::unix::fs as unix};
/// # let dir = std::env::temp_dir().join(format!("greenthread-chown-{}", std::process::id()));
/// # fs::create_dir_all(&dir)?;
/// fs::write(dir.join("a"), "text")?;
/// unix::chown(dir.join("a"), None, None)?;
/// # fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn chown<P: AsRef<Path>>(dir: P, uid: Option<u32>, gid: Option<u32>) -> Result<()> {
    let dir = dir.as_ref();
    runtime::unblock_disk(|| unix::chown(dir, uid, gid))
}

/// Changes the root directory of the process: of all its threads.
///
/// # Errors
///
/// As [`std::os::unix::fs::chroot`].
///
/// # Examples
///
/// ```
/// use greenthread::{fs, os::unix::fs as unix};
/// # let _ = fs::exists("/")?;
/// assert!(unix::chroot("/no/such/directory").is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn chroot<P: AsRef<Path>>(dir: P) -> Result<()> {
    let dir = dir.as_ref();
    runtime::unblock_disk(|| unix::chroot(dir))
}

/// As [`chown`], of an open file.
///
/// # Errors
///
/// As `chown`.
///
/// # Examples
///
/// ```
/// use greenthread::{fs, os::unix::fs as unix};
/// # let dir = std::env::temp_dir().join(format!("greenthread-fchown-{}", std::process::id()));
/// # fs::create_dir_all(&dir)?;
/// let file = fs::File::create(dir.join("a"))?;
/// unix::fchown(&file, None, None)?;
/// # fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn fchown<F: AsFd>(fd: F, uid: Option<u32>, gid: Option<u32>) -> Result<()> {
    let fd = fd.as_fd();
    runtime::unblock_disk(|| unix::fchown(fd, uid, gid))
}

/// As [`chown`], without following a symbolic link.
///
/// # Errors
///
/// As `chown`.
///
/// # Examples
///
/// ```
/// use greenthread::{fs, os::unix::fs as unix};
/// # let dir = std::env::temp_dir().join(format!("greenthread-lchown-{}", std::process::id()));
/// # fs::create_dir_all(&dir)?;
/// unix::symlink("/dev/null", dir.join("a"))?;
/// unix::lchown(dir.join("a"), None, None)?;
/// # fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn lchown<P: AsRef<Path>>(dir: P, uid: Option<u32>, gid: Option<u32>) -> Result<()> {
    let dir = dir.as_ref();
    runtime::unblock_disk(|| unix::lchown(dir, uid, gid))
}

/// Makes a symbolic link.
///
/// # Errors
///
/// As [`std::os::unix::fs::symlink`].
///
/// # Examples
///
/// ```
/// use greenthread::{fs, os::unix::fs as unix};
/// # let dir = std::env::temp_dir().join(format!("greenthread-symlink-{}", std::process::id()));
/// # fs::create_dir_all(&dir)?;
/// unix::symlink("target", dir.join("link"))?;
/// assert_eq!(fs::read_link(dir.join("link"))?.to_str(), Some("target"));
/// # fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn symlink<P: AsRef<Path>, Q: AsRef<Path>>(original: P, link: Q) -> Result<()> {
    let (original, link) = (original.as_ref(), link.as_ref());
    runtime::unblock_disk(|| unix::symlink(original, link))
}
