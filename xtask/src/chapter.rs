//! A chapter's text and its includes.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::complaints::Complaints;
use crate::repo::Repo;

/// A Markdown file of the book.
#[derive(Debug)]
pub(crate) struct Chapter {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// A part of another file that a chapter shows.
#[derive(Debug)]
pub(crate) struct Include {
    /// The line of the chapter.
    pub(crate) line: usize,
    pub(crate) file: PathBuf,
    part: Part,
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Lines(Range<usize>),
    Anchor(String),
}

impl Chapter {
    /// The files of `book/src`.
    pub(crate) fn all(repo: &Repo) -> Result<Vec<Self>, Complaints> {
        let read = |path: PathBuf| Ok(Self { text: repo.read(&path)?, path });
        repo.files("book/src", "md").into_iter().map(read).collect()
    }

    /// The number of the line at this byte of the text.
    pub(crate) fn line_at(&self, byte: usize) -> usize {
        self.text[..byte].matches('\n').count() + 1
    }

    /// The parts of other files that it includes.
    pub(crate) fn includes(&self) -> Vec<Include> {
        let folder = self.path.parent().expect("a chapter lies in a folder");
        let lines = self.text.lines().enumerate();
        let found = lines.flat_map(|(index, line)| directives(line).map(move |found| (index + 1, found)));
        found
            .map(|(line, what)| {
                let (file, part) = what.split_once(':').unwrap_or((what, ""));
                Include { line, file: normal(&folder.join(file)), part: Part::parse(part) }
            })
            .collect()
    }
}

impl Include {
    /// The lines that are shown, counted from 0, or the reason why there are none.
    pub(crate) fn lines_of(&self, text: &str) -> Result<Vec<usize>, String> {
        let total = text.lines().count();
        let shown = match &self.part {
            Part::Lines(lines) if lines.start < total && (lines.end <= total || lines.end == usize::MAX) => {
                (lines.start..lines.end.min(total)).collect()
            }
            Part::Lines(_) => return Err(format!("it has only {total} lines")),
            Part::Anchor(name) => anchored(text, name).ok_or_else(|| format!("it has no anchor `{name}`"))?,
        };
        if shown.is_empty() { Err("nothing is shown of it".to_owned()) } else { Ok(shown) }
    }
}

impl Part {
    /// The text behind the file's name: nothing, `anchor`, `5`, `5:`, `:8`, or `5:8`.
    fn parse(part: &str) -> Self {
        let number = |text: &str| text.parse::<usize>().ok();
        match part.split_once(':') {
            None if part.is_empty() => Self::Lines(0..usize::MAX),
            None => match number(part) {
                Some(line) => Self::Lines(line - 1..line),
                None => Self::Anchor(part.to_owned()),
            },
            Some((from, to)) => {
                Self::Lines(number(from).map_or(0, |line| line - 1)..number(to).unwrap_or(usize::MAX))
            }
        }
    }
}

/// The arguments of the `{{#include ..}}` and `{{#rustdoc_include ..}}` in a line.
fn directives(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("{{#").filter(|(at, _)| !line[..*at].ends_with('\\')).filter_map(|(at, open)| {
        let (name, what) = line[at + open.len()..].split_once("}}")?.0.split_once(' ')?;
        matches!(name, "include" | "rustdoc_include").then_some(what.trim())
    })
}

/// Whether the line only includes.
pub(crate) fn is_include(line: &str) -> bool {
    let line = line.trim();
    let inner = line.strip_prefix("{{#").and_then(|line| line.strip_suffix("}}"));
    inner.is_some_and(|inner| !inner.contains("{{") && directives(line).count() == 1)
}

/// The name in a line that begins or ends a part of a listing.
pub(crate) fn anchor(line: &str) -> Option<&str> {
    let (_, name) = line.split_once("ANCHOR: ").or_else(|| line.split_once("ANCHOR_END: "))?;
    Some(name.trim())
}

/// The lines between the anchors of this name, those of other anchors excepted.
fn anchored(text: &str, name: &str) -> Option<Vec<usize>> {
    let mut shown = None;
    let mut inside = false;
    for (index, line) in text.lines().enumerate() {
        if anchor(line) == Some(name) {
            inside = line.contains("ANCHOR: ");
            shown.get_or_insert_with(Vec::new);
        } else if inside && anchor(line).is_none() {
            shown.as_mut()?.push(index);
        }
    }
    shown
}

/// The path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => _ = normal.pop(),
            std::path::Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: &str = "a\n// ANCHOR: x\nb\n// ANCHOR: y\nc\n// ANCHOR_END: y\n// ANCHOR_END: x\nd\n";

    fn shown(part: &str) -> Result<Vec<usize>, String> {
        Include { line: 1, file: PathBuf::new(), part: Part::parse(part) }.lines_of(LISTING)
    }

    #[test]
    fn parts() {
        assert_eq!(shown("").unwrap(), (0..8).collect::<Vec<_>>());
        assert_eq!(shown("3").unwrap(), [2]);
        assert_eq!(shown("7:").unwrap(), [6, 7]);
        assert_eq!(shown(":2").unwrap(), [0, 1]);
        assert_eq!(shown("2:3").unwrap(), [1, 2]);
        assert_eq!(shown("x").unwrap(), [2, 4]);
        assert_eq!(shown("y").unwrap(), [4]);
        assert!(shown("z").unwrap_err().contains("no anchor"));
        assert!(shown("7:9").unwrap_err().contains("only 8 lines"));
    }

    #[test]
    fn lines_that_include() {
        assert!(is_include("{{#include a.rs:x}}"));
        assert!(is_include("  {{#rustdoc_include a.rs}}"));
        assert!(!is_include("let x = 1; // {{#include a.rs}}"));
        assert!(!is_include("{{#title x}}"));
        assert!(!is_include("let x = 1;"));
    }
}
