//! The workspace's tests on other machines: `cargo xtask cross`.
//!
//! [`targets::TARGETS`] says which there are; [`toolkit`] installs what they need; [`report`] reads
//! the tests' results, and [`table`] shows them and writes them into `PLATFORMS.md`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use exercises::child::{self, End, Run};
use exercises::machine;
use exercises::solution::Profile;

use crate::complaints::Complaints;
use crate::expected::Expected;
use crate::listing::Program;
use crate::repo::Repo;

mod report;
mod table;
mod targets;
mod toolkit;

pub(crate) use report::{Reader, Report};
use table::Row;
use targets::{How, PARTS, TARGETS, Target};
pub(crate) use toolkit::Toolkit;

const USAGE: &str = "\
usage: cargo xtask cross [TARGET].. [-p PART].. [--debug | --release] [-- ARGUMENT..]

Builds and runs the tests for other machines, all or those named, in both profiles or in one. Part
of a target's name will do. With arguments, `cargo test` gets these instead of all parts. A run of
all parts is written into PLATFORMS.md.

--check         checks the types alone, and records nothing
--list          says which targets there are
--record        writes a run of some parts into PLATFORMS.md too
--setup         only puts into place what the targets need
--stress        runs the library's tests under stress alone, with four workers and for longer
";

/// The time that a program of a listing has.
const LISTING_TIMEOUT: Duration = Duration::from_secs(120);

/// What `--stress` runs: the programs, the part of the tests' names, and the variables that they
/// read. A run has a row of its own.
const STRESS: [&str; 6] = ["--package", "greenthread", "--test", "*", "--", "stress"];
const STRESS_VARIABLES: [(&str, &str); 2] =
    [("GREENTHREAD_TEST_WORKERS", "4"), ("GREENTHREAD_TEST_SECONDS", "60")];

/// What is asked for.
#[derive(Debug, Default)]
struct Request {
    targets: Vec<Target>,
    parts: Vec<&'static str>,
    profiles: Vec<Profile>,
    arguments: Vec<String>,
    is_check: bool,
    is_setup: bool,
    is_recorded: bool,
    is_stress: bool,
}

/// Does what the arguments ask for.
pub(crate) fn cross(repo: &Repo, arguments: &[&str]) -> Result<ExitCode, Complaints> {
    if ["--help", "-h"].iter().any(|help| arguments == [*help]) {
        print!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    }
    if arguments == ["--list"] {
        for target in TARGETS {
            println!("{:<32} {:<10} {}", target.name, target.how(), target.parts.join(", "));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let request = parse(arguments)?;
    let toolkit = Toolkit::here()?;
    let start = Instant::now();
    toolkit.prepare(repo, &request.targets)?;
    if request.is_setup {
        println!("all is in place, after {:.0?}", start.elapsed());
        return Ok(ExitCode::SUCCESS);
    }
    let when = when(repo)?;
    let mut rows = Vec::new();
    for target in &request.targets {
        for profile in &request.profiles {
            // Types are the same in both.
            if request.is_stress && !target.is_run() {
                continue;
            }
            if target.how == How::Checked && *profile == Profile::Release && request.profiles.len() > 1 {
                continue;
            }
            let row = run(repo, &toolkit, target, *profile, &request, &when)?;
            print!("{}", table::shown(std::slice::from_ref(&row)));
            // What took an hour is kept even if a later target can't be run.
            let is_whole = !request.is_check
                && (request.parts.is_empty() || request.is_stress)
                && std::env::var_os("CI").is_none();
            if request.arguments.is_empty() && (is_whole || request.is_recorded) {
                table::record(repo, std::slice::from_ref(&row))?;
            }
            rows.push(row);
        }
    }
    print!("\n{}", table::shown(&rows));
    let mut is_good = true;
    for row in rows.iter().filter(|row| !row.is_good()) {
        is_good = false;
        println!("\n{}, {}:", row.target, row.profile);
        for part in &row.broken {
            println!("    {part} doesn't build");
        }
        for complaint in row.report.iter().flat_map(|report| &report.complaints) {
            println!("    {complaint}");
        }
    }
    if rows.iter().all(|row| row.report.as_ref().is_some_and(|report| report.passed + report.failed == 0)) {
        return Err(vec!["no test has run".to_owned()]);
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn parse(arguments: &[&str]) -> Result<Request, Complaints> {
    let wrong = |why: String| vec![why, USAGE.to_owned()];
    let mut request = Request::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match *argument {
            "--" => request.arguments.extend(rest.by_ref().map(|&it| it.to_owned())),
            "--debug" => request.profiles.push(Profile::Debug),
            "--release" => request.profiles.push(Profile::Release),
            "--record" => request.is_recorded = true,
            "--check" => request.is_check = true,
            "--setup" => request.is_setup = true,
            "--stress" => (request.is_stress, request.parts) = (true, vec!["greenthread"]),
            "-p" => {
                let part = rest.next().and_then(|name| PARTS.iter().find(|part| *part == name));
                let part = part.ok_or_else(|| wrong(format!("-p needs one of: {}", PARTS.join(", "))))?;
                request.parts.push(part);
            }
            name => {
                let found = if name.starts_with('-') { Vec::new() } else { Target::named(name) };
                if found.is_empty() {
                    return Err(wrong(format!("there is no target or option {name}")));
                }
                request.targets.extend(found);
            }
        }
    }
    if request.targets.is_empty() {
        request.targets.extend(TARGETS);
    }
    if request.is_check {
        request.is_recorded = false;
        request.targets.iter_mut().for_each(|target| target.how = How::Checked);
    }
    if request.profiles.is_empty() {
        request.profiles.extend(Profile::BOTH);
    }
    Ok(request)
}

/// The date, and the commit that the sources are nearest to.
fn when(repo: &Repo) -> Result<String, Complaints> {
    let date = repo.output(Command::new("date").args(["-u", "+%F"]))?;
    let commit =
        repo.output(Command::new("git").args(["describe", "--always", "--dirty=+", "--exclude=*"]))?;
    Ok(format!("{}, {}", date.trim(), commit.trim()))
}

/// Builds and runs what is asked for of one target in one profile.
fn run(
    repo: &Repo,
    toolkit: &Toolkit,
    target: &Target,
    profile: Profile,
    request: &Request,
    when: &str,
) -> Result<Row, Complaints> {
    println!("\n== {}, {}, {}", target.name, target.how(), profile.name());
    let start = Instant::now();
    let mut row = Row {
        target: target.name,
        how: target.how(),
        profile: match (profile, request.is_stress) {
            (profile, false) => profile.name(),
            (Profile::Debug, true) => "debug, stress",
            (Profile::Release, true) => "release, stress",
        },
        built: Vec::new(),
        broken: Vec::new(),
        report: target.is_run().then(Report::default),
        time: Duration::ZERO,
        when: when.to_owned(),
    };
    let log = repo.target().join(format!("cross/{}-{}.log", target.name, row.profile.replace(", ", "-")));
    repo.write(&log, "")?;
    println!("   all output: {}", log.display());
    let mut log = File::create(&log).map_err(|error| vec![format!("{}: {error}", log.display())])?;
    // A listing's programs are run, or they are not there.
    let is_wanted = |part: &&str| {
        (request.parts.is_empty() || request.parts.contains(part))
            && (target.how != How::Checked || *part != "listings")
    };
    let parts: Vec<&'static str> = match request.arguments.is_empty() {
        true => target.parts.iter().copied().filter(is_wanted).collect(),
        false => vec!["as asked"],
    };
    for part in parts {
        if part == "listings" {
            for package in target.listings {
                run_listing(repo, toolkit, target, profile, package, &mut row)?;
            }
            continue;
        }
        let mut cargo = toolkit.cargo(repo, target);
        cargo.args(match target.how {
            How::Linked => ["zigbuild", "-Zbuild-std", "--target", target.name],
            How::Checked => ["check", "-Zbuild-std", "--target", target.name],
            _ => ["test", "-Zbuild-std", "--target", target.name],
        });
        if profile == Profile::Release {
            cargo.arg("--release");
        }
        if target.is_run() {
            cargo.arg("--no-fail-fast");
        }
        if matches!(target.how, How::Emulator { .. } | How::Wine) {
            cargo.env("GREENTHREAD_TEST_SLOWNESS", "4");
        }
        if request.is_stress {
            cargo.args(STRESS).envs(STRESS_VARIABLES);
        } else if request.arguments.is_empty() {
            cargo.args(["--package", package(part)]);
            if target.is_run() {
                cargo.arg("--").args(target.skipped.iter().flat_map(|(test, _)| ["--skip", test]));
            } else {
                cargo.args(["--lib", "--tests"]);
            }
        } else {
            cargo.args(&request.arguments);
        }
        run_part(&mut cargo, part, &mut log, &mut row)?;
    }
    row.time = start.elapsed();
    if request.is_stress {
        // All others were not asked for.
        row.report.iter_mut().for_each(|report| report.skipped = 0);
    }
    Ok(row)
}

fn package(part: &str) -> &str {
    match part {
        "context" => "greenthread-context",
        "models" => "greenthread-models",
        other => other,
    }
}

/// Runs Cargo and adds what it says to the row.
fn run_part(
    cargo: &mut Command,
    part: &'static str,
    log: &mut File,
    row: &mut Row,
) -> Result<(), Complaints> {
    let failed = |error: io::Error| vec![format!("cargo: {error}")];
    let (output, input) = io::pipe().map_err(failed)?;
    cargo.stdin(std::process::Stdio::null());
    cargo.stdout(input.try_clone().map_err(failed)?).stderr(input);
    let mut child = cargo.spawn().map_err(failed)?;
    // The command's own ends of the pipe would keep it open.
    cargo.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let (mut reader, mut lines, mut last) = (Reader::default(), BufReader::new(output), Vec::new());
    let mut errors = Vec::new();
    let mut bytes = Vec::new();
    while lines.read_until(b'\n', &mut bytes).map_err(failed)? > 0 {
        log.write_all(&bytes).map_err(failed)?;
        let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        bytes.clear();
        if let Some(shown) = reader.line(&line) {
            println!("   {part}, {shown}");
        }
        if line.starts_with("error") && errors.len() < 10 {
            errors.push(line.clone());
        }
        last.push(line);
    }
    let is_good = child.wait().map_err(failed)?.success();
    let report = reader.report();
    let has_run = report.programs > 0;
    // Cargo fails before the first program if one of them doesn't build.
    if !is_good && !has_run {
        errors.iter().for_each(|error| println!("   {part}: {error}"));
        if errors.is_empty() {
            last.iter().rev().take(5).rev().for_each(|line| println!("   {part}: {line}"));
        }
        row.broken.push(part);
        return Ok(());
    }
    row.built.push(part);
    let Some(sum) = &mut row.report else { return Ok(()) };
    // Cargo fails if a program does. Nothing that it says may be missed here.
    let is_missed = !is_good && report.failed == 0;
    sum.programs += report.programs;
    sum.passed += report.passed;
    sum.failed += report.failed + usize::from(is_missed);
    sum.skipped += report.skipped;
    sum.complaints.extend(report.complaints.into_iter().map(|complaint| format!("{part}, {complaint}")));
    if is_missed {
        sum.complaints.push(format!("{part}: cargo has failed; its output says why"));
    }
    Ok(())
}

/// Builds the programs of a listing, and compares what they print with what the book shows.
fn run_listing(
    repo: &Repo,
    toolkit: &Toolkit,
    target: &Target,
    profile: Profile,
    package: &'static str,
    row: &mut Row,
) -> Result<(), Complaints> {
    let mut cargo = toolkit.cargo(repo, target);
    cargo.args(["build", "-Zbuild-std", "--quiet", "--bins", "--target", target.name, "--package", package]);
    if profile == Profile::Release {
        cargo.arg("--release");
    }
    if let Err(complaints) = repo.output(&mut cargo) {
        println!("   listing {package}: {}", complaints.join("\n"));
        row.broken.push(package);
        return Ok(());
    }
    row.built.push(package);
    let folder = repo.target().join("cross").join(target.name).join(profile.name());
    let suffix = if target.how == How::Wine { ".exe" } else { "" };
    let machine = machine::ALL.iter().find(|it| it.target == target.name).map_or("here", |it| it.name);
    for program in Program::all(repo).iter().filter(|it| it.package == package && !it.is_measurement()) {
        let mut command = Command::new(toolkit.runner(target));
        command.arg(folder.join(format!("{}{suffix}", program.name))).current_dir(repo.path(""));
        command.env_remove("RUST_BACKTRACE").env_remove("RUST_LIB_BACKTRACE");
        let run = child::run(&mut command, LISTING_TIMEOUT)
            .map_err(|error| vec![format!("{} can't be started: {error}", program.name)])?;
        let run = Run { end: behind_a_shell(run.end), ..run };
        let expected = repo.read(&program.expected(repo, machine, profile))?;
        let outcome = Expected::parse(&expected).compare(&run);
        let Some(report) = &mut row.report else { continue };
        report.programs += 1;
        match outcome {
            Ok(()) => report.passed += 1,
            Err(complaints) => {
                report.failed += 1;
                let complaint = format!("listing {}: {}", program.name, complaints.join("; "));
                println!("   {complaint}");
                report.complaints.push(complaint);
            }
        }
    }
    println!("   listing {package}: as the book shows it, but for what is said above");
    Ok(())
}

/// The end of a program that a script has started: the shell adds 128 to a signal.
fn behind_a_shell(end: End) -> End {
    match end {
        End::Status(status @ 129..=159) => End::Signal(status - 128),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests() {
        let request = parse(&["musl", "-p", "context", "--debug", "--", "-p", "x"]).unwrap();
        assert_eq!(request.targets[0].name, "x86_64-unknown-linux-musl");
        assert_eq!((request.parts, request.profiles), (vec!["context"], vec![Profile::Debug]));
        assert_eq!(request.arguments, ["-p", "x"]);
        let check = parse(&["windows-gnu", "--check", "--record"]).unwrap();
        assert!(check.targets.iter().all(|target| target.how == How::Checked) && !check.is_recorded);
        let stress = parse(&["aarch64", "--stress"]).unwrap();
        assert_eq!((stress.parts, stress.is_stress), (vec!["greenthread"], true));
        let all = parse(&[]).unwrap();
        assert_eq!((all.targets.len(), all.profiles.len()), (TARGETS.len(), 2));
        for wrong in [&["vax"][..], &["-p"], &["-p", "vax"], &["--fast"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_shell_adds_128_to_a_signal() {
        assert_eq!(behind_a_shell(End::Status(139)), End::Signal(11));
        assert_eq!(behind_a_shell(End::Status(101)), End::Status(101));
    }

    #[test]
    fn a_command_that_fails_before_it_runs_a_program_has_not_built() {
        let repo = Repo::of_files(&[("log", "")]);
        let mut log = File::create(repo.path("log")).unwrap();
        let mut row = Row {
            target: "a",
            how: "native",
            profile: "debug",
            built: Vec::new(),
            broken: Vec::new(),
            report: Some(Report::default()),
            time: Duration::ZERO,
            when: String::new(),
        };
        let mut shell = |script: &str, part| {
            run_part(Command::new("sh").args(["-c", script]), part, &mut log, &mut row).unwrap();
            (row.built.clone(), row.broken.clone(), row.report.as_ref().unwrap().failed)
        };
        assert_eq!(shell("echo error: no; exit 101", "one"), (vec![], vec!["one"], 0));
        assert_eq!(shell("exit 0", "two"), (vec!["two"], vec!["one"], 0));
        let dies = "echo '     Running tests/b.rs (b)' >&2; exit 1";
        assert_eq!(shell(dies, "three"), (vec!["two", "three"], vec!["one"], 1));
        let lies =
            "echo '     Running tests/b.rs (b)' >&2; echo 'test result: ok. 1 passed; 0 failed'; exit 1";
        assert_eq!(shell(lies, "four").2, 2);
    }
}
