//! Runs the peers in turn (A B C, A B C, …) over the work list, and prints medians, spreads and
//! ratios; or writes the report.

use std::env;
use std::error::Error;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

mod ask;
mod foreign;
mod line;
mod machine;
mod options;
mod peer;
mod plot;
mod process;
mod quiet;
mod report;
mod results;
mod stats;
mod table;
mod target;
mod verdict;
mod works;

use line::Line;
use options::Options;
use process::Usage;
use quiet::{Condition, Pace};
use results::{Sample, Writer};
use works::Row;

/// The most times that a measurement is taken. The least disturbed one counts.
const TRIES: usize = 3;
/// The longest wait for quiet processors before each.
const WAIT: Duration = Duration::from_secs(1);

fn main() -> Result<(), Box<dyn Error>> {
    let Some(options) = options::read()? else { return Ok(()) };
    let bin = env::current_exe()?.parent().ok_or("the runner lies in a folder")?.to_owned();
    let last = bin.with_file_name("results.tsv");
    if options.list {
        works::rows().iter().for_each(|row| println!("{}: {}", row.title(), row.peers.join(" ")));
        Ok(())
    } else if options.report {
        let from = options.from.as_ref().unwrap_or(&last);
        let to = options.to.clone().unwrap_or_else(bench_folder);
        report::write(from, &to, &works::rows())
    } else {
        measure_all(options, &bin, &last)
    }
}

/// The folder of the bench.
fn bench_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a folder of the bench").to_owned()
}

fn measure_all(mut options: Options, bin: &Path, last: &Path) -> Result<(), Box<dyn Error>> {
    let begin = Instant::now();
    let mut facts = machine::facts();
    let mut build = |peer: &str, name: &str, build: &dyn Fn() -> Result<String, Box<dyn Error>>| {
        if is_asked(&options, peer) {
            match build() {
                Ok(version) => facts.push((name.to_owned(), version)),
                Err(reason) => println!("{name} is left out: {reason}"),
            }
        }
    };
    build("go", "Go", &|| foreign::build_go(&options.go, bin));
    build("boost", "Boost.Fiber", &|| foreign::build_boost(&options.cxx, bin));
    facts.push(("repeats".to_owned(), options.repeats.to_string()));
    for (key, value) in &facts {
        println!("{key}: {value}");
    }

    machine::raise_limits();
    let rows = chosen(&options, bin)?;
    if rows.iter().any(|row| row.work.starts_with("files")) {
        bench_common::files::make_data()?;
    }
    let out = options.out.clone().unwrap_or_else(|| last.to_owned());
    let mut writer = Writer::create(&out, options.keep, &rows)?;
    writer.begin(&machine::date(), &facts)?;
    let mut pace = Pace::new();
    let mut samples = Vec::new();
    let each = rows.iter().map(|row| row.peers.len()).sum::<usize>();
    let mut done = 0;
    for repeat in 0..options.repeats {
        for (number, row) in rows.iter().enumerate() {
            for peer in &row.peers {
                done += 1;
                progress(&format!("{done}/{} {}: {peer} ", each * options.repeats, row.title()));
                // A peer that has hung once is not waited for again.
                let hangs = |sample: &Sample| {
                    sample.row == number && sample.peer == *peer && sample.line.was_stopped()
                };
                if samples.iter().any(hangs) {
                    continue;
                }
                let taken = measure(&mut options, &mut pace, bin, row, peer);
                for line in taken.lines {
                    let Taken { usage, condition, .. } = taken;
                    let sample =
                        Sample { run: 0, row: number, peer: peer.clone(), repeat, line, usage, condition };
                    writer.sample(row, &sample)?;
                    samples.push(sample);
                }
            }
        }
        progress("");
        println!("repeat {} of {}: {} s", repeat + 1, options.repeats, begin.elapsed().as_secs());
    }
    let took = format!("{:.1} minutes", begin.elapsed().as_secs_f64() / 60.0);
    writer.fact("took", &took)?;
    table::print(&rows, &samples);
    println!("\nThat took {took}. Every measurement is in {}.", out.display());
    Ok(())
}

/// The works that are to be done, with the peers that are there.
fn chosen(options: &Options, bin: &Path) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut rows = works::rows();
    if let Some(text) = options.works.iter().find(|text| !rows.iter().any(|row| row.title().contains(*text)))
    {
        return Err(format!("no work's title contains {text:?}; --list shows them").into());
    }
    let has_wrk = machine::has_wrk();
    if !has_wrk {
        println!("http is left out: there is no `wrk` on PATH; Debian has it in the package wrk");
    }
    let wanted = |row: &Row| {
        let named = options.works.is_empty() || options.works.iter().any(|text| row.title().contains(text));
        named && (has_wrk || row.work != "http")
    };
    rows.retain(wanted);
    for row in &mut rows {
        row.peers.retain(|peer| is_asked(options, peer) && peer::program(bin, peer).exists());
    }
    Ok(rows)
}

/// Whether a peer is to take part, if it is there.
fn is_asked(options: &Options, peer: &str) -> bool {
    options.peers.is_empty() || stats::is_ours(peer) || options.peers.iter().any(|asked| asked == peer)
}

/// A measurement that has been taken.
struct Taken {
    lines: Vec<Line>,
    usage: Usage,
    condition: Condition,
}

/// Takes a measurement, again if it was disturbed, until `--patience` is used up. A failure is a
/// measurement too.
fn measure(options: &mut Options, pace: &mut Pace, bin: &Path, row: &Row, name: &str) -> Taken {
    let mut best = take(options, pace, bin, row, name);
    let mut last = best.condition;
    for _ in 1..TRIES {
        if last.is_quiet() || options.patience.is_zero() {
            break;
        }
        let begin = Instant::now();
        if last.others >= quiet::DISTURBED {
            quiet::wait_for_others(options.patience);
        }
        let again = take(options, pace, bin, row, name);
        options.patience = options.patience.saturating_sub(begin.elapsed());
        last = again.condition;
        if last.disturbance() < best.condition.disturbance() {
            best = again;
        }
    }
    best
}

fn take(options: &Options, pace: &mut Pace, bin: &Path, row: &Row, name: &str) -> Taken {
    let before = pace.wait_until_quiet(WAIT.min(options.patience));
    let watch = quiet::Watch::start();
    let outcome = match ask::asker(row) {
        Some(asker) => peer::serve(bin, name, row, &asker, options.serve_seconds),
        None => peer::run(bin, name, row, options.seconds),
    };
    match outcome {
        Ok(outcome) => {
            let others = watch.foreign(outcome.usage.cpu + outcome.generator_cpu);
            let condition = Condition { others, pace: before.max(pace.now()) };
            Taken { lines: outcome.lines, usage: outcome.usage, condition }
        }
        Err(error) => {
            println!("{}: {name} has failed: {error}", row.title());
            let lines = vec![Line::failed(&error.to_string())];
            Taken { lines, usage: Usage::default(), condition: Condition::UNKNOWN }
        }
    }
}

/// A line that replaces the last one, on a terminal.
fn progress(line: &str) {
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[K{line}");
    }
}
