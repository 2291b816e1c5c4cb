//! Unix-specific properties of processes: [`std::os::unix::process`] for green threads.
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

use std::{ffi::OsStr, io, os::unix::process::CommandExt as StdCommandExt};

pub use std::os::unix::process::{ExitStatusExt, parent_id};

use crate::process::Command;

/// Unix-specific methods of [`Command`]: [`std::os::unix::process::CommandExt`].
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
    /// Sets the user that the child runs as. The child also drops its supplementary groups, if it
    /// has the permission.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{os::unix::process::CommandExt, process::Command};
    ///
    /// // Only root may change the user.
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

    /// Registers a function that runs in the child before the program. If the function fails,
    /// starting the program fails.
    ///
    /// # Safety
    ///
    /// As for std's method: between the fork and the program the function may only make
    /// async-signal-safe calls. Other threads may have held any lock at the fork, and the function
    /// must not allocate memory. It must not call anything of this crate.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{os::unix::process::CommandExt, process::Command};
    ///
    /// let mut command = Command::new("true");
    /// // SAFETY: the closure only makes an error, which allocates nothing.
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
    /// // SAFETY: the closure only makes an error, which allocates nothing.
    /// unsafe { command.before_exec(|| Err(std::io::ErrorKind::Unsupported.into())) };
    /// assert!(command.status().is_err());
    /// # }
    /// ```
    #[deprecated(note = "use `pre_exec`")]
    unsafe fn before_exec<F>(&mut self, f: F) -> &mut Command
    where
        F: FnMut() -> io::Result<()> + Send + Sync + 'static;

    /// Replaces this process by the program, and returns only if that fails. Nothing is dropped,
    /// and all threads of this process end.
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

    /// Sets the program's zeroth argument, which is usually its name.
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

    /// Sets the process group of the child. With 0, the child gets a group of its own. A Ctrl-C at
    /// the terminal reaches all processes of a group.
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
        // SAFETY: the caller keeps the contract of this method, which is that of the method called
        // here.
        unsafe { self.inner.pre_exec(f) };
        self
    }

    unsafe fn before_exec<F>(&mut self, f: F) -> &mut Command
    where
        F: FnMut() -> io::Result<()> + Send + Sync + 'static,
    {
        // SAFETY: the caller keeps the contract of this method, which is that of the method called
        // here.
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
