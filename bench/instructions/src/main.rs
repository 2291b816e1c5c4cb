//! Counts the instructions of our small works under Valgrind, and compares them with a baseline:
//! see `USAGE`.
//!
//! The program runs itself under `valgrind --tool=callgrind`, once for each work. There it asks
//! Callgrind to collect only between the first and the last measured round. Callgrind says how
//! often each instruction of the program and its libraries was executed. `profile` and `code` find
//! the functions and the kinds of these instructions.

use std::error::Error;
use std::{env, fmt::Write as _};

mod baseline;
mod code;
mod count;
mod measured;
mod profile;
mod requests;

use baseline::Baseline;
use count::Count;

const USAGE: &str = "\
usage: instructions [OPTIONS] [WORK..]
  WORK        only works whose name contains this
  --top N     for each work, the N functions that cost most by themselves; beside it, the cost with what is inlined into them
  --inlined   the order is that of the cost with what is inlined
  --repeats N count each work N times, and say how much the counts differ
  --list      say which works there are
  --bless     write the counts to instructions.tsv, the baseline

Columns: what one operation executes. instructions: all of them, with the difference from the baseline; atomics: those
that lock the bus (lock-prefixed, or an exchange with memory), which cost as much as dozens of others; returns: from functions
(to a frame from before a switch they are mispredicted); kernel: system calls; clock: readings of the clock.
";

struct Options {
    works: Vec<String>,
    top: usize,
    inlined: bool,
    repeats: usize,
    bless: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    if let Ok(name) = env::var(measured::VARIABLE) {
        measured::run(&name);
        return Ok(());
    }
    let options = options()?;
    let asked = |name: &str| options.works.is_empty() || options.works.iter().any(|part| name.contains(part));
    let works: Vec<_> = measured::works().into_iter().filter(|work| asked(work.name)).collect();
    if works.is_empty() {
        return Err("no such work: --list says which there are".into());
    }

    let mut baseline = Baseline::read()?;
    println!(
        "{:<14} {:>12} {:>8} {:>8} {:>8} {:>7} {:>6}",
        "work", "instructions", "", "atomics", "returns", "kernel", "clock"
    );
    for work in works {
        let profiles = (0..options.repeats)
            .map(|_| profile::take(work.name))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| format!("{}: {error}", work.name))?;
        let counts: Vec<Count> = profiles.iter().map(profile::Profile::count).collect();
        let count = counts[0];
        let Count { instructions, atomics, returns, kernel, clock } = count;
        let difference = baseline.difference(work.name, count);
        let mut line = format!("{:<14} {instructions:>12.1} {difference:>8}", work.name);
        write!(line, " {atomics:>8.2} {returns:>8.2} {kernel:>7.2} {clock:>6.2}")?;
        if options.repeats > 1 {
            write!(line, "  spread {:.2}%", count::spread(&counts))?;
        }
        println!("{line}");
        if options.top > 0 {
            print!("{}", profiles[0].top(options.top, options.inlined)?);
        }
        baseline.set(work.name, count);
    }
    if options.bless {
        baseline.write()?;
    }
    Ok(())
}

fn options() -> Result<Options, lexopt::Error> {
    use lexopt::prelude::*;
    let mut options = Options { works: Vec::new(), top: 0, inlined: false, repeats: 1, bless: false };
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Value(work) => options.works.push(work.string()?),
            Long("top") => options.top = parser.value()?.parse()?,
            Long("repeats") => options.repeats = parser.value()?.parse::<usize>()?.max(1),
            Long("inlined") => options.inlined = true,
            Long("bless") => options.bless = true,
            Long("list") => {
                for work in measured::works() {
                    println!("{:<14} {}", work.name, work.operation);
                }
                std::process::exit(0);
            }
            Long("help") | Short('h') => {
                print!("{USAGE}");
                std::process::exit(0);
            }
            _ => return Err(arg.unexpected()),
        }
    }
    Ok(options)
}
