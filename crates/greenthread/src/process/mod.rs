//! [`std::process`], for green threads: programs to run, and only the calling thread waits for
//! them.
//!
//! Waiting for a process's end, and for its pipes, parks the green thread. To start one stalls the
//! worker for as long as the system takes (about a millisecond): the child is to inherit from the
//! calling thread, as with std.
//!
//! [`exit`] and the rest that does not wait are std's own. See "Soundness" in the [crate's
//! documentation](crate#soundness) for an `exit` on a green thread.
//!
//! # Examples
//!
//! Three programs at once, on one worker or many:
//!
//! ```
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
//! * An error while the output is read is returned by [`Child::wait_with_output`], where std
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
