//! Chapters include their code: a block that is typed into a chapter would never be compiled or
//! run.
//!
//! Only `sh` blocks, which the reader types, are written out.

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use crate::chapter::{Chapter, is_include};
use crate::complaints::{Outcome, outcome};
use crate::repo::Repo;

pub(super) fn check(repo: &Repo) -> Outcome {
    let chapters = Chapter::all(repo)?;
    let mut complaints = Vec::new();
    let mut blocks = 0;
    for chapter in &chapters {
        let name = repo.name(&chapter.path);
        let (found, wrong) = in_chapter(chapter);
        blocks += found;
        complaints.extend(wrong.into_iter().map(|(line, what)| format!("{name}:{line}: {what}")));
    }
    outcome(complaints, || format!("{blocks} blocks of code in {} files", chapters.len()))
}

/// The number of blocks, and the complaints with their lines.
fn in_chapter(chapter: &Chapter) -> (usize, Vec<(usize, String)>) {
    let (mut blocks, mut complaints) = (0, Vec::new());
    let mut within: Option<(usize, String, String)> = None;
    for (event, range) in Parser::new(&chapter.text).into_offset_iter() {
        let line = chapter.line_at(range.start);
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                let info = match kind {
                    CodeBlockKind::Fenced(info) => info.into_string(),
                    CodeBlockKind::Indented => "indented".to_owned(),
                };
                within = Some((line, info, String::new()));
            }
            Event::Text(text) => {
                if let Some((.., content)) = &mut within {
                    *content += &text;
                }
            }
            Event::End(TagEnd::CodeBlock) => {
                let (line, info, content) = within.take().expect("a block ends where one has begun");
                blocks += 1;
                if let Some(complaint) = complaint(&info, &content) {
                    complaints.push((line, complaint));
                }
            }
            Event::Html(html) | Event::InlineHtml(html)
                if html.contains("<pre") || html.contains("<code") =>
            {
                complaints.push((line, "code in HTML: use a fence that includes".to_owned()));
            }
            _ => {}
        }
    }
    (blocks, complaints)
}

fn complaint(info: &str, content: &str) -> Option<String> {
    let language = info.split([',', ' ']).next().unwrap_or_default();
    if language == "sh" {
        return None;
    }
    let pasted = content.lines().find(|line| !line.trim().is_empty() && !is_include(line));
    match pasted {
        Some(line) => Some(format!("a `{info}` block is typed in, not included: {}", line.trim())),
        None if content.trim().is_empty() => Some(format!("an empty `{info}` block")),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::complaints::Complaints;

    fn complaints_of(text: &str) -> Complaints {
        let repo = Repo::of_files(&[("book/src/01.md", text)]);
        check(&repo).err().unwrap_or_default()
    }

    #[test]
    fn the_book_is_fine() {
        check(&Repo::here()).unwrap();
    }

    #[test]
    fn includes_and_commands_are_fine() {
        let text =
            "# A\n```rust,ignore\n{{#include ../a.rs:x}}\n{{#include ../a.rs:y}}\n```\n\n```sh\nls\n```\n";
        assert_eq!(complaints_of(text), Complaints::new());
    }

    #[test]
    fn pasted_code_is_found() {
        let rust = complaints_of("# A\n\n```rust,ignore\n{{#include ../a.rs:x}}\nfn main() {}\n```\n");
        assert!(rust[0].starts_with("book/src/01.md:3: ") && rust[0].ends_with("fn main() {}"), "{rust:?}");
        assert_eq!(complaints_of("```text\nthread one: 1\n```\n").len(), 1);
        assert_eq!(complaints_of("> ```\n> mov rax, 1\n> ```\n").len(), 1);
        assert_eq!(complaints_of("Text.\n\n    fn indented() {}\n").len(), 1);
        assert_eq!(complaints_of("<pre>fn main() {}</pre>\n").len(), 1);
        assert_eq!(complaints_of("```rust\n```\n").len(), 1);
    }
}
