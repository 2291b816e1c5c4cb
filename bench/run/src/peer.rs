//! One measurement: a peer's process from start to end.

use std::error::Error;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{io, mem, thread};

use crate::ask::{Asker, ask};
use crate::works::Row;

/// A peer that takes longer is stopped.
const LIMIT: Duration = Duration::from_secs(120);

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    pub lines: Vec<Line>,
    pub usage: Usage,
    /// CPU time of whoever asked, if it is a server.
    pub generator_cpu: Duration,
}

/// What the peer's process has used, from its birth to its end.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    pub cpu: Duration,
    /// Context switches: when it had nothing to do, and when its time was up.
    pub voluntary: u64,
    pub involuntary: u64,
    /// Kibibytes of memory that it had at most.
    pub max_rss: u64,
}

/// One measurement.
#[derive(Debug)]
pub struct Line {
    pub metric: String,
    pub value: f64,
    pub unit: String,
    /// CPU nanoseconds per operation during the measured part.
    pub cpu: f64,
    pub note: String,
    /// Of a latency: `PERCENT:VALUE`, with a space in between.
    pub distribution: String,
}

/// Several peers may be one program, which has the name that theirs begin with.
pub fn program(bin: &Path, peer: &str) -> PathBuf {
    let (name, _flavour) = peer.split_once('-').unwrap_or((peer, ""));
    bin.join(format!("peer-{name}"))
}

fn command(bin: &Path, peer: &str, row: &Row, seconds: f64) -> Command {
    let mut command = Command::new(program(bin, peer));
    let counts = [row.workers, row.threads, row.n].map(|count| count.to_string());
    command.arg0(peer).arg(&row.work).args(counts).arg(seconds.to_string());
    command.env("RUST_BACKTRACE", "0").stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// Works that measure themselves.
pub fn run(bin: &Path, peer: &str, row: &Row, seconds: f64) -> Result<Outcome, Box<dyn Error>> {
    let child = command(bin, peer, row, seconds).spawn()?;
    let _limit = Limit::new(&child);
    finish(child)
}

/// A server that others ask (`ask`). It ends when its input does, and may have measured something itself. It runs on processor 0,
/// if it has one worker.
pub fn serve(
    bin: &Path,
    peer: &str,
    row: &Row,
    asker: &Asker,
    seconds: u32,
) -> Result<Outcome, Box<dyn Error>> {
    let mut command = command(bin, peer, row, 0.0);
    if row.workers == 1 {
        on_processor(0, &mut command);
    }
    let mut server = command.stdin(Stdio::piped()).spawn()?;
    let _limit = Limit::new(&server);
    let input = server.stdin.take();
    let asked = ask(&mut server, bin, row, asker, seconds);
    drop(input);
    let mut outcome = finish(server)?;
    let (mut lines, generator_cpu) = asked?;
    lines.append(&mut outcome.lines);
    Ok(Outcome { lines, generator_cpu, ..outcome })
}

/// Stops a process that takes too long.
struct Limit(Option<(Sender<()>, JoinHandle<()>)>);

impl Limit {
    fn new(child: &Child) -> Limit {
        let (ended, end) = channel::<()>();
        let pid = child.id() as libc::pid_t;
        let thread = thread::spawn(move || {
            if end.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
                // SAFETY: a signal to a number. It is the child's own at least until the limit is dropped.
                unsafe { libc::kill(pid, libc::SIGKILL) };
            }
        });
        Limit(Some((ended, thread)))
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        let (ended, thread) = self.0.take().expect("it is dropped once");
        drop(ended);
        let _ = thread.join();
    }
}

/// What it prints until its end.
fn finish(mut child: Child) -> Result<Outcome, Box<dyn Error>> {
    let mut text = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut text)?;
    let (status, usage) = wait(child)?;
    if status != 0 {
        return Err(format!("wait status {status:#x}").into());
    }
    let lines = parse(&text)?;
    Ok(Outcome { lines, usage, generator_cpu: Duration::ZERO })
}

/// One measurement a line.
pub fn parse(text: &str) -> Result<Vec<Line>, String> {
    text.lines().map(|line| parse_line(line).ok_or_else(|| format!("not a measurement: {line:?}"))).collect()
}

fn parse_line(line: &str) -> Option<Line> {
    let mut fields = line.split('\t');
    let mut next = || fields.next();
    Some(Line {
        metric: next()?.to_owned(),
        value: next()?.parse().ok()?,
        unit: next()?.to_owned(),
        cpu: next()?.parse().ok()?,
        note: next()?.to_owned(),
        distribution: next().unwrap_or_default().to_owned(),
    })
}

/// Has a program run there and nowhere else.
pub fn on_processor(number: usize, command: &mut Command) {
    // SAFETY: between fork and exec it makes one system call.
    unsafe {
        command.pre_exec(move || {
            let mut set: libc::cpu_set_t = mem::zeroed();
            libc::CPU_SET(number, &mut set);
            match libc::sched_setaffinity(0, size_of_val(&set), &set) {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            }
        });
    }
}

/// Waits for the end; says how it ended and what the whole process has used.
pub fn wait(child: Child) -> io::Result<(i32, Usage)> {
    let mut status = 0;
    // SAFETY: a rusage of zeros is one.
    let mut usage: libc::rusage = unsafe { mem::zeroed() };
    // SAFETY: both places are valid. `Child` is taken by value, so nobody waits for it again.
    if unsafe { libc::wait4(child.id() as libc::pid_t, &mut status, 0, &mut usage) } < 0 {
        return Err(io::Error::last_os_error());
    }
    let duration = |t: libc::timeval| Duration::new(t.tv_sec as u64, 1000 * t.tv_usec as u32);
    let usage = Usage {
        cpu: duration(usage.ru_utime) + duration(usage.ru_stime),
        voluntary: usage.ru_nvcsw as u64,
        involuntary: usage.ru_nivcsw as u64,
        max_rss: usage.ru_maxrss as u64,
    };
    Ok((status, usage))
}
