//! Tests of the library under Valgrind's memcheck, which needs no other build.

use std::process::ExitCode;

use crate::complaints::Complaints;
use crate::repo::Repo;
use crate::sanitizers::{program_and_modules, target};
use crate::tools;

/// A short list, since a program runs 50 times slower: a program, and its modules.
const TESTS: &[(&str, &[&str])] = &[
    ("channel", &["core", "select"]),
    ("sync", &["condvar", "mutex"]),
    ("thread", &["locals", "panics", "scope", "spawn_local", "valgrind"]),
];

/// Runs the tests of the named programs (`sync`) or modules (`sync::mutex`), or all of `TESTS`.
/// Any error that Valgrind finds makes the program fail.
pub(crate) fn valgrind(repo: &Repo, names: &[&str]) -> Result<ExitCode, Complaints> {
    let valgrind = tools::program("valgrind", &["valgrind", "libc6-dbg"])?;
    let variable = format!("CARGO_TARGET_{}_RUNNER", target().to_uppercase().replace('-', "_"));
    let runner = format!("{} --quiet --error-exitcode=99 --errors-for-leak-kinds=none", valgrind.display());
    let test = |package: &str, which: &[&str], modules: &[&str]| -> Result<bool, Complaints> {
        let mut cargo = repo.cargo();
        cargo.args(["test", "--no-fail-fast", "-p", package]).args(which);
        // One test at a time: Valgrind runs one thread at a time anyway.
        cargo.args(["--", "--test-threads=1"]);
        cargo.args(modules.iter().map(|module| format!("{module}::")));
        cargo.env(&variable, &runner).env("GREENTHREAD_VALGRIND", &valgrind);
        cargo.env("RUST_BACKTRACE", "0").env("GREENTHREAD_WATCHDOG", "0");
        let status = cargo.status().map_err(|error| vec![format!("cargo can't be started: {error}")])?;
        Ok(status.success())
    };
    let mut good = true;
    if names.is_empty() {
        good &= test("greenthread-context", &["--test", "coroutine", "--test", "switch"], &[])?;
        for (program, modules) in TESTS {
            good &= test("greenthread", &["--test", program], modules)?;
        }
    }
    for name in names {
        let (program, modules) = program_and_modules(name);
        good &= test("greenthread", &["--test", program], &modules)?;
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
