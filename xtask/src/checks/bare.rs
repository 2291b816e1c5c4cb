//! The bare version of the two hundred lines. It is the same source without comments, and prints
//! the same.
//!
//! It is a listing of its own, so that it is compiled, run and shown like any other.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::complaints::{Complaints, Outcome, outcome};
use crate::repo::Repo;

const SOURCE: &str = "src/main.rs";

/// The number of lines of the commented version. The book's title for it says so.
const LINES: usize = 200;

pub(super) fn check(repo: &Repo) -> Outcome {
    let mut complaints = Vec::new();
    let commented =
        repo.read(&repo.path(&format!("book/listings/two-hundred-lines/{SOURCE}")))?.lines().count();
    if commented != LINES {
        complaints.push(format!("the two hundred lines are {commented}"));
    }
    let mut lines = 0;
    for (path, made) in made(repo)? {
        if path.ends_with(SOURCE) {
            lines = made.lines().count();
        }
        if repo.read(&path)? != made {
            complaints.push(format!("{}: `cargo xtask bare --record` makes another", repo.name(&path)));
        }
    }
    outcome(complaints, || format!("{lines} lines are left of the two hundred without comments"))
}

pub(super) fn record(repo: &Repo, _which: &[&str]) -> Outcome {
    let mut written = Vec::new();
    for (path, made) in made(repo)? {
        repo.write(&path, made)?;
        written.push(repo.name(&path));
    }
    Ok(format!("written: {}", written.join(", ")))
}

/// The source, and its expected output.
fn made(repo: &Repo) -> Result<[(PathBuf, String); 2], Complaints> {
    let path =
        |version: &str, file: &str| repo.path(&format!("book/listings/two-hundred-lines{version}/{file}"));
    let source = repo.read(&path("", SOURCE))?;
    let output = repo.read(&path("", "expected/two-hundred-lines.txt"))?;
    Ok([
        (path("-bare", SOURCE), formatted(&without_comments(&source))?),
        (path("-bare", "expected/two-hundred-lines-bare.txt"), output),
    ])
}

/// The Rust source without comments, without the lines that held nothing else, and without gaps at
/// their places.
fn without_comments(source: &str) -> String {
    let mut bare = String::new();
    let mut rest = source;
    while !rest.is_empty() {
        let taken = match token(rest) {
            Token::Comment(length) => length,
            Token::Other(length) => {
                bare += &rest[..length];
                length
            }
        };
        rest = &rest[taken..];
    }
    // A line that was empty in the source stays; one that has become empty goes.
    let mut lines: Vec<&str> = Vec::new();
    for (before, after) in source.lines().zip(bare.lines()) {
        let after = after.trim_end();
        let is_gap =
            after.is_empty() && (!before.trim().is_empty() || lines.last().is_none_or(|it| it.is_empty()));
        if !is_gap {
            lines.push(after);
        }
    }
    lines.join("\n").trim_end().to_owned() + "\n"
}

enum Token {
    /// A comment of this many bytes, without its end of line.
    Comment(usize),
    /// This many bytes in which no comment begins.
    Other(usize),
}

/// The piece that the text begins with. The listing has no block comments and no raw strings.
fn token(text: &str) -> Token {
    let first = text.chars().next().map_or(0, char::len_utf8);
    if text.starts_with("//") {
        return Token::Comment(text.find('\n').unwrap_or(text.len()));
    }
    // A quote, and a quote or a backslash in quotes, may look like the beginning of a string.
    for quoted in [r#"'"'"#, r"'\''", r"'\\'"] {
        if text.starts_with(quoted) {
            return Token::Other(quoted.len());
        }
    }
    if !text.starts_with('"') {
        return Token::Other(first);
    }
    let mut is_escaped = false;
    let end = text[1..].find(|character| {
        let ends = character == '"' && !is_escaped;
        is_escaped = character == '\\' && !is_escaped;
        ends
    });
    Token::Other(end.map_or(text.len(), |end| end + 2))
}

fn formatted(source: &str) -> Result<String, Complaints> {
    let failed = |error: std::io::Error| vec![format!("rustfmt can't be run: {error}")];
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config", "max_width=110,use_small_heuristics=Max"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    rustfmt.stdin.take().expect("it has a pipe").write_all(source.as_bytes()).map_err(failed)?;
    let output = rustfmt.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        return Err(vec!["rustfmt doesn't accept the bare version".to_owned()]);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_book_is_fine() {
        check(&Repo::here()).unwrap();
    }

    #[test]
    fn comments_go_and_strings_stay() {
        let source = "//! Doc.\n\n/// A.\nfn a() {\n    // Why.\n    let x = \"// no\\\" // comment\"; // But this.\n\n    \
                      let y = ('\"', '\\''); // \"\n}\n\n// The end.\n";
        let bare = "fn a() {\n    let x = \"// no\\\" // comment\";\n\n    let y = ('\"', '\\'');\n}\n";
        assert_eq!(without_comments(source), bare);
    }
}
