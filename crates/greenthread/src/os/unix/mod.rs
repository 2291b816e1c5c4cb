//! Unix-specific items: [`std::os::unix`] for green threads.
//!
//! # Examples
//!
//! ```
//! use greenthread::{fs, os::unix::prelude::*};
//!
//! assert_eq!(fs::metadata("/")?.mode() & 0o555, 0o555);
//! # Ok::<(), std::io::Error>(())
//! ```

pub use std::os::unix::ffi;
#[allow(deprecated, reason = "a re-export of std's module")]
pub use std::os::unix::raw;

pub use super::fd as io;

pub mod event_loop;
pub mod fs;
pub mod net;
pub mod prelude;
pub mod process;
