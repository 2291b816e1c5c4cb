//! What Linux knows about files: [`std::os::linux::fs`]. It is std's own, as nothing here waits.
//!
//! # Examples
//!
//! ```
//! use greenthread::{fs, os::linux::fs::MetadataExt};
//!
//! assert!(fs::metadata(".")?.st_nlink() > 0);
//! # Ok::<(), std::io::Error>(())
//! ```

pub use std::os::linux::fs::MetadataExt;
