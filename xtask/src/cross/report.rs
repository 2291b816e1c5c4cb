//! What the output of `cargo test` says about the test programs it ran.

use std::collections::BTreeSet;

/// The tests of some programs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) programs: usize,
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    /// Tests that were ignored or left out, and those that have found that they can't hold there.
    pub(crate) skipped: usize,
    /// The tests that failed, and the programs that ended before their last test.
    pub(crate) complaints: Vec<String>,
}

/// Reads the output line by line.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    report: Report,
    /// The program that runs, and how often it has said how its tests went.
    running: Option<(String, usize)>,
    /// Tests that have been running for a minute, and have not ended since.
    slow: Vec<String>,
    failures: Vec<String>,
    /// Tests of the program that say that the machine lacks what they need, and then pass.
    lacking: BTreeSet<String>,
    is_out_of_time: bool,
    /// How the program ended that had an end of its own.
    end: Option<String>,
}

impl Reader {
    /// Takes a line. Returns what is worth showing.
    pub(crate) fn line(&mut self, line: &str) -> Option<String> {
        let text = line.trim();
        if let Some(name) = started(line) {
            let shown = self.finish();
            self.running = Some((name, 0));
            return shown;
        }
        if let Some(counts) = text.strip_prefix("test result: ") {
            return self.result(counts);
        }
        if text == "failures:" {
            // The second list, after the tests' output, has the names.
            self.failures.clear();
        } else if let Some(name) = line.strip_prefix("    ") {
            self.failures.push(name.trim().to_owned());
        } else if let Some(name) = text.strip_suffix(" has been running for over 60 seconds") {
            self.slow.push(name.trim_start_matches("test ").to_owned());
        } else if let Some((name, _)) = text.strip_prefix("test ").and_then(|text| text.split_once(" ... ")) {
            self.slow.retain(|slow| slow != name);
        }
        // The harness's own words may stand before it.
        if let Some((test, _)) =
            text.split_once("not tested here: ").and_then(|it| it.1.split_once(", for lack of "))
        {
            self.lacking.insert(test.to_owned());
        }
        if text.starts_with("cross: out of time") {
            self.is_out_of_time = true;
        }
        if text.starts_with("process didn't exit successfully") {
            self.end = text.rsplit_once('(').map(|(_, end)| end.trim_end_matches(')').to_owned());
        }
        None
    }

    /// The report, when the output has ended.
    pub(crate) fn report(mut self) -> Report {
        self.finish();
        self.report
    }

    fn result(&mut self, counts: &str) -> Option<String> {
        let count = |what: &str| -> usize {
            let before = counts.split(what).next().filter(|before| before.len() < counts.len());
            before.and_then(|text| text.trim_end().rsplit(' ').next()?.parse().ok()).unwrap_or(0)
        };
        let lacking = std::mem::take(&mut self.lacking).len().min(count("passed"));
        let (passed, failed) = (count("passed") - lacking, count("failed"));
        let skipped = count("ignored") + count("filtered out") + lacking;
        let (name, results) = self.running.as_mut()?;
        *results += 1;
        self.report.passed += passed;
        self.report.failed += failed;
        self.report.skipped += skipped;
        if failed > 0 {
            self.report.complaints.extend(self.failures.drain(..).map(|test| format!("{name}: {test}")));
        }
        (passed + failed > 0).then(|| format!("{name}: {passed} passed, {failed} failed, {skipped} skipped"))
    }

    /// Ends the program that runs. One that has not said how its tests went has died.
    fn finish(&mut self) -> Option<String> {
        let (name, results) = self.running.take()?;
        self.report.programs += 1;
        let (end, is_out_of_time) = (self.end.take(), std::mem::take(&mut self.is_out_of_time));
        let slow = std::mem::take(&mut self.slow);
        self.failures.clear();
        self.lacking.clear();
        if results > 0 && !is_out_of_time {
            return None;
        }
        let mut what = if is_out_of_time { "out of time".to_owned() } else { "died".to_owned() };
        what += &end.filter(|_| !is_out_of_time).map(|end| format!(" ({end})")).unwrap_or_default();
        if !slow.is_empty() {
            what += &format!("; still running: {}", slow.join(", "));
        }
        let complaint = format!("{name}: {what}");
        self.report.failed += 1;
        self.report.complaints.push(complaint.clone());
        Some(complaint)
    }
}

/// The name of the program that Cargo says it starts.
fn started(line: &str) -> Option<String> {
    let text = line.trim();
    if let Some(package) = text.strip_prefix("Doc-tests ") {
        return Some(format!("doc examples of {package}"));
    }
    let (name, path) = text.strip_prefix("Running ")?.rsplit_once(" (")?;
    // Cargo's own lines are indented, and say where the program lies.
    (line.starts_with(' ') && path.ends_with(')')).then(|| name.replace("unittests ", ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Report {
        let mut reader = Reader::default();
        for line in text.lines() {
            reader.line(line);
        }
        reader.report()
    }

    #[test]
    fn passed_and_skipped_tests_are_counted() {
        let report = read(
            "     Running unittests src/lib.rs (target/a/lib-1)\n\nrunning 3 tests\ntest a ... ok\n\
             test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 4 filtered out; finished in 1.09s\n\n\
                \x20    Running tests/b.rs (target/a/b-1)\n\
             test result: ok. 7 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
                \x20  Doc-tests a\n\
             test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
             test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n",
        );
        assert_eq!(report, Report { programs: 3, passed: 12, failed: 0, skipped: 5, complaints: Vec::new() });
    }

    #[test]
    fn tests_that_lack_something_are_skipped() {
        let report = read(
            "     Running tests/b.rs (target/a/b-1)\ntest a ... not tested here: a, for lack of Filters\n\
             not tested here: a, for lack of OwnMemory\nnot tested here: b::c, for lack of Filters\nok\n\
             test result: ok. 7 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n",
        );
        assert_eq!((report.passed, report.skipped), (5, 3));
    }

    #[test]
    fn failed_tests_are_named() {
        let report = read(
            "     Running tests/b.rs (target/a/b-1)\nfailures:\n\n---- one stdout ----\n    0: a frame\n\n\
             failures:\n    one\n    two::three\n\n\
             test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 4s\n",
        );
        assert_eq!((report.passed, report.failed), (1, 2));
        assert_eq!(report.complaints, ["tests/b.rs: one", "tests/b.rs: two::three"]);
    }

    #[test]
    fn a_program_that_dies_has_failed() {
        let report = read(
            "     Running tests/b.rs (target/a/b-1)\ntest one ... ok\n\
             error: test failed, to rerun pass `--test b`\n\nCaused by:\n  process didn't exit successfully: \
             `run target/a/b-1` (exit status: 139)\n     Running tests/c.rs (target/a/c-1)\n\
             test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 4s\n",
        );
        assert_eq!((report.programs, report.passed, report.failed), (2, 1, 1));
        assert_eq!(report.complaints, ["tests/b.rs: died (exit status: 139)"]);
    }

    #[test]
    fn a_program_that_hangs_is_named_with_its_tests() {
        let report = read(
            "     Running tests/b.rs (target/a/b-1)\ntest one has been running for over 60 seconds\n\
             test two has been running for over 60 seconds\ntest one ... ok\n\
             cross: out of time after 900 s: target/a/b-1\n",
        );
        assert_eq!(report.failed, 1);
        assert_eq!(report.complaints, ["tests/b.rs: out of time; still running: two"]);
    }

    #[test]
    fn what_a_test_prints_starts_no_program() {
        assert_eq!(started("Running in circles (as ever)"), None);
        assert_eq!(started("     Running tests/b.rs (target/b)").as_deref(), Some("tests/b.rs"));
        assert_eq!(read("running 3 tests\ntest result: ok. 3 passed; 0 failed").programs, 0);
    }
}
