//! Items of Apple's systems: [`std::os::darwin`] for green threads.
//!
//! # Examples
//!
//! ```
//! use greenthread::{fs, os::darwin::fs::MetadataExt};
//!
//! assert!(fs::metadata(".")?.st_ino() > 0);
//! # Ok::<(), std::io::Error>(())
//! ```

pub mod fs;
