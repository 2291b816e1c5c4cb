//! Other crates' own test suites, on green threads. Each is taken from where it is published, into
//! a folder for temporary files. There the runtime that its tests ask for is replaced by the one of
//! `stand-in`. The tests are run twice: with tokio's own runtime behind it, and with green threads.

use std::{
    collections::BTreeMap,
    env, fs,
    fs::File,
    io,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

/// A suite of tests.
struct Suite {
    name: &'static str,
    version: &'static str,
    /// The repository, if the published crate has no tests. It has a tag for the version.
    repository: Option<(&'static str, &'static str)>,
    /// The folder, in the sources, of the crate that has the tests.
    member: &'static str,
    /// For `cargo test`.
    arguments: &'static [&'static str],
    /// Texts that are replaced in all its files.
    edits: &'static [(&'static str, &'static str)],
    /// Tests that end in another way on green threads, and why.
    differs: &'static [(&'static str, &'static str)],
}

/// What is replaced in all suites.
const EDITS: &[(&str, &str)] = &[
    ("#[tokio::test]", "#[tokio::test(crate = \"stand_in\")]"),
    ("#[tokio::test(", "#[tokio::test(crate = \"stand_in\", "),
    ("#[tokio::test(crate = \"stand_in\", crate = \"stand_in\")]", "#[tokio::test(crate = \"stand_in\")]"),
    ("tokio_test::block_on(", "stand_in::block_on("),
];

/// What is replaced in tests that have a file of their own.
const EDITS_OF_TESTS: &[(&str, &str)] = &[("tokio::runtime::", "stand_in::runtime::")];

const NONE: Suite =
    Suite { name: "", version: "", repository: None, member: "", arguments: &[], edits: &[], differs: &[] };

const SUITES: &[Suite] = &[
    Suite { name: "tower", version: "0.5.3", arguments: &["--features=full"], ..NONE },
    Suite {
        name: "tokio-stream",
        version: "0.1.19",
        arguments: &["--features=full"],
        differs: &[("test_iter_coop_budget", "it counts tokio's budget, of which the worker has used some")],
        ..NONE
    },
    Suite { name: "tokio-util", version: "0.7.20", arguments: &["--features=full"], ..NONE },
    Suite { name: "hyper-util", version: "0.1.21", arguments: &["--features=full"], ..NONE },
    Suite {
        name: "tokio-tungstenite",
        version: "0.29.0",
        repository: Some(("https://github.com/snapview/tokio-tungstenite", "v0.29.0")),
        ..NONE
    },
    Suite {
        name: "hyper",
        version: "1.11.0",
        repository: Some(("https://github.com/hyperium/hyper", "v1.11.0")),
        arguments: &["--features=full"],
        ..NONE
    },
    Suite {
        name: "h2",
        version: "0.4.18",
        repository: Some(("https://github.com/hyperium/h2", "v0.4.18")),
        member: "tests/h2-tests",
        ..NONE
    },
    Suite { name: "redis", version: "1.8.1", arguments: &["--features=tokio-comp"], ..NONE },
    Suite { name: "axum", version: "0.8.9", arguments: &["--all-features"], ..NONE },
];

const USAGE: &str = "\
usage: ecosystem-tokio-suites [NAME]..
  NAME  only the suites of these crates
";

type Result<T> = std::result::Result<T, String>;

/// How each test has ended, by the name of its program and its own: `ok`, `FAILED`, `ignored`, or
/// `hangs`.
type Ends = BTreeMap<String, String>;

/// For how many seconds a suite may take. It includes the time in which it is built.
const TIMEOUT: &str = "1200";

fn main() -> ExitCode {
    let names: Vec<String> = env::args().skip(1).collect();
    if names.iter().any(|name| name.starts_with('-')) {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    }
    let folder = env::temp_dir().join("greenthread-tokio-suites");
    println!("the sources and the tests' output are in {}", folder.display());
    println!("{:<17} {:<9} {:>22} {:>22} {:>9}", "", "", "on tokio", "on green threads", "through");
    println!(
        "{:<17} {:<9} {:>22} {:>22} {:>9}",
        "crate", "version", "passed failed ignored", "passed failed ignored", "block_on"
    );
    let mut code = ExitCode::SUCCESS;
    for suite in SUITES {
        if !names.is_empty() && !names.iter().any(|name| name == suite.name) {
            continue;
        }
        match run(suite, &folder) {
            Ok(true) => {}
            Ok(false) => code = ExitCode::FAILURE,
            Err(error) => {
                println!("{:<17} {:<9} not run: {error}", suite.name, suite.version);
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

/// Runs a suite in both ways, and prints its row. Returns whether all tests end as expected.
fn run(suite: &Suite, folder: &Path) -> Result<bool> {
    let sources = prepare(suite, folder).map_err(|error| error.to_string())?;
    let (on_tokio, _) = test(suite, folder, &sources, "tokio")?;
    let (on_green, through) = test(suite, folder, &sources, "green")?;
    let sum = |ends: &Ends| {
        let count = |wanted: &str| ends.values().filter(|end| *end == wanted).count();
        format!("{:>6} {:>6} {:>8}", count("ok"), count("FAILED") + count("hangs"), count("ignored"))
    };
    println!(
        "{:<17} {:<9} {:>22} {:>22} {through:>9}",
        suite.name,
        suite.version,
        sum(&on_tokio),
        sum(&on_green)
    );
    let mut is_expected = !on_tokio.is_empty();
    for (test, end) in &on_tokio {
        let green = on_green.get(test).map_or("not run", String::as_str);
        if green == end {
            continue;
        }
        let reason = suite.differs.iter().find(|(name, _)| test.ends_with(name));
        is_expected &= reason.is_some();
        println!("  {test}: {end}, {green}: {}", reason.map_or("UNEXPECTED", |(_, reason)| reason));
    }
    Ok(is_expected)
}

/// Runs the tests of a suite. Returns how they have ended, and how many of them have run a future
/// by the stand-in.
fn test(suite: &Suite, folder: &Path, sources: &Path, way: &str) -> Result<(Ends, usize)> {
    let path = folder.join(format!("{}-{way}.log", suite.name));
    let through = folder.join(format!("{}-{way}.through", suite.name));
    _ = fs::remove_file(&through);
    let log = File::create(&path).map_err(|error| error.to_string())?;
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", TIMEOUT, "cargo", "test", "--no-fail-fast", "--tests"]);
    command.args(suite.arguments).current_dir(sources);
    command.env("STAND_IN", way).env("STAND_IN_LOG", &through).env("CARGO_TERM_COLOR", "never");
    if env::var_os("CARGO_TARGET_DIR").is_none() {
        command.env("CARGO_TARGET_DIR", folder.join("target"));
    }
    command.stdin(Stdio::null()).stdout(log.try_clone().map_err(|error| error.to_string())?).stderr(log);
    command.status().map_err(|error| error.to_string())?;
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

/// Takes a suite's sources, if they have not been taken yet, and changes them.
fn prepare(suite: &Suite, folder: &Path) -> io::Result<PathBuf> {
    let sources = folder.join(format!("{}-{}", suite.name, suite.version));
    let member = sources.join(suite.member);
    // It is written last.
    let marker = sources.join("stand-in-is-in");
    if marker.exists() {
        return Ok(member);
    }
    _ = fs::remove_dir_all(&sources);
    match suite.repository {
        Some((address, tag)) => {
            fs::create_dir_all(&sources)?;
            succeed(Command::new("git").args(["init", "--quiet"]).current_dir(&sources))?;
            let mut fetch = Command::new("git");
            succeed(fetch.args(["fetch", "--quiet", "--depth=1", address, tag]).current_dir(&sources))?;
            let mut checkout = Command::new("git");
            succeed(checkout.args(["checkout", "--quiet", "FETCH_HEAD"]).current_dir(&sources))?;
        }
        None => copy(&published(suite, folder)?, &sources)?,
    }
    // With the newest dependencies, suites share most of what is built for them.
    _ = fs::remove_file(member.join("Cargo.lock"));
    edit(suite, &sources)?;
    let manifest = member.join("Cargo.toml");
    let mut text = fs::read_to_string(&manifest)?;
    let stand_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("stand-in");
    text += &format!("\n[dev-dependencies.stand-in]\npath = {stand_in:?}\n");
    if !text.contains("[workspace]") && suite.member.is_empty() {
        text += "\n[workspace]\n";
    }
    fs::write(manifest, text)?;
    fs::write(marker, "")?;
    Ok(member)
}

/// The folder into which cargo puts the sources of a published crate.
fn published(suite: &Suite, folder: &Path) -> io::Result<PathBuf> {
    let (name, version) = (suite.name, suite.version);
    // A package that has nothing but this dependency.
    let package = folder.join("download");
    fs::create_dir_all(package.join("src"))?;
    fs::write(package.join("src/lib.rs"), "")?;
    let manifest = format!(
        "[package]\nname = \"download\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n{name} = \"={version}\"\n"
    );
    fs::write(package.join("Cargo.toml"), manifest)?;
    succeed(Command::new("cargo").args(["fetch", "--quiet"]).current_dir(&package))?;
    let home = env::home_dir().unwrap_or_default().join(".cargo");
    let home = env::var_os("CARGO_HOME").map_or(home, PathBuf::from);
    for registry in fs::read_dir(home.join("registry/src"))? {
        let sources = registry?.path().join(format!("{name}-{version}"));
        if sources.exists() {
            return Ok(sources);
        }
    }
    Err(io::Error::other("cargo has not put it where it is expected"))
}

fn succeed(command: &mut Command) -> io::Result<()> {
    if command.status()?.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("{command:?} has failed")))
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

/// Replaces texts in all Rust files of a folder.
fn edit(suite: &Suite, folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            edit(suite, &path)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let is_test = path.components().any(|component| component.as_os_str() == "tests");
            let edits_of_tests = if is_test { EDITS_OF_TESTS } else { &[] };
            let before = fs::read_to_string(&path)?;
            let edits = EDITS.iter().chain(edits_of_tests).chain(suite.edits);
            let after = edits.fold(before.clone(), |text, (from, to)| text.replace(from, to));
            if after != before {
                fs::write(&path, after)?;
            }
        }
    }
    Ok(())
}
