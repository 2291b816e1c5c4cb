//! Each program of a listing prints the output that the book shows, and ends as the book says, in
//! debug and in release.
//!
//! `expected/PROGRAM.txt` is the whole output, where `{*}` stands for any text in a line. It may be
//! followed by `-- ends: signal 11`, if the program doesn't end with status 0, and by lines
//! `-- stderr has: TEXT`. A program that differs by profile has `PROGRAM.debug.txt` and
//! `PROGRAM.release.txt`.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use exercises::child::{self, End, Run};
use exercises::solution::Profile;

use crate::complaints::{Complaints, Outcome, outcome};
use crate::listing::{self, Program};
use crate::repo::Repo;

const TIMEOUT: Duration = Duration::from_secs(30);

pub(super) fn check(repo: &Repo) -> Outcome {
    let programs = Program::all(repo);
    let mut complaints = twins(&programs);
    complaints.extend(orphans(repo, &programs));
    complaints.extend(lints(repo, &programs).err().into_iter().flatten());
    let mut runs = 0;
    for profile in Profile::BOTH {
        listing::build(repo, &programs, profile)?;
        for program in programs.iter().filter(|program| !program.is_measurement()) {
            runs += 1;
            complaints.extend(check_one(repo, program, profile).err().into_iter().flatten());
        }
    }
    outcome(complaints, || {
        format!("{} programs, {runs} runs in debug and release, outputs as shown", programs.len())
    })
}

/// Writes the outputs of the named programs, or of all whose output has changed. Lines that `{*}`
/// still fits are kept.
pub(super) fn record(repo: &Repo, which: &[&str]) -> Outcome {
    let mut programs = Program::all(repo);
    programs.retain(|it| !it.is_measurement() && (which.is_empty() || which.contains(&&*it.name)));
    let mut written = Vec::new();
    for profile in Profile::BOTH {
        listing::build(repo, &programs, profile)?;
        for program in &programs {
            if check_one(repo, program, profile).is_ok() {
                continue;
            }
            let path = expected_path(repo, program, profile);
            let old = repo.read(&path).unwrap_or_default();
            let run = run(repo, program, profile)?;
            repo.write(&path, Expected::parse(&old).renewed(&run))?;
            written.push(repo.name(&path));
        }
    }
    Ok(format!("written: {}", if written.is_empty() { "nothing".to_owned() } else { written.join(", ") }))
}

fn check_one(repo: &Repo, program: &Program, profile: Profile) -> Result<(), Complaints> {
    let path = expected_path(repo, program, profile);
    let expected = repo.read(&path)?;
    let run = run(repo, program, profile)?;
    Expected::parse(&expected).compare(&run).map_err(|wrong| {
        let name = repo.name(&path);
        let shown = wrong.into_iter().map(|wrong| format!("{name}, in {}: {wrong}", profile.name()));
        let mut shown: Complaints = shown.collect();
        if !run.stderr.is_empty() {
            shown.push(format!("its errors were\n{}", run.stderr));
        }
        shown
    })
}

fn run(repo: &Repo, program: &Program, profile: Profile) -> Result<Run, Complaints> {
    let path = program.path(repo, profile);
    let mut command = Command::new(&path);
    command.current_dir(repo.path("")).env_remove("RUST_BACKTRACE").env_remove("RUST_LIB_BACKTRACE");
    child::run(&mut command, TIMEOUT)
        .map_err(|error| vec![format!("{} can't be started: {error}", repo.name(&path))])
}

/// The output that the chapters show for this profile.
fn expected_path(repo: &Repo, program: &Program, profile: Profile) -> PathBuf {
    let folder = repo.path(&format!("book/listings/{}/expected", program.package));
    let special = folder.join(format!("{}.{}.txt", program.name, profile.name()));
    if special.exists() { special } else { folder.join(format!("{}.txt", program.name)) }
}

/// Cargo would build programs of the same name in one place.
fn twins(programs: &[Program]) -> Complaints {
    let twin = |(index, program): (usize, &Program)| {
        let other = programs[..index].iter().find(|other| other.name == program.name)?;
        Some(format!("{} and {} have both a program `{}`", other.package, program.package, program.name))
    };
    programs.iter().enumerate().filter_map(twin).collect()
}

/// Expected outputs without a program.
fn orphans(repo: &Repo, programs: &[Program]) -> Complaints {
    let folders = repo.entries(&repo.path("book/listings"));
    let files = folders.iter().flat_map(|folder| repo.entries(&folder.join("expected")));
    let known: Vec<PathBuf> = programs
        .iter()
        .filter(|program| !program.is_measurement())
        .flat_map(|program| Profile::BOTH.map(|profile| expected_path(repo, program, profile)))
        .collect();
    files
        .filter(|file| !known.contains(file))
        .map(|file| {
            format!("{}: there is no such program, or it is for both profiles and for one", repo.name(&file))
        })
        .collect()
}

fn lints(repo: &Repo, programs: &[Program]) -> Result<(), Complaints> {
    let mut clippy = repo.cargo();
    clippy.args(["clippy", "--quiet", "--all-targets"]);
    for program in programs {
        clippy.args(["--package", &program.package]);
    }
    clippy.args(["--", "-D", "warnings"]);
    repo.output(&mut clippy).map(drop)
}

/// An expected output.
#[derive(Debug)]
struct Expected<'a> {
    lines: Vec<&'a str>,
    ends: &'a str,
    stderr_has: Vec<&'a str>,
}

impl<'a> Expected<'a> {
    fn parse(text: &'a str) -> Self {
        let mut this = Self { lines: Vec::new(), ends: "status 0", stderr_has: Vec::new() };
        for line in text.lines() {
            if let Some(ends) = line.strip_prefix("-- ends: ") {
                this.ends = ends.trim();
            } else if let Some(text) = line.strip_prefix("-- stderr has: ") {
                this.stderr_has.push(text);
            } else {
                this.lines.push(line);
            }
        }
        this
    }

    fn compare(&self, run: &Run) -> Result<(), Complaints> {
        let mut complaints = Vec::new();
        if run.end.to_string() != self.ends {
            complaints.push(format!("it should end with {}, and has ended with {}", self.ends, run.end));
        }
        let printed: Vec<&str> = run.stdout.lines().collect();
        for index in 0..self.lines.len().max(printed.len()) {
            let wrong = match (self.lines.get(index), printed.get(index)) {
                (Some(pattern), Some(line)) if fits(pattern, line) => continue,
                (Some(pattern), Some(line)) => format!("should be `{pattern}`, and is `{line}`"),
                (Some(pattern), None) => format!("should be `{pattern}`, and the output has ended"),
                (None, Some(line)) => format!("should not be there: `{line}`"),
                (None, None) => unreachable!("one of them has this line"),
            };
            complaints.push(format!("line {} {wrong}", index + 1));
            break;
        }
        for text in &self.stderr_has {
            if !run.stderr.contains(text) {
                complaints.push(format!("the errors should have `{text}`"));
            }
        }
        if complaints.is_empty() { Ok(()) } else { Err(complaints) }
    }

    /// The present output, with the patterns that still fit.
    fn renewed(&self, run: &Run) -> String {
        let mut text = String::new();
        for (index, line) in run.stdout.lines().enumerate() {
            let pattern = self.lines.get(index).filter(|pattern| fits(pattern, line));
            text += pattern.unwrap_or(&line);
            text.push('\n');
        }
        if run.end != End::Status(0) {
            text += &format!("-- ends: {}\n", run.end);
        }
        for has in self.stderr_has.iter().filter(|has| run.stderr.contains(**has)) {
            text += &format!("-- stderr has: {has}\n");
        }
        text
    }
}

/// Whether the line matches the pattern, in which `{*}` is any text.
fn fits(pattern: &str, line: &str) -> bool {
    let Some((before, mut rest)) = pattern.split_once("{*}") else {
        return pattern == line;
    };
    let Some(mut line) = line.strip_prefix(before) else {
        return false;
    };
    // The first place that fits leaves the most text for the other parts.
    while let Some((between, after)) = rest.split_once("{*}") {
        let Some(at) = line.find(between) else {
            return false;
        };
        line = &line[at + between.len()..];
        rest = after;
    }
    line.ends_with(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_of(stdout: &str, stderr: &str, end: End) -> Run {
        Run { stdout: stdout.to_owned(), stderr: stderr.to_owned(), end }
    }

    fn complaints_of(expected: &str, run: &Run) -> Complaints {
        Expected::parse(expected).compare(run).err().unwrap_or_default()
    }

    #[test]
    fn patterns() {
        assert!(fits("at {*}, {*} bytes", "at 0x7f, 12 bytes"));
        assert!(fits("{*}", ""));
        assert!(fits("a{*}b", "abb"));
        assert!(!fits("a{*}a", "a"));
        assert!(!fits("at {*} bytes", "at 12 bits"));
        assert!(!fits("at", "at 1"));
    }

    #[test]
    fn an_output_that_is_not_the_one_shown_is_found() {
        let fine = run_of("one\n2 ns\n", "", End::Status(0));
        assert_eq!(complaints_of("one\n{*} ns\n", &fine), Complaints::new());
        assert_eq!(complaints_of("one\n{*} us\n", &fine), ["line 2 should be `{*} us`, and is `2 ns`"]);
        assert_eq!(complaints_of("one\n", &fine), ["line 2 should not be there: `2 ns`"]);
        assert_eq!(
            complaints_of("one\n2 ns\n3\n", &fine),
            ["line 3 should be `3`, and the output has ended"]
        );
    }

    #[test]
    fn a_crash_that_does_not_come_is_found() {
        let expected = "one\n-- ends: signal 11\n-- stderr has: overflow\n";
        assert_eq!(
            complaints_of(expected, &run_of("one\n", "an overflow!", End::Signal(11))),
            Complaints::new()
        );
        assert_eq!(complaints_of(expected, &run_of("one\n", "an overflow!", End::Status(0))).len(), 1);
        assert_eq!(complaints_of(expected, &run_of("one\n", "", End::Signal(11))).len(), 1);
        assert_eq!(complaints_of("one\n", &run_of("one\n", "", End::Signal(6))).len(), 1);
        assert_eq!(complaints_of("one\n", &run_of("one\n", "", End::OutOfTime)).len(), 1);
    }

    #[test]
    fn what_is_recorded_keeps_its_patterns() {
        let old = Expected::parse(
            "at {*}\ntwo\n-- ends: signal 11\n-- stderr has: overflow\n-- stderr has: gone\n",
        );
        let new = old.renewed(&run_of("at 0x7f\nthree\n", "overflow", End::Signal(6)));
        assert_eq!(new, "at {*}\nthree\n-- ends: signal 6\n-- stderr has: overflow\n");
    }

    #[test]
    fn files_without_a_program_and_programs_of_one_name_are_found() {
        let repo = Repo::of_files(&[
            ("book/listings/a/src/main.rs", ""),
            ("book/listings/b/src/bin/a.rs", ""),
            ("book/listings/b/src/bin/measure-a.rs", ""),
            ("book/listings/a/expected/a.txt", ""),
            ("book/listings/b/expected/a.debug.txt", ""),
            ("book/listings/b/expected/gone.txt", ""),
            ("book/listings/b/expected/measure-a.txt", ""),
        ]);
        let programs = Program::all(&repo);
        assert_eq!(twins(&programs), ["a and b have both a program `a`"]);
        let orphans = orphans(&repo, &programs);
        assert_eq!(orphans.len(), 2, "{orphans:?}");
        assert!(orphans[0].starts_with("book/listings/b/expected/gone.txt"));
    }
}
