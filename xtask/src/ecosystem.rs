//! Crates of others on green threads: builds and runs the workspace in `ecosystem`, whose program
//! does the rest.

use std::process::ExitCode;

use crate::complaints::Complaints;
use crate::repo::Repo;

/// Passes all arguments on. The output of cargo and of the program is not captured.
pub(crate) fn ecosystem(repo: &Repo, arguments: &[&str]) -> Result<ExitCode, Complaints> {
    let mut run = repo.cargo();
    run.args(["run", "--release", "--quiet", "--manifest-path"]);
    run.arg(repo.path("ecosystem").join("Cargo.toml")).arg("--").args(arguments);
    let status = run.status().map_err(|error| vec![format!("{run:?} can't be started: {error}")])?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
