//! Everything in the two hundred lines is explained, and the glossary has its words from the
//! chapters.
//!
//! The listing is split into its tokens: keywords, names of the language and of std, macros,
//! attributes, lifetimes, operators, and the instructions in its `asm!`. Each has to stand in
//! inline code in one of chapters 1 to 6. Names that the listing itself defines are left out: the
//! chapters show where.
//!
//! An entry of the glossary, `- <a id="word"></a>**word** ([2](..)): ..`, names a chapter. That
//! chapter has the word.

use std::collections::{BTreeMap, BTreeSet};

use pulldown_cmark::{Event, Parser};

use crate::chapter::Chapter;
use crate::complaints::{Complaints, Outcome, outcome};
use crate::repo::Repo;

const LISTING: &str = "book/listings/two-hundred-lines/src/main.rs";
const GLOSSARY: &str = "book/src/f-glossary.md";

/// Longer ones first. Braces, commas and the like are not asked for.
const OPERATORS: [&str; 17] = [
    "..=", "::", "->", "=>", "||", "&raw", "*mut", "*const", "&mut", "#[", "==", "&&", "+", "*", "&", "!",
    "|",
];

pub(super) fn check(repo: &Repo) -> Outcome {
    let chapters = Chapter::all(repo)?;
    let listing = repo.read(&repo.path(LISTING))?;
    let tokens = tokens(&listing);
    let explained = inline_code(chapters.iter().filter(|it| matches!(number(it), Some(1..=6))));
    let mut complaints: Complaints = tokens
        .iter()
        .filter(|(token, _)| !explained.iter().any(|code| has(code, token)))
        .map(|(token, line)| format!("{LISTING}:{line}: no text of chapters 1 to 6 has `{token}`"))
        .collect();
    let glossary = repo.read(&repo.path(GLOSSARY))?;
    let (words, wrong) = glossary_words(&glossary, &chapters);
    complaints.extend(wrong);
    outcome(complaints, || {
        format!("{} tokens of the two hundred lines, {words} words of the glossary", tokens.len())
    })
}

/// The chapter's number, if it has one.
fn number(chapter: &Chapter) -> Option<u32> {
    chapter.path.file_name()?.to_str()?.get(..2)?.parse().ok()
}

/// The pieces of inline code in the chapters.
fn inline_code<'a>(chapters: impl Iterator<Item = &'a Chapter>) -> BTreeSet<String> {
    let events = chapters.flat_map(|chapter| Parser::new(&chapter.text));
    events
        .filter_map(|event| if let Event::Code(code) = event { Some(code.into_string()) } else { None })
        .collect()
}

/// Whether a piece of code has the token, and not just as a part of a longer name.
fn has(code: &str, token: &str) -> bool {
    let is_name = |it: Option<char>| it.is_some_and(|it| it.is_alphanumeric() || it == '_');
    code.match_indices(token).any(|(at, _)| {
        let (before, after) = (code[..at].chars().next_back(), code[at + token.len()..].chars().next());
        let begins = is_name(token.chars().next()) && is_name(before);
        let ends = is_name(token.chars().next_back()) && is_name(after);
        !begins && !ends
    })
}

/// The tokens that want an explanation, each with its first line.
fn tokens(source: &str) -> BTreeMap<String, usize> {
    let (mut tokens, mut own) = (BTreeMap::new(), BTreeSet::new());
    let mut words: Vec<(String, usize)> = Vec::new();
    let (mut rest, mut is_asm) = (source, false);
    while let Some(first) = rest.chars().next() {
        let line = source[..source.len() - rest.len()].matches('\n').count() + 1;
        let mut note = |token: &str| _ = tokens.entry(token.to_owned()).or_insert(line);
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if first == '"' {
            let end = rest[1..].find('"').map_or(rest.len(), |end| end + 2);
            if is_asm {
                // A string in `asm!` is instructions, one a line.
                let text = rest[1..end].trim_end_matches('"');
                let names = text.lines().filter_map(|line| line.split_whitespace().next());
                names.filter(|name| name.chars().all(char::is_alphabetic)).for_each(&mut note);
            }
            end
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|it: char| !it.is_alphanumeric() && it != '_').unwrap_or(rest.len());
            // A macro's name has its `!`.
            let is_macro = rest[end..].starts_with('!') && !rest[end..].starts_with("!=");
            let end = end + usize::from(is_macro);
            is_asm |= &rest[..end] == "asm!";
            words.push((rest[..end].to_owned(), line));
            end
        } else if first.is_ascii_digit() {
            // `1..` is a number and an operator.
            rest.find(|it: char| !it.is_alphanumeric() && it != '_').unwrap_or(rest.len())
        } else if first == '\'' {
            let end = rest[1..].find(|it: char| !it.is_alphanumeric()).map_or(rest.len(), |end| end + 1);
            note(&rest[..end]);
            end
        } else if let Some(operator) = OPERATORS.iter().find(|it| rest.starts_with(**it)) {
            note(operator);
            words.push(((*operator).to_owned(), line));
            operator.len()
        } else {
            is_asm &= first != ';';
            if !first.is_whitespace() {
                words.push((first.to_string(), line));
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    // What is defined here: behind such a keyword, between bars, in a pattern, or before a colon.
    let mut in_pattern = false;
    for (index, (word, line)) in words.iter().enumerate() {
        let before = index.checked_sub(1).map_or("", |it| &*words[it].0);
        let after = words.get(index + 1).map_or("", |(word, _)| word);
        let ends_pattern = matches!(&**word, "=" | "in" | "{" | ":");
        in_pattern = (in_pattern || matches!(&**word, "let" | "for")) && !ends_pattern;
        let is_name = word.starts_with(|it: char| it.is_alphabetic() || it == '_');
        if !is_name {
            continue;
        }
        let is_variable = word.starts_with(char::is_lowercase) && !matches!(&**word, "let" | "for" | "mut");
        let is_own = matches!(before, "fn" | "struct" | "static")
            || (before == "|" && after == "|")
            || (in_pattern && is_variable)
            || (after == ":" && is_variable);
        if is_own {
            own.insert(word.clone());
        } else {
            tokens.entry(word.clone()).or_insert(*line);
        }
    }
    tokens.retain(|token, _| !own.contains(token));
    tokens
}

/// The number of entries, and the complaints about them.
fn glossary_words(glossary: &str, chapters: &[Chapter]) -> (usize, Complaints) {
    let plain = |text: &str| {
        let text = text.replace(['*', '`'], "").to_lowercase();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let texts: BTreeMap<&str, String> =
        chapters.iter().filter_map(|it| Some((it.path.file_name()?.to_str()?, plain(&it.text)))).collect();
    let (mut count, mut complaints, mut last) = (0, Complaints::new(), String::new());
    for (index, line) in glossary.lines().enumerate().filter(|(_, line)| line.starts_with("- ")) {
        let place = format!("{GLOSSARY}:{}", index + 1);
        let entry = line.split_once("></a>**").and_then(|(_, it)| it.split_once("** (["));
        let Some((word, (_, link))) = entry.and_then(|(word, it)| Some((plain(word), it.split_once("](")?)))
        else {
            complaints.push(format!("{place}: wanted: `- <a id=\"..\"></a>**WORD** ([NUMBER](FILE)): ..`"));
            continue;
        };
        count += 1;
        let file = link.split(')').next().unwrap_or_default();
        if !texts.get(file).is_some_and(|text| text.contains(&word)) {
            complaints.push(format!("{place}: {file} doesn't have `{word}`"));
        }
        if word <= last {
            complaints.push(format!("{place}: `{word}` should stand before `{last}`"));
        }
        last = word;
    }
    (count, complaints)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: &str = "use std::cell::Cell;\nfn main() {\n    let (a, b) = (1, \"x\");\n    \
        // `take` it\n    swap(&raw mut a, 1..=2, 'static);\n    asm!(\"nop\", \"mov {x}, 1\n jmp 2b\");\n}\n";

    #[test]
    fn the_book_is_fine() {
        check(&Repo::here()).unwrap();
    }

    #[test]
    fn tokens_are_what_others_have_defined() {
        let tokens: Vec<String> = tokens(PROGRAM).into_keys().collect();
        let expected = [
            "&raw", "'static", "..=", "::", "Cell", "asm!", "cell", "fn", "jmp", "let", "mov", "mut", "nop",
            "std", "swap", "use",
        ];
        assert_eq!(tokens, expected);
    }

    fn complaints_of(chapter: &str, glossary: &str) -> Complaints {
        let files = [
            (LISTING, "fn main() {\n    take();\n}\n"),
            ("book/src/05-a.md", chapter),
            ("book/src/07-b.md", "`take` and `fn`"),
            (GLOSSARY, glossary),
        ];
        check(&Repo::of_files(&files)).err().unwrap_or_default()
    }

    #[test]
    fn what_no_chapter_explains_is_found() {
        assert_eq!(complaints_of("`fn` and `a.take()`\n", ""), Complaints::new());
        let names = "`fn`, `take_all`, take, and\n```rust\na.take();\n```\n";
        let complaints = complaints_of(names, "");
        assert_eq!(complaints, [format!("{LISTING}:2: no text of chapters 1 to 6 has `take`")]);
    }

    #[test]
    fn words_of_the_glossary_that_their_chapter_lacks_are_found() {
        let chapter = "`fn`, `take`. A *red\nzone*, a cat.\n";
        let fine = "- <a id=\"cat\"></a>**cat** ([5](05-a.md)): A.\n- <a></a>**red zone** ([5](05-a.md)): B.\n  More.\n";
        assert_eq!(complaints_of(chapter, fine), Complaints::new());
        let wrong =
            "- <a></a>**red zone** ([7](07-b.md)): B.\n- <a></a>**cat** ([5](05-a.md)): A.\n- dog: C.\n";
        let complaints = complaints_of(chapter, wrong);
        assert_eq!(complaints.len(), 3, "{complaints:?}");
        assert!(complaints[0].contains(":1: 07-b.md doesn't have `red zone`"), "{complaints:?}");
        assert!(complaints[1].contains(":2: `cat` should stand before `red zone`"), "{complaints:?}");
        assert!(complaints[2].contains(":3: wanted"), "{complaints:?}");
    }
}
