//! Programs print on other machines what the book shows, in debug and in release.
//!
//! `book/machines.txt` says which ones. A machine that can't be had here is left out, and the line
//! of the check says so.

use exercises::machine::{self, Machine, Tools};

use super::listings::{check_at, record_at};
use crate::complaints::{Complaints, Outcome, outcome};
use crate::listing::{self, Place, Program};
use crate::repo::Repo;

pub(super) fn check(repo: &Repo) -> Outcome {
    let (mut complaints, mut found, mut absent) = (Complaints::new(), Vec::new(), Vec::new());
    for machine in machine::ALL {
        match machine.tools() {
            Ok(tools) => {
                let (runs, wrong) = on(repo, machine, &tools)?;
                found.push(format!("{runs} runs on {}, by {}", machine.name, tools.emulator()));
                complaints.extend(wrong.into_iter().map(|wrong| format!("on {}: {wrong}", machine.name)));
            }
            Err(why) => absent.push(format!("SKIPPED {}: {why}", machine.name)),
        }
    }
    found.extend(absent);
    outcome(complaints, || found.join("; "))
}

fn on(repo: &Repo, machine: &'static Machine, tools: &Tools) -> Result<(usize, Complaints), Complaints> {
    check_at(repo, Place::On(tools), &programs(repo, machine)?)
}

/// Writes the outputs of the named programs, or of all whose output has changed, on all machines
/// that can be had here.
pub(super) fn record(repo: &Repo, which: &[&str]) -> Outcome {
    let mut written = Vec::new();
    for machine in machine::ALL {
        match machine.tools() {
            Ok(tools) => {
                let place = Place::On(&tools);
                written.extend(record_at(repo, place, programs(repo, machine)?, which)?);
            }
            Err(why) => eprintln!("left out: {}: {why}", machine.name),
        }
    }
    Ok(format!("written: {}", if written.is_empty() { "nothing".to_owned() } else { written.join(", ") }))
}

/// The programs that run on this machine.
fn programs(repo: &Repo, machine: &Machine) -> Result<Vec<Program>, Complaints> {
    let machines = listing::machines(repo)?;
    let runs =
        |it: &Program| machines.get(&it.package).is_some_and(|it| it.iter().any(|it| it == machine.name));
    Ok(Program::all(repo).into_iter().filter(runs).collect())
}
