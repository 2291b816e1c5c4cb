//! Linux-specific items: [`std::os::linux`] for green threads.
//!
//! # Examples
//!
//! ```
//! use greenthread::{fs, os::linux::fs::MetadataExt};
//!
//! assert!(fs::metadata(".")?.st_ino() > 0);
//! # Ok::<(), std::io::Error>(())
//! ```

#[allow(deprecated, reason = "a re-export of std's module")]
pub use std::os::linux::raw;

pub mod fs;
#[doc(hidden)]
pub mod interpose;
pub mod net;
