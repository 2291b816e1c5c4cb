//! Items that exist only on some systems: [`std::os`] for green threads.
//!
//! # Examples
//!
//! ```
//! use greenthread::{net::TcpListener, os::fd::AsRawFd};
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! assert!(listener.as_raw_fd() > 2);
//! # Ok::<(), std::io::Error>(())
//! ```

pub use std::os::raw;

pub mod fd;
pub mod linux;
pub mod unix;
