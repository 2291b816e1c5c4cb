//! One measurement: a peer's process from start to end.

use std::error::Error;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::ask::{Asker, ask};
use crate::line::{Line, STOPPED, parse};
use crate::process::{Usage, on_processor, wait};
use crate::works::Row;

/// A peer that takes longer is stopped. The slowest one needs twenty seconds.
const LIMIT: Duration = Duration::from_secs(50);

/// The outcome.
#[derive(Debug)]
pub struct Outcome {
    pub lines: Vec<Line>,
    pub usage: Usage,
    /// The CPU time of the load generator, if the work is a server.
    pub generator_cpu: Duration,
}

/// Several peers may be one program. Its name is the beginning of theirs.
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

/// Runs a server that a load generator asks (`ask`). It ends when its input does, and may print its
/// own measurements. It runs on processor 0, if it has one worker.
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

/// Works with a process until its end. A process that takes too long is stopped, which is an error.
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
            // SAFETY: a signal to a number. It is the child's own until `work` has waited for it,
            // after which `ended` falls.
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

/// Its output until its end.
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

/// The first complaint. The place of a panic is left out: it has paths of this machine.
fn reason(complaints: &str) -> String {
    let mut lines = complaints.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with("thread '"));
    first.unwrap_or("without a word").chars().take(200).collect()
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
