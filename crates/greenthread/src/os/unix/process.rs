//! What processes have on Unix: [`std::os::unix::process`], for green threads.
//!
//! # Examples
//!
//! ```
//! use greenthread::{os::unix::process::ExitStatusExt, process::Command};
//!
//! let status = Command::new("sh").args(["-c", "kill -TERM $$"]).status()?;
//! assert_eq!((status.code(), status.signal()), (None, Some(15)));
//! # Ok::<(), std::io::Error>(())
//! ```

use std::{ffi::OsStr, io, os::unix::process::CommandExt as Theirs};

pub use std::os::unix::process::{ExitStatusExt, parent_id};

use crate::process::Command;

/// What a [`Command`] has on Unix: [`std::os::unix::process::CommandExt`].
///
/// # Examples
///
/// ```
/// use greenthread::{os::unix::process::CommandExt, process::Command};
///
/// let output = Command::new("sh").arg0("another-name").args(["-c", "echo $0"]).output()?;
/// assert_eq!(output.stdout, b"another-name\n");
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait CommandExt: sealed::Sealed {
    /// Sets the user that the child runs as, and drops the supplementary groups, if it may.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{os::unix::process::CommandExt, process::Command};
    ///
    /// // Only root may become somebody else.
    /// match Command::new("id").arg("-u").uid(1000).output() {
    ///     Ok(output) => assert_eq!(output.stdout, b"1000\n"),
    ///     Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied),
    /// }
    /// ```
    fn uid(&mut self, id: u32) -> &mut Command;

    /// Sets the group that the child runs as.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{os::unix::process::CommandExt, process::Command};
    ///
    /// // Only root may join any group.
    /// match Command::new("id").arg("-g").gid(1000).output() {
    ///     Ok(output) => assert_eq!(output.stdout, b"1000\n"),
    ///     Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied),
    /// }
    /// ```
    fn gid(&mut self, id: u32) -> &mut Command;

    /// Has a function run in the child, before the program. If it fails, so does the start.
    ///
    /// # Safety
    ///
    /// As std's: between the fork and the program only what is async-signal-safe is allowed; other
    /// threads may have held any lock, and memory must not be allocated. Nothing of this crate may
    /// be called.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{os::unix::process::CommandExt, process::Command};
    ///
    /// let mut command = Command::new("true");
    /// // SAFETY: it makes an error, and nothing else.
    /// unsafe { command.pre_exec(|| Err(std::io::ErrorKind::Unsupported.into())) };
    /// assert!(command.status().is_err());
    /// ```
    unsafe fn pre_exec<F>(&mut self, f: F) -> &mut Command
    where
        F: FnMut() -> io::Result<()> + Send + Sync + 'static;

    /// The older name of [`pre_exec`](Self::pre_exec).
    ///
    /// # Safety
    ///
    /// As for [`pre_exec`](Self::pre_exec).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{os::unix::process::CommandExt, process::Command};
    ///
    /// # #[allow(deprecated)]
    /// # fn main() {
    /// let mut command = Command::new("true");
    /// // SAFETY: it makes an error, and nothing else.
    /// unsafe { command.before_exec(|| Err(std::io::ErrorKind::Unsupported.into())) };
    /// assert!(command.status().is_err());
    /// # }
    /// ```
    #[deprecated(note = "use `pre_exec`")]
    unsafe fn before_exec<F>(&mut self, f: F) -> &mut Command
    where
        F: FnMut() -> io::Result<()> + Send + Sync + 'static;

    /// Replaces this process by the program, and returns only if that fails. Nothing is dropped,
    /// and no thread of this process goes on.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{os::unix::process::CommandExt, process::Command};
    ///
    /// let error = Command::new("greenthread-no-such-program").exec();
    /// assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    /// ```
    fn exec(&mut self) -> io::Error;

    /// Sets what the program finds as its own name.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{os::unix::process::CommandExt, process::Command};
    ///
    /// let output = Command::new("sh").arg0("another-name").args(["-c", "echo $0"]).output()?;
    /// assert_eq!(output.stdout, b"another-name\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn arg0<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Command;

    /// Sets the process group of the child; with 0, one of its own. A Ctrl-C at the terminal goes
    /// to a group.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{os::unix::process::CommandExt, process::Command};
    ///
    /// assert!(Command::new("true").process_group(0).status()?.success());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn process_group(&mut self, pgroup: i32) -> &mut Command;
}

impl CommandExt for Command {
    fn uid(&mut self, id: u32) -> &mut Command {
        self.inner.uid(id);
        self
    }

    fn gid(&mut self, id: u32) -> &mut Command {
        self.inner.gid(id);
        self
    }

    unsafe fn pre_exec<F>(&mut self, f: F) -> &mut Command
    where
        F: FnMut() -> io::Result<()> + Send + Sync + 'static,
    {
        // SAFETY: passed on from the caller.
        unsafe { self.inner.pre_exec(f) };
        self
    }

    unsafe fn before_exec<F>(&mut self, f: F) -> &mut Command
    where
        F: FnMut() -> io::Result<()> + Send + Sync + 'static,
    {
        // SAFETY: passed on from the caller.
        unsafe { self.pre_exec(f) }
    }

    fn exec(&mut self) -> io::Error {
        self.prepare();
        self.inner.exec()
    }

    fn arg0<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Command {
        self.inner.arg0(arg);
        self
    }

    fn process_group(&mut self, pgroup: i32) -> &mut Command {
        self.inner.process_group(pgroup);
        self
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for crate::process::Command {}
}
