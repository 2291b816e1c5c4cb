//! The book is written in British English: each word is in hunspell's dictionary or in
//! `book/words.txt`.
//!
//! The check reads the chapters without their code, the comments of the listings and exercises, and
//! the texts of the pictures and of the interactive page.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use crate::chapter::{Chapter, anchor};
use crate::complaints::{Complaints, Outcome, outcome};
use crate::repo::Repo;
use crate::tools;

/// The words of the book, each with its first place.
type Words = BTreeMap<String, String>;

pub(super) fn check(repo: &Repo) -> Outcome {
    let words = words_of_book(repo)?;
    let path = repo.path("book/words.txt");
    let allowed = repo.read(&path)?;
    let allowed: BTreeSet<&str> = allowed.lines().collect();
    let unknown = unknown(&words)?;
    let complaints = compare(&words, &unknown, &allowed);
    outcome(complaints, || {
        format!("{} different words, {} of them in words.txt only", words.len(), allowed.len())
    })
}

/// Complains of words that are neither in the dictionary nor allowed, and of words that are allowed
/// for no reason.
fn compare(words: &Words, unknown: &BTreeSet<String>, allowed: &BTreeSet<&str>) -> Complaints {
    let is_allowed = |word: &str| allowed.contains(word) || allowed.contains(&*word.to_lowercase());
    let wrong = unknown.iter().filter(|word| !is_allowed(word));
    let wrong = wrong.map(|word| format!("{}: no dictionary has `{word}`", words[word]));
    let lower: BTreeSet<String> = unknown.iter().map(|word| word.to_lowercase()).collect();
    let idle = allowed.iter().filter(|word| !unknown.contains(**word) && !lower.contains(**word));
    wrong.chain(idle.map(|word| format!("book/words.txt: `{word}` is known, or not used"))).collect()
}

fn words_of_book(repo: &Repo) -> Result<Words, Complaints> {
    let mut words = Words::new();
    for chapter in Chapter::all(repo)? {
        prose(&chapter.text, |byte, text| {
            add(&mut words, text, || format!("{}:{}", repo.name(&chapter.path), chapter.line_at(byte)));
        });
    }
    let mut others = repo.all_files(&repo.path("book/listings"));
    others.extend(repo.all_files(&repo.path("book/exercises")));
    others.extend(repo.all_files(&repo.path("book/pictures")));
    others.push(repo.path("book/step/texts.txt"));
    for path in others {
        let Some(is_read) = reader(&path) else {
            continue;
        };
        for (index, line) in repo.read(&path)?.lines().enumerate() {
            // Text between backticks is code.
            let text = is_read(line).unwrap_or_default().split('`').step_by(2).collect::<Vec<_>>().join(" ");
            add(&mut words, &text, || format!("{}:{}", repo.name(&path), index + 1));
        }
    }
    Ok(words)
}

/// Finds the prose in the lines of a file.
fn reader(path: &Path) -> Option<fn(&str) -> Option<&str>> {
    match path.extension()?.to_str()? {
        "rs" => Some(|line| {
            let comment = line.trim_start().strip_prefix("//")?;
            if anchor(line).is_some() { None } else { Some(comment) }
        }),
        "stack" | "memory" | "turns" | "switch" => Some(|line| {
            let (key, text) = line.split_once(": ")?;
            (["title", "object", "part"].contains(&key) || key.starts_with("+0x")).then_some(text)
        }),
        "txt" if path.ends_with("step/texts.txt") => Some(|line| line.split_once(": ").map(|(_, text)| text)),
        _ => None,
    }
}

/// Passes on each piece of a chapter's text that is not code, with its place.
fn prose(markdown: &str, mut give: impl FnMut(usize, &str)) {
    let mut is_code = false;
    for (event, range) in Parser::new(markdown).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(_)) => is_code = true,
            Event::End(TagEnd::CodeBlock) => is_code = false,
            // The address of a link in angle brackets is its text, too.
            Event::Text(text) if !is_code && !text.contains("://") => give(range.start, &text),
            _ => {}
        }
    }
}

fn add(words: &mut Words, text: &str, place: impl Fn() -> String) {
    let text = text.replace('’', "'");
    // A word with a digit, an underscore or a sign of code in it is a name.
    let parts = text.split(|it: char| it.is_whitespace() || "()[]{}.,;:!?\"/–—-→|=<>*+…“”".contains(it));
    for part in parts {
        let word = part.trim_matches('\'');
        let word = word.strip_suffix("'s").unwrap_or(word);
        if word.chars().count() > 1 && word.chars().all(|it| it.is_alphabetic() || it == '\'') {
            words.entry(word.to_owned()).or_insert_with(&place);
        }
    }
}

/// The words that hunspell's British dictionary doesn't have.
fn unknown(words: &Words) -> Result<BTreeSet<String>, Complaints> {
    let packages = ["hunspell", "hunspell-en-gb"];
    let hunspell = tools::program("hunspell", &packages)?;
    let failed = |error: std::io::Error| vec![format!("hunspell can't be run: {error}")];
    let mut child = Command::new(hunspell)
        .args(["-d", "en_GB", "-i", "utf-8", "-l"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let mut stdin = child.stdin.take().expect("it has a pipe");
    let list = words.keys().cloned().collect::<Vec<_>>().join("\n") + "\n";
    // A thread writes the input: if hunspell waited for us to read while we wait for it to read,
    // both would wait for ever.
    let writer = std::thread::spawn(move || stdin.write_all(list.as_bytes()));
    let output = child.wait_with_output().map_err(failed)?;
    writer.join().expect("a writer doesn't panic").map_err(failed)?;
    if !output.status.success() {
        return Err(vec![format!(
            "hunspell has no dictionary en_GB: apt-get install {}",
            packages.join(" ")
        )]);
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words_of(markdown: &str) -> Vec<String> {
        let mut words = Words::new();
        prose(markdown, |_, text| add(&mut words, text, || "here".to_owned()));
        words.into_keys().collect()
    }

    #[test]
    fn code_is_not_prose() {
        let text = "# Ein Word\n\nIt's `kode`, x86 and [the book's linkk](a.md).\n\n```sh\nlss\n```\n<https://exmpl.org>\n";
        assert_eq!(words_of(text), ["Ein", "It", "Word", "and", "book", "linkk", "the"]);
    }

    #[test]
    fn unknown_words_and_idle_ones_are_found() {
        let words: Words =
            ["Greenthread", "wrod"].iter().map(|it| ((*it).to_owned(), format!("at {it}"))).collect();
        let unknown: BTreeSet<String> = words.keys().cloned().collect();
        let complaints = compare(&words, &unknown, &["greenthread", "idle"].into());
        assert_eq!(
            complaints,
            ["at wrod: no dictionary has `wrod`", "book/words.txt: `idle` is known, or not used"]
        );
    }
}
