//! What Windows has beyond [`process`](crate::process): [`std::os::windows::process`] for green
//! threads.

use std::{ffi::OsStr, os::windows::process as windows};

pub use std::os::windows::process::ExitStatusExt;

use crate::process::Command;

/// Methods of [`Command`] that only Windows has: [`std::os::windows::process::CommandExt`].
///
/// # Examples
///
/// ```
/// use greenthread::{os::windows::process::CommandExt, process::Command};
///
/// assert!(Command::new("cmd").raw_arg("/c exit 0").status()?.success());
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait CommandExt: sealed::Sealed {
    /// Sets the flags of the new process, such as `CREATE_NO_WINDOW`.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use greenthread::{os::windows::process::CommandExt, process::Command};
    ///
    /// const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    /// Command::new("cmd").creation_flags(CREATE_NO_WINDOW).status()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn creation_flags(&mut self, flags: u32) -> &mut Command;

    /// Appends text to the command line as it is, without quotes.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{os::windows::process::CommandExt, process::Command};
    ///
    /// assert_eq!(Command::new("cmd").raw_arg("/c exit 3").status()?.code(), Some(3));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn raw_arg<S: AsRef<OsStr>>(&mut self, text_to_append_as_is: S) -> &mut Command;
}

impl CommandExt for Command {
    fn creation_flags(&mut self, flags: u32) -> &mut Command {
        windows::CommandExt::creation_flags(&mut self.inner, flags);
        self
    }

    fn raw_arg<S: AsRef<OsStr>>(&mut self, text_to_append_as_is: S) -> &mut Command {
        windows::CommandExt::raw_arg(&mut self.inner, text_to_append_as_is);
        self
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for crate::process::Command {}
}
