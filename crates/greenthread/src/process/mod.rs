//! [`std::process`] for green threads: only the calling thread waits for a process.
//!
//! A wait for the end of a process, or for its pipes, parks the green thread. Starting a process
//! stalls the worker for as long as the system takes (about a millisecond), because the child is to
//! inherit from the calling thread, as with std.
//!
//! [`exit`] and the other items that never wait are std's own. For `exit` on a green thread see
//! "Soundness" in the [crate's documentation](crate#soundness).
//!
//! # Examples
//!
//! Three programs that run at the same time, started from any number of workers:
//!
//! ```ignore-windows
//! use greenthread::{process::Command, thread};
//!
//! greenthread::run(|| {
//!     let children: Vec<_> = (0..3)
//!         .map(|n| thread::spawn(move || Command::new("echo").arg(n.to_string()).output()))
//!         .collect();
//!     for (n, child) in children.into_iter().enumerate() {
//!         assert_eq!(child.join().unwrap()?.stdout, format!("{n}\n").into_bytes());
//!     }
//!     std::io::Result::Ok(())
//! })?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Differs from std
//!
//! * [`Child::wait_with_output`] returns an error that occurs while it reads the output. std
//!   panics.

mod child;
mod command;
mod pipes;

pub use std::process::{
    CommandArgs, CommandEnvs, ExitCode, ExitStatus, Output, Stdio, Termination, abort, exit, id,
};

pub use child::Child;
pub use command::Command;
pub use pipes::{ChildStderr, ChildStdin, ChildStdout};
