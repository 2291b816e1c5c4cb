//! The common parts of all Rust peers: arguments, clocks, the report, and the HTTP answer. A peer's
//! own file holds the work.

use std::{env, fs, time::Duration};

mod clock;
pub mod files;
mod http;
mod idle;
mod late;
mod latency;
mod server;
mod unbalanced;
mod whereabouts;

pub use clock::{Lap, Mark, Span, cpu_of};
pub use http::Conn;
pub use idle::idle;
pub use late::Late;
pub use latency::{latencies, report_latencies};
pub use server::{BUFFER, listening, listening_until};
pub use unbalanced::{Compute, Effort};
pub use whereabouts::{Whereabouts, busy_until};

/// One line of the work list, as the runner passes it: `peer WORK WORKERS THREADS N SECONDS`.
#[derive(Clone, Debug)]
pub struct Args {
    pub flavour: String,
    pub work: String,
    pub workers: usize,
    pub threads: usize,
    pub n: usize,
    pub at_least: Duration,
}

impl Args {
    /// `flavour` is the name by which the program was called: some programs are several peers in
    /// one.
    pub fn from_env() -> Args {
        let mut args = env::args();
        let mut next = || args.next().expect("usage: PEER WORK WORKERS THREADS N SECONDS");
        Args {
            flavour: next().rsplit(['/', '\\']).next().unwrap_or_default().to_owned(),
            work: next(),
            workers: next().parse().expect("WORKERS is a number"),
            threads: next().parse().expect("THREADS is a number"),
            n: next().parse().expect("N is a number"),
            at_least: Duration::from_secs_f64(next().parse().expect("SECONDS is a number")),
        }
    }

    pub fn unknown(&self) -> ! {
        panic!("{}: no work named {:?}", self.flavour, self.work)
    }
}

/// One measurement, one line: metric, value, unit, CPU nanoseconds per operation, note.
pub fn report(metric: &str, value: f64, unit: &str, cpu: f64, note: &str) {
    println!("{metric}\t{value:.3}\t{unit}\t{cpu:.3}\t{note}");
}

/// Adds up rounds until enough time has been measured. The first round is warm-up and is not
/// counted.
pub struct Rounds {
    at_least: Duration,
    warm: bool,
    total: Span,
    ops: usize,
}

impl Rounds {
    pub fn new(args: &Args) -> Rounds {
        Rounds { at_least: args.at_least, warm: false, total: Span::default(), ops: 0 }
    }

    pub fn go_on(&self) -> bool {
        self.total.time < self.at_least
    }

    /// A round that did `ops` operations in `span`.
    pub fn add(&mut self, ops: usize, span: Span) {
        if self.warm {
            self.total += span;
            self.ops += ops;
        }
        self.warm = true;
    }

    pub fn report(&self, note: &str) {
        self.total.report("time", self.ops, note);
    }
}

/// The capacity of a channel between many.
pub const ROOM: usize = 128;

/// Whether this thread takes the RwLock to write the `i`-th time. One time in twenty is, and not
/// for all threads at once.
pub fn writes(thread: usize, i: usize) -> bool {
    (thread + i).is_multiple_of(20)
}

/// Bytes of memory in use by this process: resident pages and the page tables that map them.
pub fn memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux's /proc");
    let field = |name| {
        let line = status.lines().find(|line| line.starts_with(name)).expect("a field of status");
        line.split_whitespace().nth(1).expect("a number").parse::<usize>().expect("a number")
    };
    (field("VmRSS:") + field("VmPTE:")) * 1024
}

/// The time between the end of `parked` and the measurement of the memory that is left.
pub const LATER: Duration = Duration::from_secs(3);

/// Reports the work `parked` with `threads` threads: the memory while they were parked, and how
/// much of it is left.
pub fn report_parked(threads: usize, bytes: usize, left: usize, start: Span, wake: Span) {
    start.report("start", threads, "");
    wake.report("wake", threads, "");
    report("memory", bytes as f64 / threads as f64, "bytes", 0.0, "");
    report("left", left as f64 / threads as f64, "bytes", 0.0, "");
}
