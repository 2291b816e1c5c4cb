//! Items that exist only on Windows: [`std::os::windows`] for green threads.
//!
//! # Examples
//!
//! ```
//! use greenthread::{net::TcpListener, os::windows::io::AsSocket};
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let clone = TcpListener::from(listener.as_socket().try_clone_to_owned()?);
//! assert_eq!(clone.local_addr()?, listener.local_addr()?);
//! # Ok::<(), std::io::Error>(())
//! ```

pub use std::os::windows::{ffi, raw};

pub mod fs;
pub mod io;
pub mod prelude;
pub mod process;
