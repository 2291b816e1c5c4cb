//! A program of `examples/`, to be built and run by a check.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::child::{self, End, Run};
use crate::machine::Machine;

/// What a check finds: a word of praise, or what is wrong, in words that help.
pub type Verdict = Result<String, String>;

/// How a program is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Without optimisation, with debug assertions.
    Debug,
    /// Optimised: what the compiler does with wrong `unsafe` code shows here.
    Release,
}

impl Profile {
    /// Both of them.
    pub const BOTH: [Self; 2] = [Self::Debug, Self::Release];

    /// The folder in `target/`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }
}

/// The reader's program, or ours.
#[derive(Debug)]
pub struct Solution {
    name: String,
}

impl Solution {
    /// What the reader has written for the exercise of this name.
    #[must_use]
    pub fn of_reader(exercise: &str) -> Self {
        Self { name: format!("chapter-{}", padded(exercise)) }
    }

    /// The answer of the book.
    #[must_use]
    pub fn of_book(exercise: &str) -> Self {
        Self { name: format!("answer-{}", padded(exercise)) }
    }

    /// The file, as the reader sees it from the top of the repository.
    #[must_use]
    pub fn file(&self) -> String {
        format!("book/exercises/examples/{}.rs", self.name)
    }

    /// What stands in the file.
    ///
    /// # Errors
    /// If there is no such file.
    pub fn source(&self) -> Result<String, String> {
        let path = self.package().join("examples").join(format!("{}.rs", self.name));
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", self.file()))
    }

    /// Builds and runs the program. How it ended is in [`Run::end`]: a crash is not an error here.
    ///
    /// # Errors
    /// If it doesn't compile: what the compiler says.
    pub fn run(&self, profile: Profile, arguments: &[&str]) -> Result<Run, String> {
        let program = self.build(profile)?;
        child::run(Command::new(&program).args(arguments), Duration::from_secs(20))
            .map_err(|error| format!("{} can't be started: {error}", program.display()))
    }

    /// The same as [`Self::prints`] on another machine.
    ///
    /// # Errors
    /// If it doesn't compile, crashes, or doesn't end, and if the machine can't be had.
    pub fn prints_on(&self, machine: &'static Machine, profile: Profile) -> Result<String, String> {
        let tools = machine.tools().map_err(|why| format!("{} can't be had: {why}", machine.name))?;
        let target =
            env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.package().join("../../target"), Into::into);
        let mut cargo = tools.cargo("build");
        cargo.arg("--target-dir").arg(self.package().join("../..").join(target).join("machines"));
        let program = self.build_by(cargo, profile)?;
        let run = child::run(&mut tools.run(&program), Duration::from_secs(60))
            .map_err(|error| format!("{} can't be started: {error}", program.display()))?;
        self.printed(run, profile)
    }

    /// Builds and runs the program, which has to end well, and gives what it printed.
    ///
    /// # Errors
    /// If it doesn't compile, crashes, or doesn't end.
    pub fn prints(&self, profile: Profile, arguments: &[&str]) -> Result<String, String> {
        let run = self.run(profile, arguments)?;
        self.printed(run, profile)
    }

    fn printed(&self, run: Run, profile: Profile) -> Result<String, String> {
        if run.end == End::Status(0) {
            return Ok(run.stdout);
        }
        let how = match run.end {
            End::Status(101) => "has panicked".to_owned(),
            End::Status(status) => format!("has ended with status {status}"),
            End::Signal(4) => "has met an instruction that doesn't exist (signal 4)".to_owned(),
            End::Signal(6) => "has been aborted (signal 6)".to_owned(),
            End::Signal(11) => "has touched memory that it doesn't have (signal 11)".to_owned(),
            End::Signal(signal) => format!("was ended by signal {signal}"),
            End::OutOfTime => "does not end".to_owned(),
        };
        Err(format!(
            "The program, built for {}, {how}.\nIt printed:\n{}\n{}",
            profile.name(),
            indented(&run.stdout),
            indented(&run.stderr)
        ))
    }

    fn build(&self, profile: Profile) -> Result<PathBuf, String> {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.arg("build");
        self.build_by(cargo, profile)
    }

    /// Builds it by this `cargo build`.
    fn build_by(&self, mut cargo: Command, profile: Profile) -> Result<PathBuf, String> {
        cargo.current_dir(self.package()).args(["--quiet", "--example", &self.name]);
        cargo.arg("--message-format=json-render-diagnostics");
        if profile == Profile::Release {
            cargo.arg("--release");
        }
        let run = child::run(&mut cargo, Duration::from_secs(600))
            .map_err(|error| format!("cargo can't be started: {error}"))?;
        if run.end != End::Status(0) {
            return Err(format!("{} doesn't compile:\n{}", self.file(), run.stderr.trim_end()));
        }
        // Cargo says where it has put the program.
        run.stdout
            .lines()
            .filter_map(|line| line.split_once(r#""executable":""#)?.1.split_once('"'))
            .map(|(path, _)| PathBuf::from(path.replace(r"\\", r"\")))
            .next_back()
            .ok_or_else(|| "cargo doesn't say where the program is".to_owned())
    }

    fn package(&self) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
    }
}

/// The name of an exercise as files are called: two digits, and perhaps a letter.
fn padded(exercise: &str) -> String {
    let digits = exercise.trim_end_matches(char::is_alphabetic).len();
    format!("{exercise:0>width$}", width = 2 + exercise.len() - digits)
}

/// The first place where two texts differ, told to the reader.
///
/// # Errors
/// If they differ.
pub fn compare(expected: &str, printed: &str) -> Result<(), String> {
    if expected.trim_end() == printed.trim_end() {
        return Ok(());
    }
    let (mut left, mut right) = (expected.trim_end().lines(), printed.trim_end().lines());
    for number in 1.. {
        let (wanted, got) = (left.next(), right.next());
        if wanted != got {
            let quoted = |line: Option<&str>| line.map_or("nothing".to_owned(), |line| format!("`{line}`"));
            return Err(format!(
                "Line {number} should be {}, and it is {}. The whole output:\n{}",
                quoted(wanted),
                quoted(got),
                indented(printed)
            ));
        }
    }
    unreachable!("texts that differ do so in some line")
}

/// The text, a little to the right.
#[must_use]
pub fn indented(text: &str) -> String {
    text.trim_end().lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files() {
        assert_eq!(Solution::of_reader("5").file(), "book/exercises/examples/chapter-05.rs");
        assert_eq!(Solution::of_book("12b").file(), "book/exercises/examples/answer-12b.rs");
        assert_eq!(Solution::of_reader("0b").file(), "book/exercises/examples/chapter-00b.rs");
    }
}
