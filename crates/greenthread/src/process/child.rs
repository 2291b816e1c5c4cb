//! `Child`.

use std::{
    fmt,
    io::{self, Read},
    mem,
    process::{self, ExitStatus, Output},
};

use super::{ChildStderr, ChildStdin, ChildStdout};
use crate::{
    descriptor::{Descriptor, os_thread::is_watched},
    driver::Interest,
    runtime, scheduler,
    sys::{error::OsError, fd::OwnedFd, process::open_child},
    task::{
        cancel,
        coop::{CALL, consume_budget},
    },
    thread,
};

/// A running or exited child process: [`std::process::Child`] for green threads.
///
/// As in std, dropping a `Child` does not affect the process. The system remembers an exited
/// process until it has been waited for.
///
/// # Examples
///
/// ```ignore-windows
/// use greenthread::process::Command;
///
/// greenthread::run(|| {
///     let mut child = Command::new("sleep").arg("0.01").spawn()?;
///     // Other green threads run during the wait.
///     assert!(child.wait()?.success());
///     std::io::Result::Ok(())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Child {
    /// The writing end of the child's standard input, if that is [piped](super::Stdio::piped).
    pub stdin: Option<ChildStdin>,
    /// The reading end of the child's standard output, if that is [piped](super::Stdio::piped).
    pub stdout: Option<ChildStdout>,
    /// The reading end of the child's standard error, if that is [piped](super::Stdio::piped).
    pub stderr: Option<ChildStderr>,
    inner: process::Child,
    /// A descriptor for the process, which becomes readable when the process ends. It exists from
    /// the first wait until the process has ended.
    end: Option<Descriptor>,
}

impl Child {
    /// Kills the process (`SIGKILL`). A process that has already ended is not affected.
    ///
    /// # Errors
    ///
    /// The system's error (`PermissionDenied`, for example, for a process that runs as another
    /// user).
    ///
    /// # Examples
    ///
    /// ```ignore-windows
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

    /// Returns the process ID.
    ///
    /// # Examples
    ///
    /// ```ignore-windows
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

    /// Closes this end of the child's standard input, so that the child does not wait for input,
    /// and waits until the child ends. Blocks the calling thread. Further calls return the same
    /// status.
    ///
    /// # Errors
    ///
    /// The system's error.
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// use greenthread::process::Command;
    ///
    /// let mut child = Command::new("sh").args(["-c", "exit 3"]).spawn()?;
    /// assert_eq!(child.wait()?.code(), Some(3));
    /// assert_eq!(child.wait()?.code(), Some(3));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        drop(self.stdin.take());
        if runtime::driver().is_none() && !is_watched() {
            return self.inner.wait();
        }
        if let Some(status) = self.inner.try_wait()? {
            return Ok(status);
        }
        // If the system has no such descriptor, an OS thread waits.
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
            None => cancel::check_call()
                .and_then(|()| runtime::unblock_interruptible(|call| call.wait(&mut self.inner)))
                .map_err(cancel::raise)?,
        };
        self.end = None;
        Ok(status)
    }

    /// Returns the exit status of the child, or `None` if it has not ended yet. Does not block, and
    /// does not close the child's standard input.
    ///
    /// # Errors
    ///
    /// The system's error.
    ///
    /// # Examples
    ///
    /// ```ignore-windows
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

    /// Closes this end of the child's standard input, reads the child's output and error (as far as
    /// they are piped), and waits until the child ends. Blocks the calling thread.
    ///
    /// # Errors
    ///
    /// The system's error.
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// use greenthread::process::{Command, Stdio};
    ///
    /// let child = Command::new("echo").arg("hello").stdout(Stdio::piped()).spawn()?;
    /// assert_eq!(child.wait_with_output()?.stdout, b"hello\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn wait_with_output(mut self) -> io::Result<Output> {
        drop(self.stdin.take());
        if runtime::driver().is_none() && !is_watched() {
            return self.into_std().wait_with_output();
        }
        let mut all = [Vec::new(), Vec::new()];
        let [stdout, stderr] = &mut all;
        match (self.stdout.take(), self.stderr.take()) {
            (Some(mut out), Some(mut err)) => thread::scope(|scope| {
                // A second thread reads the other pipe, because the child may fill one pipe while
                // this thread waits for the other.
                let reader = thread::Builder::new().spawn_scoped(scope, || err.read_to_end(stderr))?;
                // If this thread is cancelled, or fails, the scope does not wait for the child.
                let end = CancelOnDrop(reader.thread().clone());
                out.read_to_end(stdout)?;
                let result = reader.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload));
                mem::forget(end);
                result
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

/// Cancels a thread when it is dropped.
struct CancelOnDrop(thread::Thread);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        scheduler::registry::cancel_thread(self.0.block());
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
