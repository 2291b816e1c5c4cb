//! The tests of other crates, as they are published, on OS threads and on green ones.
//!
//! A crate's source comes from the registry by cargo, in a pinned version, and std's from the
//! component `rust-src`. Each program of tests is built as it is and run twice, the second time
//! with the library `preload`, so that all its threads but the first are siblings on one worker.

mod run;
mod source;
mod table;

use std::{env, path::Path, process::ExitCode};

use ecosystem_common::{NO_CHECKOUT, checkout, is_asked, servers::Servers};
use run::Outcome;
use table::{Origin, SUITES, Server, Suite};

const USAGE: &str = "\
usage: suites [NAME|NAME=FOLDER]..
  NAME    only crates whose name contains this
  FOLDER  the sources of a crate that is published without its tests
Columns: how many tests passed, failed and were ignored on OS threads, and on green ones; how many green threads ran.
";

fn main() -> ExitCode {
    let names: Vec<_> = env::args().skip(1).collect();
    if names.iter().any(|name| name.starts_with('-')) {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    }
    let asked = |suite: &&Suite| checkout(suite.name, &names).is_some() || is_asked(suite.name, &names);
    let mut servers = Servers::default();
    let mut has_failed = false;
    println!("{:<18} {:<9} {:>13} {:>13} {:>8}", "crate", "version", "OS threads", "green", "threads");
    for suite in SUITES.iter().filter(asked) {
        let row = format!("{:<18} {:<9}", suite.name, suite.version);
        let checkout = checkout(suite.name, &names);
        if matches!(suite.origin, Origin::Checkout) && checkout.is_none() {
            println!("{row} not run: {NO_CHECKOUT}");
            continue;
        }
        match measure(suite, checkout, &mut servers) {
            Ok([os, green]) => {
                println!("{row} {:>13} {:>13} {:>8}", os.counts(), green.counts(), green.threads);
                for (name, why) in suite.skipped {
                    println!("    {name} is left out on green threads: {why}");
                }
                for name in &green.failed {
                    let differs = !os.failed.contains(name);
                    println!("    {name} FAILED on {}", if differs { "green threads only" } else { "both" });
                    has_failed |= differs;
                }
            }
            Err(error) => {
                println!("{row} not run: {error}");
                has_failed = true;
            }
        }
    }
    if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Runs the tests of one crate, on OS threads and on green ones.
fn measure(suite: &Suite, checkout: Option<&Path>, servers: &mut Servers) -> Result<[Outcome; 2], String> {
    let preload = source::preload()?;
    let folder = source::folder(suite, checkout)?;
    let programs = source::build(suite, &folder)?;
    if programs.is_empty() {
        return Err("it has no tests".into());
    }
    let variable = match suite.server {
        Some(Server::On(kind, port)) => servers.start_on(kind, port).map(|_| None),
        Some(Server::In(kind, name)) => servers.address(kind).map(|address| Some((name, address))),
        None => Ok(None),
    };
    let variable = variable.map_err(|error| error.to_string())?;
    let (mut os, mut green) = (Outcome::default(), Outcome::default());
    for program in &programs {
        run::run(suite, program, &variable, None, &mut os)?;
        run::run(suite, program, &variable, Some(&preload), &mut green)?;
    }
    Ok([os, green])
}
