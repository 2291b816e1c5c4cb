//! Crates of others on green threads: builds and runs the workspaces in `ecosystem`, whose programs
//! do the rest.

use std::process::ExitCode;

use crate::complaints::Complaints;
use crate::repo::Repo;

/// The workspaces: crates that block, crates that need tokio, and the tests of both kinds.
const WORKSPACES: [(&str, &str); 4] = [
    ("blocking", "ecosystem"),
    ("tokio", "ecosystem/tokio"),
    ("suites", "ecosystem/suites"),
    ("tokio-suites", "ecosystem/tokio-suites"),
];

/// Runs the workspace that the first argument names, with the other arguments; or the first two.
/// The output of cargo and of the programs is not captured.
pub(crate) fn ecosystem(repo: &Repo, arguments: &[&str]) -> Result<ExitCode, Complaints> {
    let named = WORKSPACES.iter().find(|(name, _)| arguments.first() == Some(name));
    let (folders, arguments) = match named {
        Some((_, folder)) => (vec![*folder], &arguments[1..]),
        None => (WORKSPACES[..2].iter().map(|(_, folder)| *folder).collect(), arguments),
    };
    let mut code = ExitCode::SUCCESS;
    for folder in folders {
        let mut run = repo.cargo();
        run.args(["run", "--release", "--quiet", "--manifest-path"]);
        run.arg(repo.path(folder).join("Cargo.toml")).arg("--").args(arguments);
        let status = run.status().map_err(|error| vec![format!("{run:?} can't be started: {error}")])?;
        if !status.success() {
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}
