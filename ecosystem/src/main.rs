//! Crates of others, unmodified, on green threads: which work, how, and what it costs.
//!
//! Each exam is run in several ways, each time in a process of its own: see `measure`. The servers
//! that exams need are started here, and ended.

mod exams;
mod libpq;
mod measure;
mod servers;

use std::{env, process::ExitCode};

use ecosystem_common::{is_asked, servers::Servers, table::Table, version};
use exams::EXAMS;
use measure::Way;
use servers::Server;

// For the whole program; only threads with thread-locals of their own notice it.
greenthread_foreign::install!();

const USAGE: &str = "\
usage: ecosystem [--threads N] [--way WAY].. [--markdown PAGE] [NAME]..
  NAME             only exams whose name contains this
  --threads N      how many threads call at once (100), where an exam sets no limit
  --way WAY        only these: std, unblock, foreign
  --markdown PAGE  puts the table into this page too
";

/// What one crate is asked to do.
pub(crate) struct Exam {
    /// The name of the crate, as in `Cargo.lock`, or of something else.
    pub(crate) name: &'static str,
    /// What each thread does.
    pub(crate) what: &'static str,
    pub(crate) server: Option<Server>,
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
    let (mut threads, mut ways, mut names, mut page) = (100, Vec::new(), Vec::new(), None);
    while let Some(argument) = arguments.next() {
        let set = match argument.as_str() {
            "--one" => return one(arguments.collect()),
            "--threads" => {
                arguments.next().and_then(|number| number.parse().ok()).map(|number| threads = number)
            }
            "--way" => arguments.next().and_then(|name| Way::of(&name)).map(|way| ways.push(way)),
            "--markdown" => arguments.next().map(|path| page = Some(path)),
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
    if ways.is_empty() {
        ways.extend(Way::ALL);
    }
    let (table, mut has_failed) = table(threads, &ways, &names);
    if let Some(Err(error)) = page.map(|page| table.write(&page, "blocking")) {
        println!("{error}");
        has_failed = true;
    }
    if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn refuse() -> ExitCode {
    eprint!("{USAGE}");
    ExitCode::from(2)
}

/// Measures one exam in this process, and prints the figures.
fn one(arguments: Vec<String>) -> ExitCode {
    let [name, way, threads, address] = &arguments[..] else { return refuse() };
    let exam = EXAMS.iter().find(|exam| exam.name == name);
    match (exam, Way::of(way), threads.parse()) {
        (Some(exam), Some(way), Ok(threads)) => {
            println!("{}", way.measure(exam, threads, address));
            ExitCode::SUCCESS
        }
        _ => refuse(),
    }
}

/// Prints a table of all exams that are asked for, and says whether one has failed.
fn table(threads: usize, ways: &[Way], names: &[String]) -> (Table, bool) {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let title = format!(
        "Threads that call at once, on {processors} processors. Green ones are on one worker. Of each way: milliseconds \
         until all calls have returned / of processor time / MiB of memory at most."
    );
    let mut columns = vec![("crate", -12), ("version", -9), ("threads", 7)];
    columns.extend(ways.iter().map(|way| (way.name(), 20)));
    columns.push(("each thread", -1));
    let mut table = Table::new(title, columns);
    let mut servers = Servers::default();
    let mut has_failed = false;
    for exam in EXAMS.iter().filter(|exam| is_asked(exam.name, names)) {
        let address = match exam.server.map_or(Ok(String::new()), |server| server.address(&mut servers)) {
            Ok(address) => address,
            Err(error) => {
                table.note(format!("{} is not run: {error}", exam.name));
                has_failed = true;
                continue;
            }
        };
        let threads = threads.min(exam.most);
        let version = version(exam.name, include_str!("../Cargo.lock"));
        let mut row = vec![exam.name.to_owned(), version.to_owned(), threads.to_string()];
        let mut errors = Vec::new();
        for way in ways {
            row.push(match measure::elsewhere(exam, *way, threads, &address) {
                Ok(figures) => figures.to_string(),
                Err(error) => {
                    errors.push(format!("{}, {}: {error}", exam.name, way.name()));
                    "fails".to_owned()
                }
            });
        }
        row.push(exam.what.to_owned());
        table.row(row);
        has_failed |= !errors.is_empty();
        errors.into_iter().for_each(|error| table.note(error));
    }
    (table, has_failed)
}
