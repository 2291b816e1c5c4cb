//! `cargo xtask on MACHINE ..`: Cargo for another machine.

use std::process::ExitCode;

use exercises::machine::{self, Machine};

use crate::complaints::Complaints;
use crate::listing;
use crate::repo::Repo;

/// Runs `cargo COMMAND` for the machine.
pub(crate) fn on(repo: &Repo, name: &str, command: &str, rest: &[&str]) -> Result<ExitCode, Complaints> {
    let machine = Machine::named(name).ok_or_else(|| {
        let names: Vec<&str> = machine::ALL.iter().map(|it| it.name).collect();
        vec![format!("there is no machine `{name}`; there are: {}", names.join(", "))]
    })?;
    let tools = machine.tools().map_err(|why| vec![format!("{name}: {why}")])?;
    let mut cargo = tools.cargo(command);
    cargo.arg("--target-dir").arg(listing::machines_target(repo)).args(rest);
    let status = cargo.status().map_err(|error| vec![format!("cargo can't be started: {error}")])?;
    Ok(ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)))
}
