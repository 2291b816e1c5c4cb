//! Linux-specific properties of files: [`std::os::linux::fs`]. The trait is std's own, because
//! nothing here waits.
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
