//! `Command`.

use std::{
    ffi::OsStr,
    fmt, io,
    path::Path,
    process::{self, CommandArgs, CommandEnvs, ExitStatus, Output, Stdio},
};

use super::Child;
use crate::sys::descriptors;

/// A builder for processes: [`std::process::Command`] for green threads.
///
/// # Examples
///
/// ```ignore-windows
/// use greenthread::process::Command;
///
/// greenthread::run(|| {
///     let output = Command::new("echo").arg("hello").output()?;
///     assert!(output.status.success());
///     assert_eq!(output.stdout, b"hello\n");
///     std::io::Result::Ok(())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Command {
    pub(crate) inner: process::Command,
    /// Whether the user has set the standard input, output and error.
    given: [bool; 3],
    /// Whether `inner` already makes the child restore the limit of descriptors.
    restores: bool,
}

impl Command {
    /// Creates a command that runs `program` without arguments, in the environment and the
    /// directory of this process. A program whose name has no `/` is looked up along `PATH`.
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// use greenthread::process::Command;
    ///
    /// assert!(Command::new("true").status()?.success());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new<S: AsRef<OsStr>>(program: S) -> Command {
        Self { inner: process::Command::new(program), given: [false; 3], restores: false }
    }

    /// Adds an argument. No shell interprets it.
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// use greenthread::process::Command;
    ///
    /// let output = Command::new("echo").arg("$HOME stays").output()?;
    /// assert_eq!(output.stdout, b"$HOME stays\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn arg<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Command {
        self.inner.arg(arg);
        self
    }

    /// Adds arguments.
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// use greenthread::process::Command;
    ///
    /// let output = Command::new("echo").args(["a", "b"]).output()?;
    /// assert_eq!(output.stdout, b"a b\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn args<I, S>(&mut self, args: I) -> &mut Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.inner.args(args);
        self
    }

    /// Sets an environment variable.
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// use greenthread::process::Command;
    ///
    /// let output = Command::new("sh").args(["-c", "echo $WORD"]).env("WORD", "hello").output()?;
    /// assert_eq!(output.stdout, b"hello\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn env<K, V>(&mut self, key: K, val: V) -> &mut Command
    where
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.inner.env(key, val);
        self
    }

    /// Sets several environment variables.
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// use greenthread::process::Command;
    ///
    /// let output = Command::new("sh").args(["-c", "echo $A$B"]).envs([("A", "1"), ("B", "2")]).output()?;
    /// assert_eq!(output.stdout, b"12\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn envs<I, K, V>(&mut self, vars: I) -> &mut Command
    where
        I: IntoIterator<Item = (K, V)>,
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.inner.envs(vars);
        self
    }

    /// Removes an environment variable.
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// use greenthread::process::Command;
    ///
    /// let output = Command::new("sh").args(["-c", "echo $WORD"]).env("WORD", "hello").env_remove("WORD").output()?;
    /// assert_eq!(output.stdout, b"\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn env_remove<K: AsRef<OsStr>>(&mut self, key: K) -> &mut Command {
        self.inner.env_remove(key);
        self
    }

    /// Makes the child start with an empty environment, instead of that of this process.
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// use greenthread::process::Command;
    ///
    /// let output = Command::new("/usr/bin/env").env_clear().env("A", "1").output()?;
    /// assert_eq!(output.stdout, b"A=1\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn env_clear(&mut self) -> &mut Command {
        self.inner.env_clear();
        self
    }

    /// Sets the working directory of the child.
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// use greenthread::process::Command;
    ///
    /// let output = Command::new("pwd").current_dir("/").output()?;
    /// assert_eq!(output.stdout, b"/\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn current_dir<P: AsRef<Path>>(&mut self, dir: P) -> &mut Command {
        self.inner.current_dir(dir);
        self
    }

    /// Sets the child's standard input. By default it is that of this process for
    /// [`spawn`](Self::spawn) and [`status`](Self::status), and empty (`/dev/null`) for
    /// [`output`](Self::output).
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// use greenthread::process::{Command, Stdio};
    /// use std::io::Write;
    ///
    /// let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    /// child.stdin.take().unwrap().write_all(b"meow")?;
    /// assert_eq!(child.wait_with_output()?.stdout, b"meow");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn stdin<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.given[0] = true;
        self.inner.stdin(cfg);
        self
    }

    /// Sets the child's standard output. By default it is that of this process for
    /// [`spawn`](Self::spawn) and [`status`](Self::status), and a pipe for
    /// [`output`](Self::output).
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// use greenthread::process::{Command, Stdio};
    ///
    /// assert!(Command::new("echo").arg("to nobody").stdout(Stdio::null()).status()?.success());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn stdout<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.given[1] = true;
        self.inner.stdout(cfg);
        self
    }

    /// Sets the child's standard error. The defaults are as for [`stdout`](Self::stdout).
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// use greenthread::process::{Command, Stdio};
    ///
    /// let output = Command::new("sh").args(["-c", "echo no >&2"]).stderr(Stdio::null()).output()?;
    /// assert!(output.stderr.is_empty());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn stderr<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.given[2] = true;
        self.inner.stderr(cfg);
        self
    }

    /// Starts the program. Standard streams that are not set are those of this process. The call
    /// stalls the worker for as long as the system takes to start a process, because the child is
    /// to be a child of the calling thread.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such program; otherwise the system's error.
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// use greenthread::process::Command;
    ///
    /// let mut child = Command::new("true").spawn()?;
    /// assert!(child.wait()?.success());
    /// assert!(Command::new("greenthread-no-such-program").spawn().is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn spawn(&mut self) -> io::Result<Child> {
        self.prepare();
        Ok(self.inner.spawn()?.into())
    }

    /// Makes the child restore the limit of descriptors with which this process was started. Called
    /// before each start.
    pub(crate) fn prepare(&mut self) {
        if !self.restores && descriptors::is_raised() {
            self.restores = true;
            descriptors::restore_for(&mut self.inner);
        }
    }

    /// Runs the program, waits until it ends, and returns everything that it has written. Blocks
    /// the calling thread.
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn) and [`Child::wait_with_output`].
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// use greenthread::process::Command;
    ///
    /// let output = Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]).output()?;
    /// assert_eq!((&*output.stdout, &*output.stderr), (&b"out\n"[..], &b"err\n"[..]));
    /// assert_eq!(output.status.code(), Some(3));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn output(&mut self) -> io::Result<Output> {
        let defaults = [Stdio::null(), Stdio::piped(), Stdio::piped()];
        self.fill(defaults);
        let child = self.spawn();
        // The next run starts with the same settings as this one.
        self.fill([Stdio::inherit(), Stdio::inherit(), Stdio::inherit()]);
        child?.wait_with_output()
    }

    /// Sets the streams that the user has not set.
    fn fill(&mut self, [stdin, stdout, stderr]: [Stdio; 3]) {
        if !self.given[0] {
            self.inner.stdin(stdin);
        }
        if !self.given[1] {
            self.inner.stdout(stdout);
        }
        if !self.given[2] {
            self.inner.stderr(stderr);
        }
    }

    /// Runs the program, waits until it ends, and returns its exit status. Standard streams that
    /// are not set are those of this process. Blocks the calling thread.
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn) and [`Child::wait`].
    ///
    /// # Examples
    ///
    /// ```ignore-windows
    /// use greenthread::process::Command;
    ///
    /// let status = Command::new("sh").args(["-c", "exit 3"]).status()?;
    /// assert_eq!(status.code(), Some(3));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn status(&mut self) -> io::Result<ExitStatus> {
        self.spawn()?.wait()
    }

    /// Returns the program.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::process::Command;
    ///
    /// assert_eq!(Command::new("echo").get_program(), "echo");
    /// ```
    pub fn get_program(&self) -> &OsStr {
        self.inner.get_program()
    }

    /// Returns the arguments, without the program.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::process::Command;
    ///
    /// assert!(Command::new("echo").args(["a", "b"]).get_args().eq(["a", "b"]));
    /// ```
    pub fn get_args(&self) -> CommandArgs<'_> {
        self.inner.get_args()
    }

    /// Returns the environment variables that this command sets, and those that it removes (with
    /// the value `None`).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::process::Command;
    ///
    /// let mut command = Command::new("env");
    /// command.env("A", "1").env_remove("B");
    /// assert_eq!(command.get_envs().count(), 2);
    /// ```
    pub fn get_envs(&self) -> CommandEnvs<'_> {
        self.inner.get_envs()
    }

    /// Returns the working directory of the child, if it was set.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::process::Command;
    ///
    /// assert_eq!(Command::new("pwd").current_dir("/").get_current_dir(), Some("/".as_ref()));
    /// ```
    pub fn get_current_dir(&self) -> Option<&Path> {
        self.inner.get_current_dir()
    }
}

impl fmt::Debug for Command {
    /// Formats the command as std does: roughly as a shell command.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
