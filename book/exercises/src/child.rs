//! A program run to its end, or until a time-out.

use std::fmt;
use std::io::{self, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The result of a program.
#[derive(Debug)]
pub struct Run {
    /// Its output.
    pub stdout: String,
    /// Its error output.
    pub stderr: String,
    /// How it ended.
    pub end: End,
}

/// How a program has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself, with this status. 0 is success, and 101 is Rust's for a panic.
    Status(i32),
    /// The kernel ended it with this signal: 11 for memory that is not there, 6 for an abort.
    Signal(i32),
    /// It went on for too long, and was killed.
    OutOfTime,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "status {status}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::OutOfTime => f.write_str("out of time"),
        }
    }
}

/// Runs a program without input. Output that is not UTF-8 is replaced, and so are Windows's ends of
/// lines.
///
/// # Errors
/// If it can't be started.
pub fn run(command: &mut Command, timeout: Duration) -> io::Result<Run> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let stdout = read_all(child.stdout.take());
    let stderr = read_all(child.stderr.take());
    let deadline = Instant::now() + timeout;
    let end = loop {
        if let Some(status) = child.try_wait()? {
            break end_of(status);
        }
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            break End::OutOfTime;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let text = |reader: thread::JoinHandle<Vec<u8>>| {
        let bytes = reader.join().expect("a reader doesn't panic");
        String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
    };
    Ok(Run { stdout: text(stdout), stderr: text(stderr), end })
}

/// Reads beside us, so that a program that prints much doesn't wait for us.
fn read_all(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // An error ends what can be read, and what was read counts.
            _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

#[cfg(unix)]
fn end_of(status: ExitStatus) -> End {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        Some(signal) => End::Signal(signal),
        None => End::Status(status.code().unwrap_or(-1)),
    }
}

#[cfg(not(unix))]
fn end_of(status: ExitStatus) -> End {
    End::Status(status.code().unwrap_or(-1))
}
