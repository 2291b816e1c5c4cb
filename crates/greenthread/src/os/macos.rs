//! Items of macOS: [`std::os::macos`] for green threads.
//!
//! # Examples
//!
//! ```
//! use greenthread::{fs, os::macos::fs::MetadataExt};
//!
//! assert!(fs::metadata(".")?.st_ino() > 0);
//! # Ok::<(), std::io::Error>(())
//! ```

#[allow(deprecated, reason = "a re-export of std's module")]
pub use std::os::macos::raw;

pub use super::darwin::fs;
