//! One measurement: a peer's process from start to end.

use std::error::Error;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;
use std::{io, mem, thread};

use crate::ask::{Asker, ask};
use crate::results::FAILED;
use crate::works::Row;

/// A peer that takes longer is stopped. The slowest wants twenty seconds.
const LIMIT: Duration = Duration::from_secs(50);
/// What the error begins with then.
const STOPPED: &str = "stopped";

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    pub lines: Vec<Line>,
    pub usage: Usage,
    /// CPU time of whoever asked, if it is a server.
    pub generator_cpu: Duration,
}

/// What the peer's process has used, from its birth to its end.
#[derive(Clone, Copy, Debug, Default)]
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

impl Line {
    /// Whether it says that the peer has been stopped.
    pub fn was_stopped(&self) -> bool {
        self.metric == FAILED && self.note.starts_with(STOPPED)
    }

    /// What there is instead of measurements, if there are none.
    pub fn failed(reason: &str) -> Line {
        let note = reason.split_whitespace().collect::<Vec<_>>().join(" ");
        let (metric, unit, distribution) = (FAILED.to_owned(), String::new(), String::new());
        Line { metric, value: 0.0, unit, cpu: 0.0, note, distribution }
    }
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
    command.env("RUST_BACKTRACE", "0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Works that measure themselves.
pub fn run(bin: &Path, peer: &str, row: &Row, seconds: f64) -> Result<Outcome, Box<dyn Error>> {
    limited(command(bin, peer, row, seconds).spawn()?, LIMIT, finish)
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
    limited(command.stdin(Stdio::piped()).spawn()?, LIMIT, |mut server| {
        let input = server.stdin.take();
        let asked = ask(&mut server, bin, row, asker, seconds);
        drop(input);
        let mut outcome = finish(server)?;
        let (mut lines, generator_cpu) = asked?;
        lines.append(&mut outcome.lines);
        Ok(Outcome { lines, generator_cpu, ..outcome })
    })
}

/// Works with a process until its end. If that takes too long it is stopped, and this is the error.
fn limited<T>(
    child: Child,
    limit: Duration,
    work: impl FnOnce(Child) -> Result<T, Box<dyn Error>>,
) -> Result<T, Box<dyn Error>> {
    let pid = child.id() as libc::pid_t;
    let (ended, end) = channel::<()>();
    let guard = thread::spawn(move || {
        let is_late = end.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
        if is_late {
            // SAFETY: a signal to a number. It is the child's own until `work` has waited for it, after which `ended` falls.
            unsafe { libc::kill(pid, libc::SIGKILL) };
        }
        is_late
    });
    let result = work(child);
    drop(ended);
    match guard.join().expect("no panic") {
        true => Err(format!("{STOPPED}, since it took more than {} s", limit.as_secs_f64()).into()),
        false => result,
    }
}

/// What it prints until its end.
fn finish(mut child: Child) -> Result<Outcome, Box<dyn Error>> {
    let mut complaints = child.stderr.take().expect("piped");
    let complaints = thread::spawn(move || {
        let mut text = Vec::new();
        _ = complaints.read_to_end(&mut text); // what there is of it
        String::from_utf8_lossy(&text).into_owned()
    });
    let mut text = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut text)?;
    let (status, usage) = wait(child)?;
    let complaints = complaints.join().expect("no panic");
    if !status.success() {
        return Err(format!("{status}, {}", reason(&complaints)).into());
    }
    let lines = parse(&text)?;
    Ok(Outcome { lines, usage, generator_cpu: Duration::ZERO })
}

/// The first complaint. Where a thread has panicked says nothing to others, and has paths of this machine.
fn reason(complaints: &str) -> String {
    let mut lines = complaints.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with("thread '"));
    first.unwrap_or("without a word").chars().take(200).collect()
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
    unsafe { command.pre_exec(move || pin(number)) };
}

/// Has the calling OS thread run there and nowhere else.
pub fn pin(processor: usize) -> io::Result<()> {
    // SAFETY: a set of zeros is one, and lives during the call.
    let result = unsafe {
        let mut set: libc::cpu_set_t = mem::zeroed();
        libc::CPU_SET(processor, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &set)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Waits for the end; says how it ended and what the whole process has used.
pub fn wait(child: Child) -> io::Result<(ExitStatus, Usage)> {
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
    Ok((ExitStatus::from_raw(status), usage))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(script: &str) -> Result<Outcome, Box<dyn Error>> {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        limited(shell.spawn().unwrap(), Duration::from_millis(1500), finish)
    }

    #[test]
    fn what_a_peer_prints_is_read() {
        let outcome =
            of(r"printf 'late p50\t5.5\tns\t7\tapart 0%%\t50:5.5 99:9\ncpu\t1\tns\t1\t\n'").unwrap();
        let [late, cpu] = &outcome.lines[..] else { panic!("{outcome:?}") };
        assert_eq!((&*late.metric, late.value, &*late.unit, late.cpu), ("late p50", 5.5, "ns", 7.0));
        assert_eq!((&*late.note, &*late.distribution), ("apart 0%", "50:5.5 99:9"));
        assert_eq!((&*cpu.metric, &*cpu.distribution), ("cpu", ""));
        assert!(outcome.usage.max_rss > 0);
        assert!(of("echo hello").unwrap_err().to_string().contains("not a measurement"));
    }

    #[test]
    fn a_peer_that_fails_says_why() {
        let error = of(
            r#"echo; echo "thread 'a' panicked at b.rs" >&2; echo 'no memory' >&2; echo more >&2; exit 101"#,
        )
        .unwrap_err();
        assert_eq!(error.to_string(), "exit status: 101, no memory");
        assert_eq!(of("kill -9 $$").unwrap_err().to_string(), "signal: 9 (SIGKILL), without a word");
        let error = of("exec sleep 60").unwrap_err();
        assert_eq!(error.to_string(), "stopped, since it took more than 1.5 s");
        assert_eq!(Line::failed("two\n\tlines").note, "two lines");
    }
}
