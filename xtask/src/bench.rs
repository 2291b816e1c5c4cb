//! The library beside its peers: builds the workspace in `bench`, whose program `run` does the
//! rest.

use std::process::{Command, ExitCode};

use crate::complaints::Complaints;
use crate::repo::Repo;

/// Passes all arguments on. The output of cargo and of the runner is not captured.
pub(crate) fn bench(repo: &Repo, arguments: &[&str]) -> Result<ExitCode, Complaints> {
    let bench = repo.path("bench");
    let target = bench.join("target");
    // The target folder is named: the runner looks for the peers beside itself, and leaves its
    // measurements there.
    let mut build = repo.cargo();
    build.args(["build", "--release", "--manifest-path"]).arg(bench.join("Cargo.toml"));
    build.arg("--target-dir").arg(&target).args(["-p", "run"]);
    if !arguments.iter().any(|argument| ["--report", "--list", "--help", "-h"].contains(argument)) {
        build.args(["-p", "load", "-p", "peer-*"]);
    }
    if !succeeds(&mut build)? {
        return Err(vec!["the bench doesn't build".to_owned()]);
    }
    let run = target.join("release/run");
    Ok(if succeeds(Command::new(run).args(arguments))? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn succeeds(command: &mut Command) -> Result<bool, Complaints> {
    let status = command.status().map_err(|error| vec![format!("{command:?} can't be started: {error}")])?;
    Ok(status.success())
}
