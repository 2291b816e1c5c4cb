//! Crates of others, unmodified, on green threads: which work, how, and what it costs.
//!
//! Each exam is run in several ways, each time in a process of its own: see `measure`. The servers
//! that exams need are started here, and ended.

mod blocking;
mod measure;
mod servers;

use std::{env, process::ExitCode};

use measure::{Figures, Way};
use servers::{Kind, Servers};

// For the whole program; only threads with thread-locals of their own notice it.
greenthread_foreign::install!();

const USAGE: &str = "\
usage: ecosystem [--threads N] [--way WAY].. [NAME]..
  NAME         only exams whose name contains this
  --threads N  how many threads call at once (100), where an exam sets no limit
  --way WAY    only these: std, unblock, foreign
Columns: milliseconds until all calls have returned, of processor time, and the most memory that the process had, in MiB.
";

/// What one crate is asked to do.
pub(crate) struct Exam {
    /// The name of the crate, as in `Cargo.lock`, or of something else.
    pub(crate) name: &'static str,
    /// What each thread does.
    pub(crate) what: &'static str,
    pub(crate) server: Option<Kind>,
    /// How many threads there are at most.
    pub(crate) most: usize,
    /// Makes what the threads call, with their number, from the server's address and the number of
    /// threads.
    pub(crate) prepare: fn(&str, usize) -> Call,
}

/// What each thread calls.
pub(crate) type Call = Box<dyn Fn(usize) + Send + Sync>;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let (mut threads, mut ways, mut names) = (100, Vec::new(), Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--one" => return one(arguments.collect()),
            "--threads" => match arguments.next().and_then(|number| number.parse().ok()) {
                Some(number) => threads = number,
                None => return refuse(),
            },
            "--way" => match arguments.next().and_then(|name| Way::of(&name)) {
                Some(way) => ways.push(way),
                None => return refuse(),
            },
            name if !name.starts_with('-') => names.push(name.to_owned()),
            _ => return refuse(),
        }
    }
    if ways.is_empty() {
        ways.extend(Way::ALL);
    }
    table(threads, &ways, &names)
}

fn refuse() -> ExitCode {
    eprint!("{USAGE}");
    ExitCode::from(2)
}

/// Measures one exam in this process, and prints the figures.
fn one(arguments: Vec<String>) -> ExitCode {
    let [name, way, threads, address] = &arguments[..] else { return refuse() };
    let exam = blocking::EXAMS.iter().find(|exam| exam.name == name);
    match (exam, Way::of(way), threads.parse()) {
        (Some(exam), Some(way), Ok(threads)) => {
            println!("{}", way.measure(exam, threads, address));
            ExitCode::SUCCESS
        }
        _ => refuse(),
    }
}

/// Prints a table of all exams that are asked for.
fn table(threads: usize, ways: &[Way], names: &[String]) -> ExitCode {
    let asked = |exam: &&Exam| names.is_empty() || names.iter().any(|name| exam.name.contains(name.as_str()));
    let mut servers = Servers::default();
    let mut has_failed = false;
    println!(
        "{:<12} {:<9} {:>7} {:<9} {:>8} {:>8} {:>6}",
        "crate", "version", "threads", "way", "ms", "cpu ms", "MiB"
    );
    for exam in blocking::EXAMS.iter().filter(asked) {
        println!("  {}", exam.what);
        let address = match exam.server.map_or(Ok(String::new()), |kind| servers.address(kind)) {
            Ok(address) => address,
            Err(error) => {
                println!("{:<12} not run: {error}", exam.name);
                has_failed = true;
                continue;
            }
        };
        let threads = threads.min(exam.most);
        for way in ways {
            let row = format!("{:<12} {:<9} {threads:>7} {:<9}", exam.name, version(exam.name), way.name());
            match measure::elsewhere(exam, *way, threads, &address) {
                Ok(Figures { millis, processor, memory }) => {
                    println!("{row} {millis:>8} {processor:>8} {:>6}", memory / 1024);
                }
                Err(error) => {
                    println!("{row} FAILED: {error}");
                    has_failed = true;
                }
            }
        }
    }
    if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The version of a crate, from `Cargo.lock`, if it is one.
fn version(name: &str) -> &'static str {
    const LOCK: &str = include_str!("../Cargo.lock");
    let entry = format!("name = \"{name}\"\nversion = \"");
    LOCK.split_once(&entry).and_then(|(_, rest)| rest.split('"').next()).unwrap_or("-")
}
