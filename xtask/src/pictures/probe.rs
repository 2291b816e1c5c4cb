//! A program that is stopped where its picture is taken.

use std::fmt::Write;
use std::path::Path;

use super::source::Source;
use crate::complaints::Complaints;
use crate::gdb;
use crate::listing::Program;
use crate::repo::Repo;

/// The keys that say where a program is stopped.
pub(super) const KEYS: [&str; 5] = ["title", "name", "program", "stop", "gdb"];

/// Runs the source's program to its last stop, and returns gdb's answers to the questions.
pub(super) fn run(
    repo: &Repo,
    path: &Path,
    source: &Source<'_>,
    questions: &str,
) -> Result<String, Complaints> {
    let program = Program::named(repo, source.get("program")?)?;
    let script =
        repo.target().join("pictures").join(path.with_extension("gdb").file_name().unwrap_or_default());
    repo.write(&script, commands(source, questions))?;
    let output = gdb::run(repo, &program, &script)?;
    let answers = output.split_once("ANSWERS\n").and_then(|(_, rest)| rest.split_once("END\n"));
    let (answers, _) = answers.ok_or_else(|| vec![format!("gdb has said something else\n{output}")])?;
    Ok(answers.to_owned())
}

fn commands(source: &Source<'_>, questions: &str) -> String {
    let mut script = "set trace-commands off\n".to_owned();
    let mut line = |text: &str| writeln!(script, "{text}").expect("a string takes all");
    let mut go = "run";
    for (key, value) in &source.lines {
        match *key {
            "stop" => {
                line(&format!("tbreak {value}\n{go}"));
                go = "continue";
            }
            "signal" => {
                line(go);
                go = "continue";
            }
            "gdb" => line(value),
            _ => {}
        }
    }
    line(&format!("echo ANSWERS\\n\n{questions}echo END\\n"));
    script
}

/// A question for the value of an expression.
pub(super) fn value(tag: &str, expression: &str) -> String {
    format!("echo {tag}\\n\np/x ({expression}) as usize\n")
}

/// The number in the answer to [`value`].
pub(super) fn number(answer: &str) -> Option<u64> {
    hex(answer.split_once(" = ")?.1)
}

pub(super) fn hex(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}
