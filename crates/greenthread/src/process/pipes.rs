//! The parent's ends of the pipes to a child's standard streams.

use std::process;

use crate::descriptor::{
    Descriptor,
    fd_impls::{pipe_end, reading, writing},
};

/// The writing end of a child's standard input: [`std::process::ChildStdin`] for green threads.
///
/// Writing blocks the calling thread while the pipe is full, and fails with `BrokenPipe` when the
/// child reads no more. Dropping this closes the pipe, so that the child reads the end of its
/// input.
///
/// # Examples
///
/// ```ignore-windows
/// use greenthread::process::{Command, Stdio};
/// use std::io::Write;
///
/// let mut child = Command::new("cat")
///     .stdin(Stdio::piped())
///     .stdout(Stdio::piped())
///     .stderr(Stdio::piped())
///     .spawn()?;
/// child.stdin.take().unwrap().write_all(b"word")?;
/// assert_eq!(child.wait_with_output()?.stdout, b"word");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct ChildStdin(Descriptor);

pipe_end!(ChildStdin, process::ChildStdin);

/// The reading end of a child's standard output: [`std::process::ChildStdout`] for green threads.
///
/// Reading blocks the calling thread until the child writes, or has closed the pipe; a child that
/// ends closes it.
///
/// # Examples
///
/// ```ignore-windows
/// use greenthread::process::{Command, Stdio};
/// use std::io::Read;
///
/// let mut child = Command::new("cat")
///     .stdin(Stdio::piped())
///     .stdout(Stdio::piped())
///     .stderr(Stdio::piped())
///     .spawn()?;
/// drop(child.stdin.take());
/// assert_eq!(child.stdout.take().unwrap().read_to_end(&mut Vec::new())?, 0);
/// child.wait()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct ChildStdout(Descriptor);

pipe_end!(ChildStdout, process::ChildStdout);

/// The reading end of a child's standard error: [`std::process::ChildStderr`] for green threads.
///
/// Reading blocks the calling thread until the child writes, or has closed the pipe; a child that
/// ends closes it.
///
/// # Examples
///
/// ```ignore-windows
/// use greenthread::process::{Command, Stdio};
/// use std::io::Read;
///
/// let mut child = Command::new("cat")
///     .stdin(Stdio::piped())
///     .stdout(Stdio::piped())
///     .stderr(Stdio::piped())
///     .spawn()?;
/// drop(child.stdin.take());
/// assert_eq!(child.stderr.take().unwrap().read_to_end(&mut Vec::new())?, 0);
/// child.wait()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct ChildStderr(Descriptor);

pipe_end!(ChildStderr, process::ChildStderr);

writing!(ChildStdin, &ChildStdin);
reading!(ChildStdout, ChildStderr);
