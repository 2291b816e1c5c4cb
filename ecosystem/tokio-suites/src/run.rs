//! One run of a suite's tests.

use std::{
    collections::BTreeMap,
    env, fs,
    fs::File,
    path::Path,
    process::{Command, Stdio},
};

use crate::table::{Environment, Suite};

pub(crate) type Result<T> = std::result::Result<T, String>;

/// How each test has ended, by the name of its program and its own: `ok`, `FAILED`, `ignored`, or
/// `hangs`.
pub(crate) type Ends = BTreeMap<String, String>;

/// For how many seconds a suite's tests may take.
const TIMEOUT: &str = "900";

/// Builds the tests of a suite.
pub(crate) fn build(suite: &Suite, folder: &Path, sources: &Path, environment: &Environment) -> Result<()> {
    let log = folder.join(format!("{}-build.log", suite.name));
    let mut command = Command::new("cargo");
    command.args(["test", "--no-run"]);
    if finish(command, suite, folder, sources, environment, &log)? {
        Ok(())
    } else {
        Err(format!("it can't be built, see {}", log.display()))
    }
}

/// Gives `cargo test` its arguments, and runs it with its output in a file. Returns whether it has
/// succeeded.
fn finish(
    mut command: Command,
    suite: &Suite,
    folder: &Path,
    sources: &Path,
    environment: &Environment,
    log: &Path,
) -> Result<bool> {
    let log = File::create(log).map_err(|error| error.to_string())?;
    command.args(suite.tests).args(suite.arguments).current_dir(sources);
    command.env("CARGO_TERM_COLOR", "never").envs(environment.iter().map(|(name, value)| (name, value)));
    if env::var_os("CARGO_TARGET_DIR").is_none() {
        command.env("CARGO_TARGET_DIR", folder.join("target"));
    }
    command.stdin(Stdio::null()).stdout(log.try_clone().map_err(|error| error.to_string())?).stderr(log);
    Ok(command.status().map_err(|error| error.to_string())?.success())
}

/// Runs the tests of a suite. Returns how they have ended, and how many of them have run a future
/// by the stand-in.
pub(crate) fn test(
    suite: &Suite,
    folder: &Path,
    sources: &Path,
    environment: &Environment,
    way: &str,
) -> Result<(Ends, usize)> {
    let path = folder.join(format!("{}-{way}.log", suite.name));
    let through = folder.join(format!("{}-{way}.through", suite.name));
    _ = fs::remove_file(&through);
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", TIMEOUT, "cargo", "test", "--no-fail-fast"]);
    command.env("STAND_IN", way).env("STAND_IN_LOG", &through);
    finish(command, suite, folder, sources, environment, &path)?;
    let ends = ends(&fs::read_to_string(&path).map_err(|error| error.to_string())?);
    if ends.is_empty() {
        return Err(format!("no test has run, see {}", path.display()));
    }
    let mut names: Vec<String> =
        fs::read_to_string(through).unwrap_or_default().lines().map(Into::into).collect();
    names.sort();
    names.dedup();
    Ok((ends, names.len()))
}

/// Reads how tests have ended out of the output of `cargo test`.
fn ends(log: &str) -> Ends {
    let (mut ends, mut program) = (Ends::new(), "");
    for line in log.lines() {
        if let Some((_, path)) = line.trim().strip_prefix("Running ").and_then(|rest| rest.split_once('/')) {
            let file = path.trim_end_matches(')').rsplit('/').next().unwrap_or(path);
            program = file.rsplit_once('-').map_or(file, |(name, _)| name);
        }
        let Some(rest) = line.strip_prefix("test ") else { continue };
        let end = rest.rsplit_once(" ... ").map(|(test, end)| (test, end.split(',').next().unwrap_or(end)));
        let hangs = rest.strip_suffix(" has been running for over 60 seconds").map(|test| (test, "hangs"));
        let Some((test, end)) = end.or(hangs) else { continue };
        let test = test.trim_end_matches(" - should panic");
        ends.insert(format!("{program} {test}"), end.trim().into());
    }
    ends
}
