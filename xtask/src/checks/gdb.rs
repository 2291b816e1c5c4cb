//! The debugger sessions of the book: `book/gdb/NAME.gdb` holds the commands, and `NAME.txt` the
//! recording.
//!
//! The first line of a script names its program: `# program: PACKAGE PROGRAM`, or `.. on MACHINE`,
//! which is left out where that machine can't be had. The last line of a
//! recording names the compiler and the debugger. With other versions, frames and registers may
//! differ: then the check only sees whether the script gets through, and says so.

use std::path::{Path, PathBuf};

use exercises::machine::Machine;

use crate::complaints::{Complaints, Outcome, outcome};
use crate::gdb;
use crate::listing::{Place, Program};
use crate::repo::Repo;

pub(super) fn check(repo: &Repo) -> Outcome {
    let scripts = repo.files("book/gdb", "gdb");
    let versions = gdb::versions(repo)?;
    let (mut complaints, mut not_compared) = (orphans(repo, &scripts), Vec::new());
    let mut absent = String::new();
    for script in &scripts {
        let recorded = script.with_extension("txt");
        let session = session(repo, script, &versions);
        let session = match session {
            Ok(Session::Absent(why)) => {
                absent += &format!("; SKIPPED {}: {why}", repo.name(script));
                continue;
            }
            Ok(Session::Text(text)) => Ok(text),
            Err(complaints) => Err(complaints),
        };
        match session.and_then(|session| Ok(compare(&repo.read(&recorded)?, &session))) {
            Ok(Comparison::Same) => {}
            Ok(Comparison::OtherTools) => not_compared.push(repo.name(&recorded)),
            Ok(Comparison::Differs(why)) => complaints.push(format!("{}: {why}", repo.name(&recorded))),
            Err(wrong) => complaints.extend(wrong),
        }
    }
    outcome(complaints, || {
        let mut found = format!("{} sessions, by {versions}", scripts.len());
        if !not_compared.is_empty() {
            found +=
                &format!("; run but not compared, since recorded by others: {}", not_compared.join(", "));
        }
        found + &absent
    })
}

/// Records the named sessions anew, or all.
pub(super) fn record(repo: &Repo, which: &[&str]) -> Outcome {
    let versions = gdb::versions(repo)?;
    let mut written = Vec::new();
    for script in repo.files("book/gdb", "gdb") {
        let name = script.file_stem().expect("a script has a name").to_string_lossy().into_owned();
        if which.is_empty() || which.contains(&&*name) {
            match session(repo, &script, &versions)? {
                Session::Text(text) => repo.write(&script.with_extension("txt"), text)?,
                Session::Absent(why) => return Err(vec![why]),
            }
            written.push(name);
        }
    }
    Ok(format!("recorded: {}", written.join(", ")))
}

/// What was said, or why there is nobody to say it.
enum Session {
    Text(String),
    Absent(String),
}

fn session(repo: &Repo, script: &Path, versions: &str) -> Result<Session, Complaints> {
    let text = repo.read(script)?;
    let program = text.lines().next().and_then(|line| line.strip_prefix("# program: "));
    let program = program.ok_or_else(|| {
        vec![format!("{}: the first line should be `# program: PACKAGE PROGRAM`", repo.name(script))]
    })?;
    let (program, machine) = program.trim().split_once(" on ").unwrap_or((program.trim(), ""));
    let program = Program::named(repo, program)?;
    let (output, versions) = if machine.is_empty() {
        (gdb::run(repo, &program, script)?, versions.to_owned())
    } else {
        let named = Machine::named(machine);
        let named = named.ok_or_else(|| vec![format!("there is no machine `{machine}`")])?;
        match named.tools() {
            Err(why) => return Ok(Session::Absent(why)),
            Ok(tools) if tools.runner().is_empty() => {
                return Ok(Session::Absent("the session is with an emulator".to_owned()));
            }
            Ok(tools) => {
                let gdb = versions.rsplit(", ").next().unwrap_or_default();
                let versions = format!("{}, {gdb}, {}", tools.rustc(), tools.emulator());
                (gdb::run_at(repo, Place::On(&tools), &program, script)?, versions)
            }
        }
    };
    Ok(Session::Text(format!("{}recorded with {versions}\n", gdb::transcript(repo, &output))))
}

/// Recordings without a script.
fn orphans(repo: &Repo, scripts: &[PathBuf]) -> Complaints {
    let mut recordings = repo.files("book/gdb", "txt");
    recordings.retain(|path| !scripts.contains(&path.with_extension("gdb")));
    recordings.iter().map(|path| format!("{}: there is no such script", repo.name(path))).collect()
}

#[derive(Debug, PartialEq, Eq)]
enum Comparison {
    Same,
    Differs(String),
    OtherTools,
}

fn compare(recorded: &str, session: &str) -> Comparison {
    if recorded == session {
        return Comparison::Same;
    }
    if recorded.lines().next_back() != session.lines().next_back() {
        return Comparison::OtherTools;
    }
    let pairs = recorded.lines().zip(session.lines()).enumerate();
    match pairs.into_iter().find(|(_, (old, new))| without_place(old) != without_place(new)) {
        Some((index, (old, new))) => {
            Comparison::Differs(format!("line {} was `{old}`, and is `{new}`", index + 1))
        }
        None if recorded.lines().count() == session.lines().count() => Comparison::Same,
        None => Comparison::Differs("its last lines differ".to_owned()),
    }
}

/// A line without an address in the program's code: that of a breakpoint, or where a frame goes on.
/// These change with whatever the program is linked with.
fn without_place(line: &str) -> String {
    let is_hex = |digit: char| digit.is_ascii_hexdigit();
    match line.split_once("0x") {
        Some((head, tail))
            if head.contains("reakpoint ") || head.starts_with('#') && head.trim().len() < 4 =>
        {
            format!("{head}{}", tail.trim_start_matches(is_hex))
        }
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_breakpoint_may_be_another() {
        let old = "Breakpoint 1 at 0x337d8: file a.rs, line 82.\nrip 0x1\nrecorded with gdb 1\n";
        let new = "Breakpoint 1 at 0x33e78: file a.rs, line 82.\nrip 0x1\nrecorded with gdb 1\n";
        assert_eq!(compare(old, new), Comparison::Same);
        let (old, new) = (format!("#1  0x55 in f (x=0x7)\n{old}"), format!("#1  0x66 in f (x=0x7)\n{new}"));
        assert_eq!(compare(&old, &new), Comparison::Same);
        let (old, new) = (old.as_str(), new.as_str());
        assert!(matches!(compare(old, &new.replace("x=0x7", "x=0x8")), Comparison::Differs(_)));
        assert!(matches!(compare(old, &new.replace("line 82", "line 83")), Comparison::Differs(_)));
        assert!(matches!(compare(old, &new.replace("rip 0x1", "rip 0x2")), Comparison::Differs(_)));
    }

    #[test]
    fn another_session_is_found() {
        let old = "(gdb) run\nrax 1\nrecorded with rustc 1, gdb 1\n";
        assert_eq!(compare(old, old), Comparison::Same);
        let new = "(gdb) run\nrax 2\nrecorded with rustc 1, gdb 1\n";
        assert_eq!(compare(old, new), Comparison::Differs("line 2 was `rax 1`, and is `rax 2`".to_owned()));
        let longer = "(gdb) run\nrax 1\nrecorded with rustc 1, gdb 1\nrecorded with rustc 1, gdb 1\n";
        assert_eq!(compare(old, longer), Comparison::Differs("its last lines differ".to_owned()));
        assert_eq!(compare(old, "(gdb) run\nrax 2\nrecorded with rustc 2, gdb 1\n"), Comparison::OtherTools);
    }

    #[test]
    fn a_recording_without_a_script_is_found() {
        let repo = Repo::of_files(&[("book/gdb/a.gdb", ""), ("book/gdb/a.txt", ""), ("book/gdb/b.txt", "")]);
        let scripts = repo.files("book/gdb", "gdb");
        assert_eq!(orphans(&repo, &scripts), ["book/gdb/b.txt: there is no such script"]);
    }
}
