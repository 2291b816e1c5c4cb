//! One run of a suite's tests.

use std::{
    collections::BTreeMap,
    env, fs,
    fs::File,
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::table::{Environment, Suite};

/// How each test has ended, by the name of its program and its own: `ok`, `FAILED`, `ignored`, or
/// `hangs`.
pub(crate) type Ends = BTreeMap<String, String>;

/// For how many seconds a suite's tests may take.
const TIMEOUT: &str = "900";

/// A suite whose sources and servers are ready.
pub(crate) struct Prepared<'a> {
    pub(crate) suite: &'a Suite,
    /// For the output of its tests.
    pub(crate) folder: &'a Path,
    pub(crate) sources: PathBuf,
    pub(crate) environment: Environment,
}

/// Gives `cargo test` its arguments, and runs it with its output in a file. Returns whether it has
/// succeeded.
fn finish(mut command: Command, prepared: &Prepared<'_>, log: &Path) -> io::Result<bool> {
    let Prepared { suite, folder, sources, environment } = prepared;
    let log = File::create(log)?;
    if let Some((from, to)) = suite.fresh {
        fs::copy(sources.join(from), sources.join(to))?;
    }
    command.args(suite.tests).args(suite.arguments).current_dir(sources);
    command.env("CARGO_TERM_COLOR", "never").envs(environment.iter().cloned());
    if env::var_os("CARGO_TARGET_DIR").is_none() {
        command.env("CARGO_TARGET_DIR", folder.join("target"));
    }
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    Ok(command.status()?.success())
}

/// Builds the tests of a suite.
pub(crate) fn build(prepared: &Prepared<'_>) -> io::Result<()> {
    let log = prepared.folder.join(format!("{}-build.log", prepared.suite.name));
    let mut command = Command::new("cargo");
    command.args(["test", "--no-run"]);
    if finish(command, prepared, &log)? {
        Ok(())
    } else {
        Err(io::Error::other(format!("it can't be built, see {}", log.display())))
    }
}

/// Runs the tests of a suite. Returns how they have ended, and how many of them have run a future
/// by the stand-in.
pub(crate) fn test(prepared: &Prepared<'_>, way: &str) -> io::Result<(Ends, usize)> {
    let Prepared { suite, folder, .. } = prepared;
    let path = folder.join(format!("{}-{way}.log", suite.name));
    let through = folder.join(format!("{}-{way}.through", suite.name));
    _ = fs::remove_file(&through);
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", TIMEOUT, "cargo", "test", "--no-fail-fast"]);
    command.env("STAND_IN", way).env("STAND_IN_LOG", &through);
    finish(command, prepared, &path)?;
    let ends = ends(&String::from_utf8_lossy(&fs::read(&path)?));
    if ends.is_empty() {
        return Err(io::Error::other(format!("no test has run, see {}", path.display())));
    }
    let mut names: Vec<String> =
        fs::read_to_string(through).unwrap_or_default().lines().map(Into::into).collect();
    names.sort();
    names.dedup();
    Ok((ends, names.len()))
}

/// Reads how tests have ended out of the output of `cargo test`. What a test prints may come
/// between its name and its end. Then the end has a line of its own, if one test runs at a time.
fn ends(log: &str) -> Ends {
    let (mut ends, mut program, mut open) = (Ends::new(), "", None);
    for line in log.lines() {
        if let Some((_, path)) = line.trim().strip_prefix("Running ").and_then(|rest| rest.split_once('/')) {
            let file = path.trim_end_matches(')').rsplit('/').next().unwrap_or(path);
            open = None;
            program = file.rsplit_once('-').map_or(file, |(name, _)| name);
        }
        let named = line.strip_prefix("test ").and_then(|rest| {
            let hangs =
                rest.strip_suffix(" has been running for over 60 seconds").map(|test| (test, "hangs"));
            hangs.or_else(|| rest.split_once(" ... "))
        });
        if let Some((test, _)) = named {
            open = Some(test);
        }
        let (Some(test), end) = (open, named.map_or(line, |(_, end)| end)) else { continue };
        let end = end.split(',').next().unwrap_or(end);
        if ["ok", "FAILED", "ignored", "hangs"].contains(&end) {
            ends.insert(format!("{program} {}", test.trim_end_matches(" - should panic")), end.into());
            open = None;
        }
    }
    ends
}
