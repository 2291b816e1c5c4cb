//! One run of one program of tests.

use std::{
    collections::BTreeSet,
    fs,
    io::Read,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    source::{Program, work},
    table::Suite,
};

/// How long a program may take, and one test alone. One that takes longer waits for something that
/// never comes.
const PATIENCE: Duration = Duration::from_secs(120);
const PATIENCE_FOR_ONE: Duration = Duration::from_secs(60);

/// How many tests run at once.
const AT_ONCE: &str = "--test-threads=8";

/// What the programs of one crate have said.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    passed: usize,
    ignored: usize,
    /// Those that have failed, or did not end.
    pub(crate) failed: BTreeSet<String>,
    /// How many green threads there were.
    pub(crate) threads: u64,
}

impl Outcome {
    pub(crate) fn counts(&self) -> String {
        format!("{}/{}/{}", self.passed, self.failed.len(), self.ignored)
    }
}

/// Runs a program on OS threads, or with the library that makes them green. If it does not come to
/// its end, the tests that are left are run one by one.
pub(crate) fn run(
    suite: &Suite,
    program: &Program,
    variable: &Option<(&str, String)>,
    preload: Option<&Path>,
    outcome: &mut Outcome,
) -> Result<(), String> {
    let report = work().join("report");
    let call = |arguments: &[&str], patience| {
        let mut command = Command::new(&program.path);
        command.current_dir(&program.folder).arg(AT_ONCE).args(arguments);
        command.env("CARGO_MANIFEST_DIR", &program.folder).envs(variable.clone());
        for (name, _) in suite.skipped.iter().filter(|_| preload.is_some()) {
            command.args(["--skip", name]);
        }
        if let Some(preload) = preload {
            _ = fs::remove_file(&report);
            command.env("LD_PRELOAD", preload).env("SUITES_REPORT", &report);
        }
        let text =
            output(command, patience).map_err(|error| format!("{}: {error}", program.path.display()))?;
        let threads = fs::read_to_string(&report).ok().and_then(|number| number.parse::<u64>().ok());
        Ok::<_, String>((text, threads.filter(|_| preload.is_some()).unwrap_or_default()))
    };
    let (text, threads) = call(&[], PATIENCE)?;
    outcome.threads += threads;
    let seen = read(&text, outcome);
    if text.contains("\ntest result: ") {
        return Ok(());
    }
    let (list, _) = call(&["--list"], PATIENCE_FOR_ONE)?;
    for name in list.lines().filter_map(|line| line.strip_suffix(": test")) {
        if !seen.contains(name) {
            let (text, threads) = call(&["--exact", name], PATIENCE_FOR_ONE)?;
            outcome.threads += threads;
            if read(&text, outcome).is_empty() {
                outcome.failed.insert(name.to_owned());
            }
        }
    }
    Ok(())
}

/// What a command prints until it ends or is killed.
fn output(mut command: Command, patience: Duration) -> std::io::Result<String> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    // With the children that it starts, such as servers, it is killed as one.
    let mut child = command.process_group(0).spawn()?;
    let mut stdout = child.stdout.take().expect("it is piped");
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        _ = stdout.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let begin = Instant::now();
    while child.try_wait()?.is_none() {
        if begin.elapsed() > patience {
            // SAFETY: the call touches no memory. The group is the child's, which has not been
            // waited for.
            unsafe { libc::kill(-child.id().cast_signed(), libc::SIGKILL) };
            child.wait()?;
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(reader.join().expect("the reader does not panic"))
}

/// Counts what the test harness has printed, and returns the names of the tests that have ended.
fn read(text: &str, outcome: &mut Outcome) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    for line in text.lines() {
        let Some((name, result)) = line.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... "))
        else {
            continue;
        };
        let name = name.trim_end_matches(" - should panic").to_owned();
        match result.split([' ', ',']).next() {
            Some("ok") => outcome.passed += 1,
            Some("ignored") => outcome.ignored += 1,
            _ => _ = outcome.failed.insert(name.clone()),
        }
        seen.insert(name);
    }
    seen
}
