//! Runs the peers in turn (A B C, A B C, …) over the work list and prints medians, spreads and ratios.

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

mod ask;
mod foreign;
mod machine;
mod peer;
mod table;
mod works;

use peer::{Line, Outcome, Usage};
use works::Row;

const USAGE: &str = "\
usage: run [OPTIONS]
  --repeats N        how often each measurement is taken (9)
  --seconds S        how long each one measures at least (0.3)
  --serve-seconds S  how long a server is asked (3)
  --only TEXT        only works whose title contains TEXT; may be given several times
  --peer NAME        only this peer and ours; may be given several times
  --go PATH          the go command (default: `go` on PATH; without it Go is left out)
  --cxx PATH         the C++ compiler (default: `c++` on PATH; without it, or Boost.Fiber's headers, that is left out)
  --patience MIN     how long to wait in all for others to leave the machine alone, in minutes (30)
  --out FILE         also write every single measurement to FILE, as TSV
";

struct Options {
    repeats: usize,
    seconds: f64,
    serve_seconds: u32,
    only: Vec<String>,
    peers: Vec<String>,
    go: PathBuf,
    cxx: PathBuf,
    patience: Duration,
    out: Option<PathBuf>,
}

/// One line that a peer printed, or what the runner itself has measured of it.
#[derive(Debug)]
struct Sample {
    row: usize,
    repeat: usize,
    peer: String,
    line: Line,
    /// Of the whole process.
    usage: Usage,
    /// How many processors others had meanwhile.
    others: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut options = options()?;
    let bin = env::current_exe()?.parent().ok_or("the runner lies in a folder")?.to_owned();
    println!("{}", machine::describe());
    for (peer, built) in [
        ("Go", foreign::build_go(&options.go, &bin)),
        ("Boost.Fiber", foreign::build_boost(&options.cxx, &bin)),
    ] {
        match built {
            Ok(version) => println!("{version}"),
            Err(reason) => println!("{peer} is left out: {reason}"),
        }
    }

    machine::raise_limits();
    bench_common::files::make_data()?;
    let mut rows = works::rows();
    rows.retain(|row| options.only.is_empty() || options.only.iter().any(|text| row.title().contains(text)));
    for row in &mut rows {
        row.peers.retain(|peer| {
            let asked =
                options.peers.is_empty() || peer.starts_with("greenthread") || options.peers.contains(peer);
            asked && peer::program(&bin, peer).exists()
        });
    }

    let mut raw = options.out.as_deref().map(Raw::create).transpose()?;
    let mut samples = Vec::new();
    for repeat in 0..options.repeats {
        for (number, row) in rows.iter().enumerate() {
            for peer in &row.peers {
                progress(&format!("{}/{} {}: {peer} ", repeat + 1, options.repeats, row.title()));
                let (outcome, others) = match measure(&mut options, &bin, row, peer) {
                    Ok(outcome) => outcome,
                    Err(error) => {
                        eprintln!("{}: {peer} failed: {error}", row.title());
                        continue;
                    }
                };
                for line in outcome.lines {
                    let peer = peer.clone();
                    let sample = Sample { row: number, repeat, peer, line, usage: outcome.usage, others };
                    if let Some(raw) = &mut raw {
                        raw.write(row, &sample)?;
                    }
                    samples.push(sample);
                }
            }
        }
    }
    progress("");

    table::print(&rows, &samples);
    Ok(())
}

/// Takes a measurement, again if others have used the processors meanwhile, as long as the patience lasts. Says how many
/// processors they had.
fn measure(
    options: &mut Options,
    bin: &Path,
    row: &Row,
    name: &str,
) -> Result<(Outcome, f64), Box<dyn Error>> {
    loop {
        let watch = machine::Watch::start();
        let mut outcome = match ask::asker(row) {
            Some(asker) => peer::serve(bin, name, row, &asker, options.serve_seconds)?,
            None => peer::run(bin, name, row, options.seconds)?,
        };
        let others = watch.foreign(outcome.usage.cpu + outcome.generator_cpu);
        if others < 0.1 {
            return Ok((outcome, others));
        }
        if options.patience.is_zero() {
            outcome.lines.iter_mut().for_each(|line| line.note += " disturbed");
            return Ok((outcome, others));
        }
        let begin = Instant::now();
        machine::wait_until_quiet(options.patience);
        options.patience = options.patience.saturating_sub(begin.elapsed());
    }
}

/// One line that replaces itself, for those who watch.
fn progress(line: &str) {
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[K{line}");
    }
}

const COLUMNS: &str = "work\tworkers\tthreads\tn\tpeer\trepeat\tmetric\tvalue\tunit\tcpu_ns\t\
    process_cpu_s\tvoluntary\tinvoluntary\tmax_rss_kib\tothers\tnote\tdistribution";

/// Every single measurement, written as it comes.
struct Raw(fs::File);

impl Raw {
    fn create(path: &Path) -> io::Result<Raw> {
        let mut file = fs::File::create(path)?;
        writeln!(file, "{COLUMNS}")?;
        Ok(Raw(file))
    }

    fn write(&mut self, row: &Row, sample: &Sample) -> io::Result<()> {
        let Row { work, workers, threads, n, .. } = row;
        let Sample { peer, repeat, line, usage, others, .. } = sample;
        let Line { metric, value, unit, cpu, note, distribution } = line;
        let Usage { cpu: process_cpu, voluntary, involuntary, max_rss } = usage;
        write!(
            self.0,
            "{work}\t{workers}\t{threads}\t{n}\t{peer}\t{repeat}\t{metric}\t{value}\t{unit}\t{cpu}"
        )?;
        write!(self.0, "\t{:.3}\t{voluntary}\t{involuntary}\t{max_rss}", process_cpu.as_secs_f64())?;
        writeln!(self.0, "\t{others:.3}\t{note}\t{distribution}")
    }
}

fn options() -> Result<Options, lexopt::Error> {
    use lexopt::prelude::*;
    let mut options = Options {
        repeats: 9,
        seconds: 0.3,
        serve_seconds: 3,
        only: Vec::new(),
        peers: Vec::new(),
        go: "go".into(),
        cxx: "c++".into(),
        patience: Duration::from_secs(30 * 60),
        out: None,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("repeats") => options.repeats = parser.value()?.parse()?,
            Long("seconds") => options.seconds = parser.value()?.parse()?,
            Long("serve-seconds") => options.serve_seconds = parser.value()?.parse()?,
            Long("only") => options.only.push(parser.value()?.string()?),
            Long("peer") => options.peers.push(parser.value()?.string()?),
            Long("go") => options.go = parser.value()?.into(),
            Long("cxx") => options.cxx = parser.value()?.into(),
            Long("patience") => options.patience = Duration::from_secs(60 * parser.value()?.parse::<u64>()?),
            Long("out") => options.out = Some(parser.value()?.into()),
            Long("help") | Short('h') => {
                print!("{USAGE}");
                std::process::exit(0);
            }
            _ => return Err(arg.unexpected()),
        }
    }
    Ok(options)
}
