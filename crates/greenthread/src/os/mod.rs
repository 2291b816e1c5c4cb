//! Items that exist only on some systems: [`std::os`] for green threads.
//!
//! # Examples
//!
//! ```
//! # #[cfg(unix)] {
//! use greenthread::{net::TcpListener, os::fd::AsRawFd};
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! assert!(listener.as_raw_fd() > 2);
//! # }
//! # Ok::<(), std::io::Error>(())
//! ```

pub use std::os::raw;

#[cfg(target_vendor = "apple")]
pub mod darwin;
#[cfg(unix)]
pub mod fd;
#[cfg(target_os = "linux")]
pub mod linux;
#[cfg(target_os = "macos")]
pub mod macos;
#[cfg(unix)]
pub mod unix;
#[cfg(windows)]
pub mod windows;
