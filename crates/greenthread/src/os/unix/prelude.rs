//! A re-export of the traits of this module: [`std::os::unix::prelude`].
//!
//! # Examples
//!
//! ```
//! use greenthread::{os::unix::prelude::*, process::Command};
//!
//! let mut shell = Command::new("sh");
//! shell.arg0("a shell").args(["-c", "kill -KILL $$"]);
//! assert_eq!(greenthread::run(move || shell.status())?.signal(), Some(9));
//! # Ok::<(), std::io::Error>(())
//! ```

pub use super::{
    ffi::{OsStrExt, OsStringExt},
    fs::{DirEntryExt, FileExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    io::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd},
    process::{CommandExt, ExitStatusExt},
};
