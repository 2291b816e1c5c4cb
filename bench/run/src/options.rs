//! The command line.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

pub const USAGE: &str = "\
usage: cargo xtask bench [WORK].. [OPTIONS]
       cargo xtask bench --report [--from FILE] [--to FOLDER]

Runs the works whose titles contain one of these texts, or all, by all peers in turn, and prints tables.
  --repeats N        how often each measurement is taken (5)
  --seconds S        how long each one measures at least (0.3)
  --serve-seconds S  how long a server is asked (3)
  --peer NAME        only this peer and ours; may be given several times
  --go PATH          the go command (default: $GO, or `go` on PATH; without it Go is left out)
  --cxx PATH         the C++ compiler (default: $CXX, or `c++` on PATH; without it, or the headers, Boost.Fiber is left out)
  --patience MIN     how long to wait in all for others to leave the machine alone, in minutes (30)
  --out FILE         where every single measurement is written, as TSV (bench/target/results.tsv)
  --keep             what that file holds of other works stays in it
  --list             the titles, and the peers of each

Writes RESULTS.md, its plots, and results.tsv beside them.
  --from FILE        from these measurements (those of the last run)
  --to FOLDER        into this folder (bench)
";

#[derive(Debug)]
pub struct Options {
    pub works: Vec<String>,
    pub repeats: usize,
    pub seconds: f64,
    pub serve_seconds: u32,
    pub peers: Vec<String>,
    pub go: PathBuf,
    pub cxx: PathBuf,
    pub patience: Duration,
    pub out: Option<PathBuf>,
    pub keep: bool,
    pub list: bool,
    pub report: bool,
    pub from: Option<PathBuf>,
    pub to: Option<PathBuf>,
}

/// Parses the command line. `None` if it asked for help, which has been printed.
pub fn read() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let program = |variable, usual: &str| env::var_os(variable).map_or_else(|| usual.into(), PathBuf::from);
    let mut options = Options {
        works: Vec::new(),
        repeats: 5,
        seconds: 0.3,
        serve_seconds: 3,
        peers: Vec::new(),
        go: program("GO", "go"),
        cxx: program("CXX", "c++"),
        patience: Duration::from_secs(30 * 60),
        out: None,
        keep: false,
        list: false,
        report: false,
        from: None,
        to: None,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Value(work) => options.works.push(work.string()?),
            Long("repeats") => options.repeats = parser.value()?.parse()?,
            Long("seconds") => options.seconds = parser.value()?.parse()?,
            Long("serve-seconds") => options.serve_seconds = parser.value()?.parse()?,
            Long("peer") => options.peers.push(parser.value()?.string()?),
            Long("go") => options.go = parser.value()?.into(),
            Long("cxx") => options.cxx = parser.value()?.into(),
            Long("patience") => options.patience = Duration::from_secs(60 * parser.value()?.parse::<u64>()?),
            Long("out") => options.out = Some(parser.value()?.into()),
            Long("keep") => options.keep = true,
            Long("list") => options.list = true,
            Long("report") => options.report = true,
            Long("from") => options.from = Some(parser.value()?.into()),
            Long("to") => options.to = Some(parser.value()?.into()),
            Long("help") | Short('h') => {
                print!("{USAGE}");
                return Ok(None);
            }
            _ => return Err(arg.unexpected()),
        }
    }
    Ok(Some(options))
}
