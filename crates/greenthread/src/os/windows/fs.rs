//! What Windows has beyond [`fs`](crate::fs): [`std::os::windows::fs`] for green threads. The
//! traits are std's own.
//!
//! # Examples
//!
//! ```
//! use greenthread::{fs::{self, File}, os::windows::fs::FileExt};
//!
//! # let path = std::env::temp_dir().join(format!("greenthread-doc-{}-seek", std::process::id()));
//! greenthread::run(|| {
//!     fs::write(&path, "one two")?;
//!     let mut word = [0; 3];
//!     File::open(&path)?.seek_read(&mut word, 4)?;
//!     assert_eq!(&word, b"two");
//!     fs::remove_file(&path)
//! })?;
//! # Ok::<(), std::io::Error>(())
//! ```

use std::{io::Result, os::windows::fs as windows, path::Path};

pub use std::os::windows::fs::{FileExt, FileTimesExt, FileTypeExt, MetadataExt, OpenOptionsExt};

use crate::runtime;

/// Creates a symbolic link to a file.
///
/// # Errors
///
/// As [`std::os::windows::fs::symlink_file`].
///
/// # Examples
///
/// ```no_run
/// use greenthread::os::windows::fs::symlink_file;
///
/// symlink_file("a.txt", "b.txt")?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn symlink_file<P: AsRef<Path>, Q: AsRef<Path>>(original: P, link: Q) -> Result<()> {
    let (original, link) = (original.as_ref(), link.as_ref());
    runtime::unblock_disk(|| windows::symlink_file(original, link))
}

/// Creates a symbolic link to a directory.
///
/// # Errors
///
/// As [`std::os::windows::fs::symlink_dir`].
///
/// # Examples
///
/// ```no_run
/// use greenthread::os::windows::fs::symlink_dir;
///
/// symlink_dir("a", "b")?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn symlink_dir<P: AsRef<Path>, Q: AsRef<Path>>(original: P, link: Q) -> Result<()> {
    let (original, link) = (original.as_ref(), link.as_ref());
    runtime::unblock_disk(|| windows::symlink_dir(original, link))
}
