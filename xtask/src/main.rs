//! The project's chores, as one program.
//!
//! `cargo xtask book` builds the book and checks all that it says: [`checks::ALL`] has a file for
//! each check, and the parts that they share stand beside it. `cargo xtask lint` checks the Rust
//! sources by the rules of [`lint::ALL`]. `cargo xtask` by itself lists all commands.

use std::process::ExitCode;

mod bench;
mod captions;
mod chapter;
mod check;
mod checks;
mod complaints;
#[cfg(target_os = "linux")]
mod contain;
#[cfg(target_os = "linux")]
mod cross;
#[cfg(target_os = "linux")]
mod detect;
mod ecosystem;
mod expected;
mod gdb;
mod lint;
mod listing;
mod mutants;
mod on;
mod pictures;
mod playground;
mod recording;
mod repo;
mod tools;
mod webdriver;

use check::Check;
use checks::ALL;
use repo::Repo;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let repo = Repo::here();
    match arguments[..] {
        ["pictures", ref which @ ..] if which.first() != Some(&"--record") => {
            record(&repo, "pictures", which)
        }
        ["bench", ref rest @ ..] => {
            bench::bench(&repo, rest).unwrap_or_else(|complaints| refuse(&complaints.join("\n")))
        }
        ["ecosystem", ref rest @ ..] => {
            ecosystem::ecosystem(&repo, rest).unwrap_or_else(|complaints| refuse(&complaints.join("\n")))
        }
        #[cfg(target_os = "linux")]
        [tool @ ("asan" | "tsan" | "valgrind"), ref names @ ..] => {
            detect::detect(&repo, tool, names).unwrap_or_else(|complaints| refuse(&complaints.join("\n")))
        }
        #[cfg(target_os = "linux")]
        ["contain", ref rest @ ..] => {
            contain::contain(rest).unwrap_or_else(|complaints| refuse(&complaints.join("\n")))
        }
        #[cfg(target_os = "linux")]
        ["cross", ref rest @ ..] => {
            cross::cross(&repo, rest).unwrap_or_else(|complaints| refuse(&complaints.join("\n")))
        }
        ["mutants", ref names @ ..] => {
            mutants::mutants(&repo, names).unwrap_or_else(|complaints| refuse(&complaints.join("\n")))
        }
        ["on", machine, command, ref rest @ ..] => {
            on::on(&repo, machine, command, rest).unwrap_or_else(|complaints| refuse(&complaints.join("\n")))
        }
        ["book"] => check(&repo, ALL),
        ["book", ref names @ ..] | ref names if is_names(names, ALL) => check(&repo, &chosen(names, ALL)),
        ["lint"] => check(&repo, lint::ALL),
        ["lint", ref names @ ..] if is_names(names, lint::ALL) => check(&repo, &chosen(names, lint::ALL)),
        [name, "--record", ref which @ ..] => record(&repo, name, which),
        _ => refuse(&usage()),
    }
}

fn is_names(names: &[&str], checks: &[Check]) -> bool {
    !names.is_empty() && names.iter().all(|name| checks.iter().any(|check| check.name == *name))
}

fn chosen(names: &[&str], checks: &[Check]) -> Vec<Check> {
    checks.iter().filter(|check| names.contains(&check.name)).copied().collect()
}

/// Runs the checks and prints a line for each. Fails if one of them does.
fn check(repo: &Repo, checks: &[Check]) -> ExitCode {
    let mut failed = Vec::new();
    for check in checks {
        match (check.run)(repo) {
            Ok(found) => println!("ok      {:<10} {found}", check.name),
            Err(complaints) => {
                println!("FAILED  {:<10} {}", check.name, check.about);
                for complaint in &complaints {
                    println!("    {}", complaint.trim_end().replace('\n', "\n    "));
                }
                failed.push(check.name);
            }
        }
    }
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("{} of {} checks have failed: {}", failed.len(), checks.len(), failed.join(", "));
    ExitCode::FAILURE
}

/// Writes anew the files that a check compares with.
fn record(repo: &Repo, name: &str, which: &[&str]) -> ExitCode {
    let Some(record) = ALL.iter().find(|check| check.name == name).and_then(|check| check.record) else {
        return refuse(&usage());
    };
    match record(repo, which) {
        Ok(done) => println!("{done}"),
        Err(complaints) => return refuse(&complaints.join("\n")),
    }
    ExitCode::SUCCESS
}

fn usage() -> String {
    let mut text = "\
usage: cargo xtask book                   builds the book in target/book, and checks it
       cargo xtask book CHECK..           some of the checks
       cargo xtask CHECK --record [NAME]  writes anew what the check compares with
       cargo xtask pictures [NAME]        draws the pictures
       cargo xtask on MACHINE COMMAND ..  is `cargo COMMAND ..` for aarch64, riscv64 or windows
       cargo xtask bench [WORK].. [..]    measures the library beside its peers; --help says more
       cargo xtask bench --report         writes bench/RESULTS.md from the last measurements
       cargo xtask ecosystem [blocking | tokio] [NAME]..  runs crates of others on green threads; --help says more
       cargo xtask ecosystem suites | tokio-suites [NAME]..  runs their own tests so
       cargo xtask asan [TEST]..          runs the library's tests under AddressSanitizer
       cargo xtask tsan [TEST]..          and under ThreadSanitizer, with std built for it
       cargo xtask valgrind [TEST]..      and under Valgrind; all three on Linux only
       cargo xtask contain LIMIT.. -- ..  runs a command with a container's limits; Linux only
       cargo xtask cross [TARGET].. [..]  runs the tests for other machines; --help says more
       cargo xtask mutants [FILE]..       makes lines of the protocols wrong: do the models see it?
       cargo xtask lint [LINT]..          checks the Rust sources by all lints, or by some

The checks; those with * record:
"
    .to_owned();
    for check in ALL {
        let star = if check.record.is_some() { '*' } else { ' ' };
        text += &format!("  {star} {:<10} {}\n", check.name, check.about);
    }
    text += "\nThe lints:\n";
    for lint in lint::ALL {
        text += &format!("    {:<10} {}\n", lint.name, lint.about);
    }
    text
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("{}", why.trim_end());
    ExitCode::from(2)
}
