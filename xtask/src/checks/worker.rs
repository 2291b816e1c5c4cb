//! The page on which the reader is a worker plays the states of a model: the listing
//! `you-are-the-worker`, which has tests of its own.

use std::path::PathBuf;

use exercises::child::{self, End};
use exercises::solution::Profile;

use crate::complaints::{Complaints, Outcome, outcome};
use crate::listing::{Place, Program};
use crate::repo::{Repo, TIMEOUT};

pub(super) fn check(repo: &Repo) -> Outcome {
    let script = script(repo)?;
    let mut complaints = Vec::new();
    if repo.read(&path(repo))? != script {
        complaints.push("book/src/worker/graph.js: `cargo xtask worker --record` makes another".to_owned());
    }
    let mut tests = repo.cargo();
    tests.args(["test", "--quiet", "--package", "you-are-the-worker", "--target-dir"]).arg(repo.target());
    complaints.extend(repo.output(&mut tests).err().into_iter().flatten());
    outcome(complaints, || format!("{} states, as the model has them", script.matches("\n[").count()))
}

pub(super) fn record(repo: &Repo, _which: &[&str]) -> Outcome {
    repo.write(&path(repo), script(repo)?)?;
    Ok("recorded: book/src/worker/graph.js".to_owned())
}

fn path(repo: &Repo) -> PathBuf {
    repo.path("book/src/worker/graph.js")
}

/// What the model prints for the page.
fn script(repo: &Repo) -> Result<String, Complaints> {
    let program = Program::named(repo, "you-are-the-worker you-are-the-worker")?;
    Place::Here.build(repo, std::slice::from_ref(&program), Profile::Debug)?;
    let mut command = Place::Here.command(repo, &program, Profile::Debug);
    let run = child::run(command.arg("js"), TIMEOUT)
        .map_err(|error| vec![format!("{} can't be started: {error}", program.name)])?;
    if run.end == End::Status(0) && !run.stdout.is_empty() {
        return Ok(format!(
            "// Made by `cargo xtask worker --record` from the listing {}.\n{}",
            program.package, run.stdout
        ));
    }
    Err(vec![format!("{} has ended with {}\n{}", program.name, run.end, run.stderr)])
}
