//! Each program of a listing prints the output that the book shows, and ends as the book says, in
//! debug and in release.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use exercises::child::{self, Run};
use exercises::solution::Profile;

use crate::complaints::{Complaints, Outcome, outcome};
use crate::expected::Expected;
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
            let path = program.expected(repo, profile);
            let old = repo.read(&path).unwrap_or_default();
            let run = run(repo, program, profile)?;
            repo.write(&path, Expected::parse(&old).renewed(&run))?;
            written.push(repo.name(&path));
        }
    }
    Ok(format!("written: {}", if written.is_empty() { "nothing".to_owned() } else { written.join(", ") }))
}

fn check_one(repo: &Repo, program: &Program, profile: Profile) -> Result<(), Complaints> {
    let path = program.expected(repo, profile);
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
        .flat_map(|program| Profile::BOTH.map(|profile| program.expected(repo, profile)))
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

#[cfg(test)]
mod tests {
    use super::*;

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
