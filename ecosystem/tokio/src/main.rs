//! Crates that need tokio, unmodified, on green threads. Each exam has thousands of green threads,
//! each of which makes calls by `block_on`. Real servers are started here, and ended.

#![cfg(unix)]

mod databases;
mod exams;
mod measure;
mod soak;

use std::{
    env,
    process::ExitCode,
    sync::atomic::AtomicUsize,
    time::{Duration, Instant},
};

use ecosystem_common::{is_asked, processor_time, servers::Servers, version};
use greenthread::Runtime;
use greenthread_tokio::RuntimeExt;

const USAGE: &str = "\
usage: ecosystem-tokio [--threads N] [--calls N] [--workers N] [NAME]..
       ecosystem-tokio --measure ROUNDS
  NAME         only exams whose name contains this
  --threads N  how many green threads call at once (1000)
  --calls N    how many calls each of them makes (10)
  --workers N  how many workers there are (2)
  --soak N     all exams at once, for so many seconds, on one runtime
  --measure N  the processor time of a request, on tokio alone and under greenthread-tokio, N times in turn, by wrk
";

const LOCK: &str = include_str!("../Cargo.lock");

/// What is asked of each exam.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    threads: usize,
    calls: usize,
    workers: usize,
    /// Threads go on calling until then.
    until: Option<Instant>,
    /// Counts the calls that have returned without an error.
    made: &'static AtomicUsize,
}

fn main() -> ExitCode {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let mut asked = Asked { threads: 1000, calls: 10, workers: 2, until: None, made: &MADE };
    let mut soak = None;
    let mut names = Vec::new();
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|number| number.parse::<usize>().ok());
        let set = match argument.as_str() {
            "--threads" => number().map(|number| asked.threads = number),
            "--calls" => number().map(|number| asked.calls = number),
            "--workers" => number().map(|number| asked.workers = number),
            "--soak" => number().map(|seconds| soak = Some(Duration::from_secs(seconds as u64))),
            "--measure" => return number().map_or_else(refuse, measure::table),
            "--serve" => return arguments.next().map_or_else(refuse, |way| measure::serve(&way)),
            name if !name.starts_with('-') => {
                names.push(name.to_owned());
                Some(())
            }
            _ => None,
        };
        if set.is_none() {
            return refuse();
        }
    }
    match soak {
        Some(time) => soak::table(asked, time, &names),
        None => table(asked, &names),
    }
}

fn refuse() -> ExitCode {
    eprint!("{USAGE}");
    ExitCode::from(2)
}

/// Holds all exams that are asked for, each on a runtime of its own, and prints a table.
fn table(asked: Asked, names: &[String]) -> ExitCode {
    let Asked { threads, calls, workers, .. } = asked;
    println!("{threads} green threads on {workers} workers, {calls} calls each");
    println!("{:<17} {:<9} {:>8} {:>8} {:>8} {:>8}", "crate", "version", "ms", "cpu ms", "us/call", "errors");
    let mut servers = Servers::default();
    let mut has_failed = false;
    for exam in exams::EXAMS.iter().filter(|exam| is_asked(exam.name, names)) {
        let name = format!("{:<17} {:<9}", exam.name, version(exam.name, LOCK));
        let address = match exam.server.map_or(Ok(String::new()), |kind| servers.address(kind)) {
            Ok(address) => address,
            Err(error) => {
                println!("{name} not run: {error}");
                has_failed = true;
                continue;
            }
        };
        let runtime = match Runtime::builder().workers(workers).tokio().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                println!("{name} no runtime: {error}");
                return ExitCode::FAILURE;
            }
        };
        let (begin, used) = (Instant::now(), processor_time());
        let errors = runtime.run(|| (exam.run)(asked, &address));
        let (took, used) = (begin.elapsed(), processor_time() - used);
        let each = used.as_secs_f64() * 1e6 / (threads * calls) as f64;
        println!("{name} {:>8} {:>8} {each:>8.1} {:>8}", took.as_millis(), used.as_millis(), errors.len());
        // All green threads have ended, and then tokio's tasks are dropped.
        let has_ended = runtime.shutdown_timeout(Duration::from_secs(30));
        if let Some(error) = errors.first() {
            println!("{:<17} the first: {error}", "");
        }
        if !has_ended {
            println!("{:<17} some threads have not ended", "");
        }
        has_failed |= !errors.is_empty() || !has_ended;
    }
    if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
