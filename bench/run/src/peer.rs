//! One measurement: a peer's process from start to end.

use std::error::Error;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;
use std::{io, mem, thread};

use crate::works::Row;

/// A peer that takes longer is stopped.
const LIMIT: Duration = Duration::from_secs(120);

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    pub lines: Vec<Line>,
    /// CPU time of the peer's process, from its birth to its end.
    pub cpu: Duration,
    /// CPU time of whoever asked an HTTP server.
    pub generator_cpu: Duration,
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
}

pub fn program(bin: &Path, peer: &str) -> PathBuf {
    bin.join(match peer {
        "greenthread" | "greenthread-context" => "peer-greenthread",
        "tokio-ct" | "tokio-mt" | "tokio-2ct" => "peer-tokio",
        "may" => "peer-may",
        "std" => "peer-std",
        "corosensei" => "peer-corosensei",
        "go" => "peer-go",
        other => panic!("works.tsv names a peer {other:?} that has no program"),
    })
}

/// Builds Go's peer beside the others. The sources lie where this file lay when it was compiled.
pub fn build_go(go: &Path, bin: &Path) -> Result<(), Box<dyn Error>> {
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/../peers/go");
    let program = program(bin, "go");
    let _ = std::fs::remove_file(&program);
    let version = Command::new(go).arg("version").output()?;
    let status = Command::new(go).arg("build").arg("-o").arg(&program).current_dir(sources).status()?;
    println!("{}", String::from_utf8_lossy(&version.stdout).trim());
    if status.success() { Ok(()) } else { Err("its build failed".into()) }
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
    let mut child = command(bin, peer, row, seconds).spawn()?;
    let (ended, end) = channel::<()>();
    let pid = child.id() as libc::pid_t;
    let limit = thread::spawn(move || {
        if end.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
            // SAFETY: the child has not been waited for yet, so that its id is still its own.
            unsafe { libc::kill(pid, libc::SIGKILL) };
        }
    });
    let mut text = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut text)?;
    drop(ended);
    limit.join().expect("no panic");
    let (status, cpu) = wait(child)?;
    if status != 0 {
        return Err(format!("wait status {status:#x}").into());
    }
    let lines = text.lines().map(|line| parse(line).ok_or_else(|| format!("not a measurement: {line:?}")));
    Ok(Outcome { lines: lines.collect::<Result<_, _>>()?, cpu, generator_cpu: Duration::ZERO })
}

fn parse(line: &str) -> Option<Line> {
    let mut fields = line.split('\t');
    let mut next = || fields.next();
    Some(Line {
        metric: next()?.to_owned(),
        value: next()?.parse().ok()?,
        unit: next()?.to_owned(),
        cpu: next()?.parse().ok()?,
        note: next()?.to_owned(),
    })
}

/// The HTTP server: it runs on processor 0, wrk asks from processor 1.
pub fn serve(bin: &Path, peer: &str, row: &Row, seconds: u32) -> Result<Outcome, Box<dyn Error>> {
    let mut server = on_processor(0, command(bin, peer, row, 0.0)).spawn()?;
    let asked = ask(&mut server, row.threads, seconds);
    // SAFETY: the child has not been waited for yet.
    unsafe { libc::kill(server.id() as libc::pid_t, libc::SIGTERM) };
    let (_, cpu) = wait(server)?;
    let (lines, generator_cpu) = asked?;
    Ok(Outcome { lines, cpu, generator_cpu })
}

fn ask(
    server: &mut Child,
    connections: usize,
    seconds: u32,
) -> Result<(Vec<Line>, Duration), Box<dyn Error>> {
    let mut first = String::new();
    BufReader::new(server.stdout.as_mut().expect("piped")).read_line(&mut first)?;
    let port = first.trim().strip_prefix("listening\t").ok_or("the server doesn't listen")?;

    let (_, warm_up) = wrk(port, connections, 1)?;
    let before = cpu_of(server)?;
    let (requests, generator) = wrk(port, connections, seconds)?;
    let cpu = cpu_of(server)? - before;

    let per_request = cpu.as_nanos() as f64 / requests as f64;
    let busy = format!("server busy {:.0}%", 100.0 * cpu.as_secs_f64() / seconds as f64);
    let line = |metric: &str, value, unit: &str, note| Line {
        metric: metric.to_owned(),
        value,
        unit: unit.to_owned(),
        cpu: per_request,
        note,
    };
    let rate = requests as f64 / seconds as f64;
    Ok((
        vec![line("cpu", per_request, "ns", busy), line("rate", rate, "per s", String::new())],
        warm_up + generator,
    ))
}

/// Asks for some seconds; says how many requests were answered and what CPU time that took the generator.
fn wrk(port: &str, connections: usize, seconds: u32) -> Result<(u64, Duration), Box<dyn Error>> {
    let mut command = Command::new("wrk");
    command.arg("-t1").arg(format!("-c{connections}")).arg(format!("-d{seconds}s"));
    command.arg(format!("http://127.0.0.1:{port}/plaintext")).stdout(Stdio::piped());
    let mut child = on_processor(1, command).spawn().map_err(|error| format!("wrk: {error}"))?;
    let mut text = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut text)?;
    let (_, cpu) = wait(child)?;
    if text.contains("Socket errors") || text.contains("Non-2xx") {
        return Err(format!("wrk saw errors:\n{text}").into());
    }
    let requests = text.lines().find_map(|line| line.split_once(" requests in "));
    let (requests, _) = requests.ok_or_else(|| format!("wrk said:\n{text}"))?;
    Ok((requests.trim().parse()?, cpu))
}

fn on_processor(number: usize, mut command: Command) -> Command {
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
    command
}

/// The CPU time that a running process has used so far.
fn cpu_of(child: &Child) -> io::Result<Duration> {
    let mut clock = 0;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: both write to the places given.
    let ok = unsafe {
        libc::clock_getcpuclockid(child.id() as libc::pid_t, &mut clock) == 0
            && libc::clock_gettime(clock, &mut time) == 0
    };
    if ok {
        Ok(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Waits for the end; says how it ended and what CPU time the whole process took.
fn wait(child: Child) -> io::Result<(i32, Duration)> {
    let mut status = 0;
    // SAFETY: a rusage of zeros is one.
    let mut usage: libc::rusage = unsafe { mem::zeroed() };
    // SAFETY: both places are valid. `Child` is taken by value, so nobody waits for it again.
    if unsafe { libc::wait4(child.id() as libc::pid_t, &mut status, 0, &mut usage) } < 0 {
        return Err(io::Error::last_os_error());
    }
    let duration = |t: libc::timeval| Duration::new(t.tv_sec as u64, 1000 * t.tv_usec as u32);
    Ok((status, duration(usage.ru_utime) + duration(usage.ru_stime)))
}
