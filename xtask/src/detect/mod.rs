//! The library's tests under tools that look at every access to memory: Valgrind's memcheck,
//! AddressSanitizer and ThreadSanitizer. `cargo xtask valgrind`, `asan` and `tsan`.
//!
//! All test programs of [`PACKAGES`] run, one after the other, but for the tests of
//! [`skipped::SKIPPED`]. A tool writes what it finds into files. So what is found in a child of a
//! test counts as well, and a test that reads its child's output isn't confused. The tests with an
//! error that the tool must find have it written to standard error instead, where they look for it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use crate::complaints::Complaints;
use crate::cross::{Reader, Report};
use crate::repo::Repo;

mod memcheck;
mod sanitizers;
mod setup;
mod skipped;

use setup::{Setup, target};
use skipped::{SKIPPED, Tool};

/// The packages whose tests run, and their folders.
const PACKAGES: [(&str, &str); 2] =
    [("greenthread-context", "crates/context"), ("greenthread", "crates/greenthread")];

/// The seconds that a test program has.
const LIMIT: u32 = 1800;

/// A test program.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Program {
    package: &'static str,
    /// `lib`, or the name of a file or folder in `tests`.
    name: String,
}

/// What happened to a program.
#[derive(Debug)]
struct Row {
    program: String,
    report: Report,
    findings: usize,
    time: Duration,
}

/// Runs the named programs (`sync`) or modules (`sync::mutex`), or all programs.
pub(crate) fn detect(repo: &Repo, tool: &str, names: &[&str]) -> Result<ExitCode, Complaints> {
    let tool = match tool {
        "asan" => Tool::Asan,
        "tsan" => Tool::Tsan,
        _ => Tool::Valgrind,
    };
    let chosen = choose(&programs(repo), names)?;
    let logs = repo.target().join(format!("{}-logs", tool.name()));
    println!("all output, and all findings: {}", logs.display());
    build(repo, tool, &chosen, &logs)?;
    let mut rows = Vec::new();
    for (program, modules) in &chosen {
        let row = run(repo, tool, program, modules, &logs)?;
        println!("{}", row.said());
        rows.push(row);
    }
    print!("\n{}", table(&rows));
    println!("\nleft out:");
    for skip in SKIPPED.iter().filter(|skip| skip.by.contains(&tool)) {
        println!("    {}: {}", skip.test, skip.why);
    }
    for row in rows.iter().filter(|row| !row.is_good()) {
        println!("\n{}: {} findings", row.program, row.findings);
        row.report.complaints.iter().for_each(|complaint| println!("    {complaint}"));
    }
    Ok(if rows.iter().all(Row::is_good) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The test programs that Cargo finds by itself.
fn programs(repo: &Repo) -> Vec<Program> {
    let mut found = Vec::new();
    for (package, folder) in PACKAGES {
        found.push(Program { package, name: "lib".to_owned() });
        for path in repo.entries(&repo.path(folder).join("tests")) {
            let is_program = match path.extension() {
                Some(extension) => extension == "rs",
                None => path.join("main.rs").exists(),
            };
            let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
            found.extend(name.filter(|_| is_program).map(|name| Program { package, name }));
        }
    }
    found
}

/// The named programs, each with its named modules; all programs if there are no names.
fn choose(programs: &[Program], names: &[&str]) -> Result<Vec<(Program, Vec<String>)>, Complaints> {
    if names.is_empty() {
        return Ok(programs.iter().map(|program| (program.clone(), Vec::new())).collect());
    }
    let mut chosen = Vec::new();
    for name in names {
        let (program, module) = name.split_once("::").map_or((*name, None), |(it, rest)| (it, Some(rest)));
        let before = chosen.len();
        for found in programs.iter().filter(|found| found.name == program || found.package == program) {
            chosen.push((found.clone(), module.map(str::to_owned).into_iter().collect()));
        }
        if chosen.len() == before {
            return Err(vec![format!("there is no test program {program}")]);
        }
    }
    Ok(chosen)
}

impl Program {
    /// The options of Cargo that choose it.
    fn chosen(&self) -> Vec<&str> {
        match &*self.name {
            "lib" => vec!["--package", self.package, "--lib"],
            name => vec!["--package", self.package, "--test", name],
        }
    }

    fn shown(&self) -> String {
        format!("{}/{}", self.package, self.name)
    }
}

fn setup(repo: &Repo, tool: Tool, findings: &Path) -> Result<Setup, Complaints> {
    let mut setup = match tool {
        Tool::Valgrind => memcheck::setup(repo, findings)?,
        Tool::Asan => sanitizers::ADDRESS.setup(repo, findings)?,
        Tool::Tsan => sanitizers::THREAD.setup(repo, findings)?,
    };
    let runner = format!("timeout --kill-after 10 {LIMIT} {}", setup.runner);
    setup
        .cargo
        .env(format!("CARGO_TARGET_{}_RUNNER", target().to_uppercase().replace('-', "_")), runner.trim());
    setup.cargo.env("RUST_BACKTRACE", "0").env("GREENTHREAD_WATCHDOG", "0");
    setup.cargo.current_dir(repo.path("")).stdin(Stdio::null());
    Ok(setup)
}

/// Builds the programs, and the examples, which the tests of this name start.
fn build(repo: &Repo, tool: Tool, chosen: &[(Program, Vec<String>)], logs: &Path) -> Result<(), Complaints> {
    for (package, _) in PACKAGES {
        let programs: Vec<_> = chosen.iter().filter(|(program, _)| program.package == package).collect();
        if programs.is_empty() {
            continue;
        }
        let mut commands = vec![vec!["test", "--no-run"]];
        commands[0].extend(programs.iter().flat_map(|(program, _)| program.chosen()));
        if programs.iter().any(|(program, _)| program.name == "examples") {
            commands.push(vec!["build", "--package", package, "--examples"]);
        }
        for command in commands {
            let Setup { mut cargo, folder, arguments, .. } = setup(repo, tool, logs)?;
            cargo.args(command).args(arguments).arg("--target-dir").arg(folder);
            let status = cargo.status().map_err(|error| vec![format!("cargo can't be started: {error}")])?;
            if !status.success() {
                return Err(vec![format!("the tests of {package} don't build for {}", tool.name())]);
            }
        }
    }
    Ok(())
}

fn run(
    repo: &Repo,
    tool: Tool,
    program: &Program,
    modules: &[String],
    logs: &Path,
) -> Result<Row, Complaints> {
    let start = Instant::now();
    let (log, findings) = (logs.join(program.shown()).with_extension("log"), logs.join(program.shown()));
    _ = std::fs::remove_dir_all(&findings);
    let failed = |error: io::Error| vec![format!("{}: {error}", program.shown())];
    std::fs::create_dir_all(&findings).map_err(failed)?;
    let mut log = File::create(log).map_err(failed)?;
    let Setup { mut cargo, folder, arguments, .. } = setup(repo, tool, &findings)?;
    cargo.args(["test", "--no-fail-fast"]).args(program.chosen()).args(arguments);
    cargo.arg("--target-dir").arg(folder).arg("--");
    // Valgrind runs one OS thread at a time anyway.
    if tool == Tool::Valgrind {
        cargo.arg("--test-threads=1");
    }
    let name = program.shown();
    for skip in SKIPPED.iter().filter(|skip| skip.by.contains(&tool)) {
        if let Some(test) = skip.test.strip_prefix(&format!("{name}::")) {
            cargo.args(["--skip", test]);
        }
    }
    cargo.args(modules.iter().map(|module| format!("{module}::")));
    let (output, input) = io::pipe().map_err(failed)?;
    let mut child = cargo.stdout(input.try_clone().map_err(failed)?).stderr(input).spawn().map_err(failed)?;
    // The command's own ends of the pipe would keep it open.
    cargo.stdout(Stdio::null()).stderr(Stdio::null());
    let (mut reader, mut lines, mut bytes) = (Reader::default(), BufReader::new(output), Vec::new());
    while lines.read_until(b'\n', &mut bytes).map_err(failed)? > 0 {
        log.write_all(&bytes).map_err(failed)?;
        reader.line(String::from_utf8_lossy(&bytes).trim_end());
        bytes.clear();
    }
    let is_good = child.wait().map_err(failed)?.success();
    let mut report = reader.report();
    if report.programs == 0 || (!is_good && report.failed == 0) {
        report.failed += 1;
        report.complaints.push(format!("{name}: cargo has failed; its output says why"));
    }
    let files = repo.all_files(&findings).into_iter().filter_map(|path| std::fs::read(path).ok());
    let findings = files.map(|text| tool.findings(&String::from_utf8_lossy(&text))).sum();
    Ok(Row { program: name, report, findings, time: start.elapsed() })
}

impl Tool {
    fn name(self) -> &'static str {
        match self {
            Tool::Valgrind => "valgrind",
            Tool::Asan => "asan",
            Tool::Tsan => "tsan",
        }
    }

    /// How much the tool has found, of what it has written into a file.
    fn findings(self, text: &str) -> usize {
        // Valgrind's text of an error ends with what would suppress it.
        let marks: &[&str] = match self {
            Tool::Valgrind => &["<insert_a_suppression_name_here>", "client switching stacks"],
            Tool::Asan | Tool::Tsan => &["SUMMARY: ", "FATAL: ", "CHECK failed"],
        };
        text.lines().filter(|line| marks.iter().any(|mark| line.contains(mark))).count()
    }
}

impl Row {
    fn is_good(&self) -> bool {
        self.report.failed == 0 && self.findings == 0
    }

    fn cells(&self) -> [String; 6] {
        let Report { passed, failed, skipped, .. } = &self.report;
        let seconds = self.time.as_secs();
        let [passed, failed, skipped, findings] =
            [passed, failed, skipped, &self.findings].map(ToString::to_string);
        let time = format!("{}:{:02}", seconds / 60, seconds % 60);
        [self.program.clone(), passed, failed, skipped, findings, time]
    }

    fn said(&self) -> String {
        let [program, passed, failed, skipped, findings, time] = self.cells();
        format!(
            "{program}: {passed} passed, {failed} failed, {skipped} left out, {findings} findings, {time}"
        )
    }
}

/// The rows in columns, and their sum.
fn table(rows: &[Row]) -> String {
    let head = ["program", "passed", "failed", "left out", "findings", "time"].map(str::to_owned);
    let mut sum =
        Row { program: "all".to_owned(), report: Report::default(), findings: 0, time: Duration::ZERO };
    for row in rows {
        sum.report.passed += row.report.passed;
        sum.report.failed += row.report.failed;
        sum.report.skipped += row.report.skipped;
        sum.findings += row.findings;
        sum.time += row.time;
    }
    let lines: Vec<_> = [head].into_iter().chain(rows.iter().chain([&sum]).map(Row::cells)).collect();
    let mut text = String::new();
    for [program, numbers @ ..] in &lines {
        text += &format!("{program:<32}");
        numbers.iter().for_each(|number| text += &format!("{number:>10}"));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_test_programs_are_found() {
        let found = programs(&Repo::here());
        for name in
            ["greenthread/lib", "greenthread/sync", "greenthread/injected", "greenthread-context/switch"]
        {
            assert!(found.iter().any(|program| program.shown() == name), "{name}");
        }
        assert!(!found.iter().any(|program| ["common", "corpus"].contains(&&*program.name)));
    }

    #[test]
    fn programs_and_modules_are_chosen() {
        let found = programs(&Repo::here());
        assert_eq!(choose(&found, &[]).unwrap().len(), found.len());
        let chosen = choose(&found, &["sync::mutex", "lib"]).unwrap();
        assert_eq!(chosen[0].0.chosen(), ["--package", "greenthread", "--test", "sync"]);
        assert_eq!(chosen[0].1, ["mutex"]);
        assert_eq!(chosen.len(), 3);
        assert!(choose(&found, &["vax"]).is_err());
    }

    #[test]
    fn findings_are_counted() {
        let race = "WARNING: ThreadSanitizer: data race (pid=1)\nSUMMARY: ThreadSanitizer: data race a.rs:1\n\
                    ThreadSanitizer: reported 1 warnings\n";
        assert_eq!(Tool::Tsan.findings(race), 1);
        let read = "==1== Invalid read of size 4\n==1== \n{\n   <insert_a_suppression_name_here>\n}\n";
        assert_eq!(Tool::Valgrind.findings(read), 1);
        assert_eq!(Tool::Valgrind.findings("--1-- WARNING: unhandled amd64-linux syscall: 441\n"), 0);
    }

    #[test]
    fn a_finding_makes_the_run_fail() {
        let report = || Report { programs: 1, passed: 3, ..Report::default() };
        let row =
            |findings| Row { program: "a".to_owned(), report: report(), findings, time: Duration::ZERO };
        assert!(row(0).is_good());
        assert!(!row(1).is_good());
        let text = table(&[row(1), row(2)]);
        assert!(text.lines().last().unwrap().starts_with("all"));
        assert!(text.lines().last().unwrap().contains(" 3 "));
    }

    /// A name that is no longer a test's would let its reason stand for nothing.
    #[test]
    fn what_is_left_out_is_there() {
        let repo = Repo::here();
        for skip in SKIPPED {
            let (program, test) = skip.test.split_once("::").unwrap();
            let (package, program) = program.split_once('/').unwrap();
            let (_, folder) = PACKAGES.iter().find(|(name, _)| *name == package).unwrap();
            let folder = repo.path(folder);
            let mut files = match program {
                "lib" => repo.all_files(&folder.join("src")),
                program => repo.all_files(&folder.join("tests").join(program)),
            };
            files.push(folder.join(format!("tests/{program}.rs")));
            let test = test.rsplit("::").next().unwrap();
            let marks = [format!("fn {test}"), format!("mod {test};")];
            let has = |text: &str| marks.iter().any(|mark| text.contains(mark));
            assert!(files.iter().any(|path| repo.read(path).is_ok_and(|text| has(&text))), "{}", skip.test);
        }
    }
}
