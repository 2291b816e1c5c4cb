//! Miri finds in the listings what the book says. It runs a program step by step, and knows of each
//! pointer what it may point to.
//!
//! The last line of `book/miri/NAME.txt` is `judged by PACKAGE PROGRAM ARGUMENTS.., VERSION`. The
//! lines before it are what Miri has said. Another version of Miri may say it in other words. Then
//! the check only sees whether it comes to the same verdict.

use std::process::Command;

use exercises::child::{self, End};

use crate::complaints::{Complaints, Outcome, outcome};
use crate::listing::Program;
use crate::repo::{Repo, TIMEOUT};

const CLEAN: &str = "Miri has no complaint.\n";

pub(super) fn check(repo: &Repo) -> Outcome {
    let files = repo.files("book/miri", "txt");
    let Some(version) = version(repo) else {
        return Ok("SKIPPED: rustup +nightly component add miri rust-src".to_owned());
    };
    let (mut complaints, mut not_compared) = (Vec::new(), 0);
    for file in &files {
        let text = repo.read(file)?;
        let compared = parse(&text).and_then(|(recorded, program, recorded_by)| {
            let said = verdict(repo, program)?;
            not_compared += usize::from(recorded_by != version);
            compare(recorded, &said, recorded_by == version)
        });
        complaints
            .extend(compared.err().into_iter().flatten().map(|it| format!("{}: {it}", repo.name(file))));
    }
    outcome(complaints, || {
        format!("{} programs, by {version}; {not_compared} were recorded by another version", files.len())
    })
}

/// Records anew: with `NAME PACKAGE PROGRAM ARGUMENTS..` for a new file, with `NAME` for one that
/// is there, with nothing for all of them.
pub(super) fn record(repo: &Repo, which: &[&str]) -> Outcome {
    let version = version(repo)
        .ok_or_else(|| vec!["wanted: rustup +nightly component add miri rust-src".to_owned()])?;
    let mut written = Vec::new();
    if let [name, rest @ ..] = which
        && rest.len() > 1
    {
        write(repo, name, &rest.join(" "), &version)?;
        written.push((*name).to_owned());
    } else {
        for file in repo.files("book/miri", "txt") {
            let name = file.file_stem().expect("a file has a name").to_string_lossy().into_owned();
            if which.is_empty() || which.contains(&&*name) {
                let text = repo.read(&file)?;
                write(repo, &name, parse(&text)?.1, &version)?;
                written.push(name);
            }
        }
    }
    Ok(format!("written: {}", written.join(", ")))
}

fn write(repo: &Repo, name: &str, program: &str, version: &str) -> Result<(), Complaints> {
    let text = format!("{}judged by {program}, {version}\n", verdict(repo, program)?);
    repo.write(&repo.path(&format!("book/miri/{name}.txt")), text)
}

/// What was recorded, of which program, and by which version.
fn parse(text: &str) -> Result<(&str, &str, &str), Complaints> {
    let parts = text.trim_end().rsplit_once("judged by ").and_then(|(recorded, last)| {
        let (program, version) = last.split_once(", ")?;
        Some((recorded, program, version))
    });
    parts.ok_or_else(|| vec!["the last line isn't `judged by PACKAGE PROGRAM, VERSION`".to_owned()])
}

fn compare(recorded: &str, said: &str, is_same_version: bool) -> Result<(), Complaints> {
    if recorded == said || (!is_same_version && (recorded == CLEAN) == (said == CLEAN)) {
        return Ok(());
    }
    Err(vec![format!("Miri says now\n{said}")])
}

/// `cargo miri` of the nightly compiler.
fn miri(repo: &Repo) -> Command {
    let mut cargo = Command::new("cargo");
    // The Cargo that runs us may have named its own compiler.
    cargo.arg("miri").env("RUSTUP_TOOLCHAIN", "nightly").env_remove("RUSTC").env_remove("RUSTFLAGS");
    cargo.env("RUST_BACKTRACE", "0").current_dir(repo.path(""));
    cargo
}

/// "miri 0.1.0", with the compiler that it belongs to.
fn version(repo: &Repo) -> Option<String> {
    let run =
        child::run(miri(repo).arg("--version"), TIMEOUT).ok().filter(|run| run.end == End::Status(0))?;
    let mut words = run.stdout.split(['(', ')']);
    let (name, commit) = (words.next()?.trim(), words.next()?);
    let sources = child::run(miri(repo).args(["setup", "--quiet"]), TIMEOUT).ok()?;
    (sources.end == End::Status(0))
        .then(|| format!("{name} of {}", commit.split(' ').next_back().unwrap_or(commit)))
}

/// What Miri says of `PACKAGE PROGRAM ARGUMENTS..`: its first complaint, without the backtrace.
fn verdict(repo: &Repo, words: &str) -> Result<String, Complaints> {
    let words: Vec<&str> = words.split(' ').collect();
    let [package, name, arguments @ ..] = &words[..] else {
        return Err(vec!["wanted: PACKAGE PROGRAM ARGUMENTS..".to_owned()]);
    };
    Program::named(repo, &format!("{package} {name}"))?;
    let mut run = miri(repo);
    run.args(["run", "--quiet", "--package", package, "--bin", name, "--"]).args(arguments);
    let run =
        child::run(&mut run, TIMEOUT).map_err(|error| vec![format!("cargo can't be started: {error}")])?;
    if run.end == End::Status(0) {
        return Ok(CLEAN.to_owned());
    }
    if !run.stderr.contains("Undefined Behavior") {
        return Err(vec![format!("Miri has failed\n{}", run.stderr)]);
    }
    Ok(complaint(&run.stderr))
}

/// The complaint alone. The numbers of pieces of memory vary.
fn complaint(stderr: &str) -> String {
    let mut text = String::new();
    let lines = stderr.lines().skip_while(|line| !line.starts_with("error:"));
    let is_noise = |line: &&str| line.contains("= help: ");
    for line in lines.take_while(|line| !line.contains("= note: stack backtrace")).filter(|it| !is_noise(it))
    {
        let mut rest = line;
        while let Some((left, right)) = rest.split_once("alloc") {
            let digits = right.len() - right.trim_start_matches(|it: char| it.is_ascii_digit()).len();
            text += left;
            text += if digits > 0 { "alloc1" } else { "alloc" };
            rest = &right[digits..];
        }
        text += rest.trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_what_comes_before_the_backtrace() {
        let stderr = "warning: noise\nerror: Undefined Behavior: alloc83 has been freed\n  --> a.rs:1:2\n   \
                      = help: see there\nhelp: alloc83 was allocated here\n   = note: stack backtrace:\n 0: a\n";
        let wanted = "error: Undefined Behavior: alloc1 has been freed\n  --> a.rs:1:2\n\
                      help: alloc1 was allocated here\n";
        assert_eq!(complaint(stderr), wanted);
    }

    #[test]
    fn other_versions_must_come_to_the_same_verdict() {
        let text = format!("{CLEAN}judged by a b c, miri 1 of today\n");
        assert_eq!(parse(&text).unwrap(), (CLEAN, "a b c", "miri 1 of today"));
        compare(CLEAN, CLEAN, true).unwrap();
        compare("error: this\n", "error: that\n", false).unwrap();
        compare("error: this\n", "error: that\n", true).unwrap_err();
        compare(CLEAN, "error: that\n", false).unwrap_err();
    }
}
