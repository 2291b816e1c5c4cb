//! Unix-specific operations on files: [`std::os::unix::fs`] for green threads.
//!
//! The traits are std's own, so code that is written for them also works with the types of
//! [`crate::fs`].
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

/// Changes the owner and the group of the file at a path. `None` leaves the owner or the group as
/// it is.
///
/// # Errors
///
/// As [`std::os::unix::fs::chown`]: usually, only root may change the owner.
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

/// Changes the root directory of the process, which means of all of its threads.
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

/// Changes the owner and the group of an open file, as [`chown`] does.
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

/// Changes the owner and the group as [`chown`] does, but does not follow a symbolic link.
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
