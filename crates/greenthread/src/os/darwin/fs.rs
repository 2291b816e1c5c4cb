//! Properties of files on Apple's systems: [`std::os::darwin::fs`]. The traits are std's own,
//! because nothing here waits.
//!
//! # Examples
//!
//! ```
//! use greenthread::{fs, os::darwin::fs::MetadataExt};
//!
//! assert!(fs::metadata(".")?.st_nlink() > 0);
//! # Ok::<(), std::io::Error>(())
//! ```

pub use std::os::darwin::fs::{FileTimesExt, MetadataExt};
