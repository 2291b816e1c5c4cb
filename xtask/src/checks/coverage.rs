//! Each include of a chapter finds its lines, and each line of a listing or of an answer is
//! included by some chapter.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::chapter::{Chapter, anchor};
use crate::complaints::{Outcome, outcome};
use crate::repo::Repo;

pub(super) fn check(repo: &Repo) -> Outcome {
    let mut shown: BTreeMap<PathBuf, BTreeSet<usize>> = BTreeMap::new();
    let mut complaints = Vec::new();
    let mut includes = 0;
    for chapter in Chapter::all(repo)? {
        for include in chapter.includes() {
            includes += 1;
            let lines = repo.read(&include.file).and_then(|text| {
                include.lines_of(&text).map_err(|why| vec![format!("{}: {why}", repo.name(&include.file))])
            });
            match lines {
                Ok(lines) => shown.entry(include.file).or_default().extend(lines),
                Err(why) => {
                    let place = format!("{}:{}", repo.name(&chapter.path), include.line);
                    complaints.push(format!("{place}: includes {}", why.concat()));
                }
            }
        }
    }
    let listings = sources(repo);
    let mut total = 0;
    for path in &listings {
        let text = repo.read(path)?;
        let nothing = BTreeSet::new();
        let shown = shown.get(path).unwrap_or(&nothing);
        total += text.lines().count();
        complaints.extend(unseen(&text, shown).map(|(first, last, line)| {
            let place = if first == last { format!("{first}") } else { format!("{first}-{last}") };
            format!("{}:{place}: no chapter shows `{}`", repo.name(path), line.trim())
        }));
    }
    outcome(complaints, || {
        format!("{includes} includes; {total} lines of {} files, each shown somewhere", listings.len())
    })
}

/// The sources of all listings, and the answers to the exercises.
fn sources(repo: &Repo) -> Vec<PathBuf> {
    let packages = repo.entries(&repo.path("book/listings"));
    let mut files: Vec<PathBuf> =
        packages.iter().flat_map(|package| repo.all_files(&package.join("src"))).collect();
    let is_answer = |path: &PathBuf| repo.name(path).contains("/answer-");
    files.extend(repo.files("book/exercises/examples", "rs").into_iter().filter(is_answer));
    files.retain(|path| path.extension().is_some_and(|it| it == "rs"));
    files
}

/// The runs of lines that are not shown: the first, the last, and the text of the first.
fn unseen<'a>(text: &'a str, shown: &BTreeSet<usize>) -> impl Iterator<Item = (usize, usize, &'a str)> {
    let mut runs: Vec<(usize, usize, &str)> = Vec::new();
    let mut going_on = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() || anchor(line).is_some() {
            continue;
        }
        if shown.contains(&index) {
            going_on = false;
        } else if going_on {
            runs.last_mut().expect("a run goes on").1 = index + 1;
        } else {
            runs.push((index + 1, index + 1, line));
            going_on = true;
        }
    }
    runs.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::complaints::Complaints;

    const LISTING: &str = "// ANCHOR: all\nfn main() {\n\n    one();\n}\n// ANCHOR_END: all\nfn one() {}\n";

    fn complaints_of(chapter: &str) -> Complaints {
        let files = [("book/src/01.md", chapter), ("book/listings/a/src/main.rs", LISTING)];
        check(&Repo::of_files(&files)).err().unwrap_or_default()
    }

    #[test]
    fn the_book_is_fine() {
        check(&Repo::here()).unwrap();
    }

    #[test]
    fn all_lines_are_shown() {
        let includes =
            "{{#include ../listings/a/src/main.rs:all}}\n{{#include ../listings/a/src/main.rs:7}}\n";
        assert_eq!(complaints_of(includes), Complaints::new());
        assert_eq!(complaints_of("{{#include ../listings/a/src/main.rs}}\n"), Complaints::new());
    }

    #[test]
    fn lines_that_nobody_shows_are_found() {
        let complaints = complaints_of("{{#include ../listings/a/src/main.rs:all}}\n");
        assert_eq!(complaints, ["book/listings/a/src/main.rs:7: no chapter shows `fn one() {}`"]);
        let complaints = complaints_of("{{#include ../listings/a/src/main.rs:7}}\n");
        assert_eq!(complaints, ["book/listings/a/src/main.rs:2-5: no chapter shows `fn main() {`"]);
    }

    #[test]
    fn what_is_not_there_is_found() {
        let includes = "x\n{{#include ../listings/a/src/main.rs}}\n{{#include gone.rs}}\n\
                        {{#include ../listings/a/src/main.rs:gone}}\n";
        let complaints = complaints_of(includes);
        assert!(complaints[0].starts_with("book/src/01.md:3: includes book/src/gone.rs: "), "{complaints:?}");
        assert!(
            complaints[1].starts_with("book/src/01.md:4: ") && complaints[1].contains("no anchor `gone`")
        );
    }
}
