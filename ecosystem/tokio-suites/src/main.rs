//! Other crates' own test suites, on green threads. Each is taken from where it is published, into
//! a folder for temporary files. There the runtime that its tests ask for is replaced by the one of
//! `stand-in`. The tests are run twice: with tokio's own runtime behind it, and with green threads.

mod run;
mod source;
mod table;

use std::{env, io, path::Path, process::ExitCode};

use ecosystem_common::{NO_CHECKOUT, checkout, servers::Servers};
use run::{Ends, Prepared, build, test};
use source::prepare;
use table::{SUITES, Suite};

const USAGE: &str = "\
usage: ecosystem-tokio-suites [NAME|NAME=FOLDER]..
  NAME    only the suites of these crates
  FOLDER  the sources of a crate that is published without its tests
";

fn main() -> ExitCode {
    let names: Vec<String> = env::args().skip(1).collect();
    if names.iter().any(|name| name.starts_with('-')) {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    }
    let folder = env::temp_dir().join("greenthread-tokio-suites");
    println!("the sources and the tests' output are in {}", folder.display());
    println!("{:<17} {:<9} {:>22} {:>22} {:>9}", "", "", "on tokio", "on green threads", "through");
    println!(
        "{:<17} {:<9} {:>22} {:>22} {:>9}",
        "crate", "version", "passed failed ignored", "passed failed ignored", "block_on"
    );
    let mut servers = Servers::default();
    let mut code = ExitCode::SUCCESS;
    for suite in SUITES {
        let checkout = checkout(suite.name, &names);
        if !names.is_empty() && checkout.is_none() && !names.iter().any(|name| name == suite.name) {
            continue;
        }
        if suite.is_checkout && checkout.is_none() {
            println!("{:<17} {:<9} not run: {NO_CHECKOUT}", suite.name, suite.version);
            continue;
        }
        match run(suite, checkout, &folder, &mut servers) {
            Ok(true) => {}
            Ok(false) => code = ExitCode::FAILURE,
            Err(error) => {
                println!("{:<17} {:<9} not run: {error}", suite.name, suite.version);
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

/// Runs a suite in both ways, and prints its row. Returns whether all tests end as expected.
fn run(suite: &Suite, checkout: Option<&Path>, folder: &Path, servers: &mut Servers) -> io::Result<bool> {
    let sources = prepare(suite, checkout, folder)?;
    let environment = (suite.serve)(servers, &sources)?;
    let prepared = Prepared { suite, folder, sources, environment };
    build(&prepared)?;
    let (on_tokio, _) = test(&prepared, "tokio")?;
    let (on_green, through) = test(&prepared, "green")?;
    let sum = |ends: &Ends| {
        let count = |wanted: &str| ends.values().filter(|end| *end == wanted).count();
        format!("{:>6} {:>6} {:>8}", count("ok"), count("FAILED") + count("hangs"), count("ignored"))
    };
    println!(
        "{:<17} {:<9} {:>22} {:>22} {through:>9}",
        suite.name,
        suite.version,
        sum(&on_tokio),
        sum(&on_green)
    );
    let mut is_expected = !on_tokio.is_empty();
    for (test, end) in &on_tokio {
        let green = on_green.get(test).map_or("not run", String::as_str);
        if green == end {
            continue;
        }
        let reason = suite.differs.iter().find(|(name, _)| test.ends_with(name));
        is_expected &= reason.is_some();
        println!("  {test}: {end}, {green}: {}", reason.map_or("UNEXPECTED", |(_, reason)| reason));
    }
    Ok(is_expected)
}
