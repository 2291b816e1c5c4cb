//! `Child`.

use std::{
    fmt,
    io::{self, Read},
    os::fd::OwnedFd,
    process::{self, ExitStatus, Output},
};

use super::{ChildStderr, ChildStdin, ChildStdout};
use crate::{
    descriptor::Descriptor,
    driver::Interest,
    runtime,
    sys::{error::OsError, process::open_child},
    task::coop::{CALL, consume_budget},
    thread,
};

/// A process that was started: [`std::process::Child`], for green threads.
///
/// As in std, nothing happens to the process when this is dropped, and one that has ended is
/// remembered by the system until somebody has waited for it.
///
/// # Examples
///
/// ```
/// use greenthread::process::Command;
///
/// greenthread::run(|| {
///     let mut child = Command::new("sleep").arg("0.01").spawn()?;
///     // Other green threads go on meanwhile.
///     assert!(child.wait()?.success());
///     std::io::Result::Ok(())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Child {
    /// What it reads, if that was to be [piped](super::Stdio::piped).
    pub stdin: Option<ChildStdin>,
    /// What it writes, if that was to be [piped](super::Stdio::piped).
    pub stdout: Option<ChildStdout>,
    /// Its errors, if these were to be [piped](super::Stdio::piped).
    pub stderr: Option<ChildStderr>,
    inner: process::Child,
    /// A descriptor for the process, which becomes readable at its end; from the first wait until
    /// the end.
    end: Option<Descriptor>,
}

impl Child {
    /// Makes the process end at once (`SIGKILL`). One that has ended already is left alone.
    ///
    /// # Errors
    ///
    /// What the system says (`PermissionDenied`, for a process that runs as somebody else).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::process::Command;
    ///
    /// let mut child = Command::new("sleep").arg("1000").spawn()?;
    /// child.kill()?;
    /// assert_eq!(child.wait()?.code(), None);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn kill(&mut self) -> io::Result<()> {
        self.inner.kill()
    }

    /// The number of the process.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::process::Command;
    ///
    /// let mut child = Command::new("true").spawn()?;
    /// assert_ne!(child.id(), std::process::id());
    /// child.wait()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn id(&self) -> u32 {
        self.inner.id()
    }

    /// Closes our end of its standard input, so that it does not wait for us, and waits for its
    /// end. Blocks the calling thread; again, it gives the same.
    ///
    /// # Errors
    ///
    /// What the system says.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::process::Command;
    ///
    /// let mut child = Command::new("sh").args(["-c", "exit 3"]).spawn()?;
    /// assert_eq!(child.wait()?.code(), Some(3));
    /// assert_eq!(child.wait()?.code(), Some(3));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        drop(self.stdin.take());
        if runtime::driver().is_none() {
            return self.inner.wait();
        }
        if let Some(status) = self.inner.try_wait()? {
            return Ok(status);
        }
        // Where there is none to be had, an OS thread can wait as well.
        if self.end.is_none() {
            self.end = open_child(&self.inner).map(Descriptor::new).ok();
        }
        let status = self.end.as_ref().and_then(|end| {
            let look = || match self.inner.try_wait() {
                Ok(status) => status.ok_or(OsError::WOULD_BLOCK),
                Err(error) => Err(OsError::of(&error).unwrap_or(OsError::OTHER)),
            };
            end.attempt_anywhere(Interest::Read, None, look).ok()
        });
        let status = match status {
            Some(status) => status,
            None => runtime::unblock_wait(|| self.inner.wait())??,
        };
        self.end = None;
        Ok(status)
    }

    /// How it has ended, or `None` if it has not. Does not block, and leaves the standard input
    /// open.
    ///
    /// # Errors
    ///
    /// What the system says.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::process::Command;
    ///
    /// let mut child = Command::new("sleep").arg("1000").spawn()?;
    /// assert!(child.try_wait()?.is_none());
    /// child.kill()?;
    /// child.wait()?;
    /// assert!(child.try_wait()?.is_some());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        consume_budget(CALL);
        self.inner.try_wait()
    }

    /// Closes our end of its standard input, reads what it writes to its output and error, as far
    /// as they are piped, and waits for its end. Blocks the calling thread.
    ///
    /// # Errors
    ///
    /// What the system says.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::process::{Command, Stdio};
    ///
    /// let child = Command::new("echo").arg("hello").stdout(Stdio::piped()).spawn()?;
    /// assert_eq!(child.wait_with_output()?.stdout, b"hello\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn wait_with_output(mut self) -> io::Result<Output> {
        drop(self.stdin.take());
        if runtime::driver().is_none() {
            return self.into_std().wait_with_output();
        }
        let mut all = [Vec::new(), Vec::new()];
        let [stdout, stderr] = &mut all;
        match (self.stdout.take(), self.stderr.take()) {
            (Some(mut out), Some(mut err)) => thread::scope(|scope| {
                // It might fill the one pipe while we wait for the other.
                let reader = thread::Builder::new().spawn_scoped(scope, || err.read_to_end(stderr))?;
                out.read_to_end(stdout)?;
                reader.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload))
            })?,
            (Some(mut out), None) => out.read_to_end(stdout)?,
            (None, Some(mut err)) => err.read_to_end(stderr)?,
            (None, None) => 0,
        };
        let status = self.wait()?;
        let [stdout, stderr] = all;
        Ok(Output { status, stdout, stderr })
    }

    fn into_std(mut self) -> process::Child {
        self.inner.stdin = self.stdin.map(|pipe| OwnedFd::from(pipe).into());
        self.inner.stdout = self.stdout.map(|pipe| OwnedFd::from(pipe).into());
        self.inner.stderr = self.stderr.map(|pipe| OwnedFd::from(pipe).into());
        self.inner
    }
}

impl From<process::Child> for Child {
    fn from(mut inner: process::Child) -> Self {
        Self {
            stdin: inner.stdin.take().map(ChildStdin::from),
            stdout: inner.stdout.take().map(ChildStdout::from),
            stderr: inner.stderr.take().map(ChildStderr::from),
            inner,
            end: None,
        }
    }
}

impl From<Child> for process::Child {
    fn from(child: Child) -> Self {
        child.into_std()
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child")
            .field("stdin", &self.stdin)
            .field("stdout", &self.stdout)
            .field("stderr", &self.stderr)
            .finish_non_exhaustive()
    }
}
