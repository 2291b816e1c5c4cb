//! Each program of a listing prints the output that the book shows, and ends as the book says, in
//! debug and in release.

use std::path::PathBuf;
use std::time::Duration;

use exercises::child::{self, Run};
use exercises::machine;
use exercises::solution::Profile;

use crate::complaints::{Complaints, Outcome, outcome};
use crate::expected::Expected;
use crate::listing::{self, Place, Program};
use crate::repo::Repo;

const TIMEOUT: Duration = Duration::from_secs(30);

pub(super) fn check(repo: &Repo) -> Outcome {
    let all = Program::all(repo);
    let mut complaints = twins(&all);
    complaints.extend(orphans(repo, &all));
    complaints.extend(lints(repo, &all).err().into_iter().flatten());
    let programs = listing::here(repo)?;
    let (runs, wrong) = check_at(repo, Place::Here, &programs)?;
    complaints.extend(wrong);
    outcome(complaints, || {
        format!("{} programs, {runs} runs in debug and release, outputs as shown", programs.len())
    })
}

/// Writes the outputs of the named programs, or of all whose output has changed. Lines that `{*}`
/// still fits are kept.
pub(super) fn record(repo: &Repo, which: &[&str]) -> Outcome {
    let written = record_at(repo, Place::Here, listing::here(repo)?, which)?;
    Ok(format!("written: {}", if written.is_empty() { "nothing".to_owned() } else { written.join(", ") }))
}

/// The number of runs on a machine, and the complaints about them.
pub(super) fn check_at(
    repo: &Repo,
    place: Place<'_>,
    programs: &[Program],
) -> Result<(usize, Complaints), Complaints> {
    let (mut runs, mut complaints) = (0, Complaints::new());
    for profile in Profile::BOTH {
        place.build(repo, programs, profile)?;
        for program in programs.iter().filter(|program| !program.is_measurement()) {
            runs += 1;
            complaints.extend(check_one(repo, place, program, profile).err().into_iter().flatten());
        }
    }
    Ok((runs, complaints))
}

/// Writes the outputs on a machine. Gives the names of the files.
pub(super) fn record_at(
    repo: &Repo,
    place: Place<'_>,
    mut programs: Vec<Program>,
    which: &[&str],
) -> Result<Vec<String>, Complaints> {
    programs.retain(|it| !it.is_measurement() && (which.is_empty() || which.contains(&&*it.name)));
    let mut written = Vec::new();
    if programs.is_empty() {
        return Ok(written);
    }
    for profile in Profile::BOTH {
        place.build(repo, &programs, profile)?;
        for program in &programs {
            if check_one(repo, place, program, profile).is_ok() {
                continue;
            }
            let path = expected_path(repo, place, program, profile);
            let old = repo.read(&path).unwrap_or_default();
            let run = run(repo, place, program, profile)?;
            repo.write(&path, Expected::parse(&old).renewed(&run))?;
            written.push(repo.name(&path));
        }
    }
    Ok(written)
}

fn check_one(repo: &Repo, place: Place<'_>, program: &Program, profile: Profile) -> Result<(), Complaints> {
    let path = expected_path(repo, place, program, profile);
    let expected = repo.read(&path)?;
    let run = run(repo, place, program, profile)?;
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

fn run(repo: &Repo, place: Place<'_>, program: &Program, profile: Profile) -> Result<Run, Complaints> {
    let path = place.path(repo, program, profile);
    let mut command = place.command(repo, program, profile);
    command.current_dir(repo.path("")).env_remove("RUST_BACKTRACE").env_remove("RUST_LIB_BACKTRACE");
    child::run(&mut command, TIMEOUT)
        .map_err(|error| vec![format!("{} can't be started: {error}", repo.name(&path))])
}

/// The file with the output that the chapters show for this place and this profile.
fn expected_path(repo: &Repo, place: Place<'_>, program: &Program, profile: Profile) -> PathBuf {
    let machine = match place {
        Place::Here => "here",
        Place::On(tools) => tools.name(),
    };
    program.expected(repo, machine, profile)
}

/// The files that hold its outputs, on whatever machine.
fn expected_files(repo: &Repo, program: &Program) -> Vec<PathBuf> {
    let folder = repo.path(&format!("book/listings/{}/expected", program.package));
    let special = machine::ALL.iter().map(|machine| machine.name).chain(["here"]);
    let mut files: Vec<PathBuf> =
        special.map(|it| folder.join(format!("{}.{it}.txt", program.name))).collect();
    files.extend(Profile::BOTH.map(|profile| expected_path(repo, Place::Here, program, profile)));
    files
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
        .flat_map(|program| expected_files(repo, program))
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
