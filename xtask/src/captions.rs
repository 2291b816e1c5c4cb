//! The book's sources with captions, for mdBook.
//!
//! The chapters themselves only include. What can be known of a listing is added here: its file
//! with a link to it, its lines, a link that opens it in the Rust Playground if it is one file
//! without dependencies, and the command that runs it if the chapter doesn't say it. Pictures get
//! their titles, and phones those that are drawn for them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::chapter::{Chapter, Include};
use crate::complaints::Complaints;
use crate::listing::{Program, here};
use crate::pictures;
use crate::playground;
use crate::repo::Repo;

/// Writes the book's sources with captions, and returns their folder.
pub(crate) fn tree(repo: &Repo) -> Result<PathBuf, Complaints> {
    let tree = repo.target().join("book-src");
    _ = std::fs::remove_dir_all(&tree);
    let book = repo.path("book");
    let mut copied = vec![book.join("book.toml")];
    copied.extend(repo.all_files(&book.join("theme")));
    copied.extend(repo.all_files(&book.join("src")));
    for file in copied.iter().filter(|file| file.extension().is_none_or(|it| it != "md")) {
        copy(repo, file, &tree.join(file.strip_prefix(&book).expect("it lies in the book")))?;
    }
    let url = repository(&repo.read(&book.join("book.toml"))?);
    let programs = here(repo)?;
    let mut linked = BTreeSet::new();
    for chapter in Chapter::all(repo)? {
        let mut captions = Captions {
            repo,
            chapter: &chapter,
            programs: &programs,
            url: url.as_deref(),
            linked: &mut linked,
        };
        let text = captions.add()?;
        let name = chapter.path.file_name().expect("a chapter has a name");
        repo.write(&tree.join("src").join(name), text)?;
    }
    for file in &linked {
        copy(repo, file, &tree.join("src/sources").join(repo.name(file)))?;
    }
    Ok(tree)
}

fn copy(repo: &Repo, from: &Path, to: &Path) -> Result<(), Complaints> {
    let bytes = std::fs::read(from).map_err(|error| vec![format!("{}: {error}", repo.name(from))])?;
    repo.write(to, bytes)
}

/// The address of the repository, if `book.toml` has one.
fn repository(toml: &str) -> Option<String> {
    let value = toml.lines().find_map(|line| line.strip_prefix("git-repository-url = "))?;
    Some(value.trim().trim_matches('"').trim_end_matches('/').to_owned())
}

struct Captions<'a> {
    repo: &'a Repo,
    chapter: &'a Chapter,
    programs: &'a [Program],
    url: Option<&'a str>,
    /// The files that are linked to.
    linked: &'a mut BTreeSet<PathBuf>,
}

impl Captions<'_> {
    fn add(&mut self) -> Result<String, Complaints> {
        let includes = self.chapter.includes();
        // mdBook looks for includes from the copy on.
        let folder = self.chapter.path.parent().expect("a chapter lies in a folder").display().to_string();
        let numbered = number(&self.chapter.path);
        let (mut done, mut pictures) = (String::new(), 0);
        let mut lines = self.chapter.text.lines().enumerate();
        while let Some((index, line)) = lines.next() {
            let indent = &line[..line.len() - line.trim_start().len()];
            if let Some(info) = line.trim_start().strip_prefix("```") {
                // The highlighter doesn't know all languages, and complains.
                let mut block = vec![line.replace("```erlang", "```plaintext")];
                for (_, line) in lines.by_ref() {
                    block.push(line.replace("{{#include ", &format!("{{{{#include {folder}/")));
                    if line.trim() == "```" {
                        break;
                    }
                }
                let of_block = index + 1..index + 1 + block.len();
                let shown: Vec<&Include> = includes.iter().filter(|it| of_block.contains(&it.line)).collect();
                let caption = self.caption(info, &shown)?;
                let block = block.join("\n");
                done += &match caption {
                    Some((figure, caption)) => format!(
                        "{indent}<figure{figure}>\n\n{block}\n\n{indent}<figcaption>{caption}</figcaption>\n{indent}</figure>\n"
                    ),
                    None => block + "\n",
                };
            } else if let Some(picture) = picture(line) {
                pictures += 1;
                let label = numbered.map(|number| format!("{number}.{pictures}"));
                done += &self.picture(picture, label.as_deref())?;
            } else {
                done += line;
                done.push('\n');
            }
        }
        Ok(done)
    }

    /// The attributes of a block's figure, and its caption.
    fn caption(&mut self, info: &str, shown: &[&Include]) -> Result<Option<(String, String)>, Complaints> {
        let Some(first) = shown.first() else {
            return Ok(None);
        };
        let name = self.repo.name(&first.file);
        let stem = first.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !name.starts_with("book/listings/") && !info.starts_with("rust") || name.contains("/expected/") {
            let caption = if name.starts_with("book/gdb/") {
                let script = first.file.with_extension("gdb");
                format!("gdb, by the script {}", self.link(&script, None))
            } else if name.contains("/expected/") {
                let program = stem.split('.').next().unwrap_or_default().to_owned();
                format!("What <code>{program}</code> prints")
            } else {
                return Ok(None);
            };
            return Ok(Some((" class=\"output\"".to_owned(), caption)));
        }
        let mut numbers = Vec::new();
        for include in shown {
            let text = self.repo.read(&include.file)?;
            let lines = include.lines_of(&text).map_err(|why| vec![format!("{name}: {why}")])?;
            numbers.extend(lines.into_iter().map(|line| line + 1));
        }
        let text = self.repo.read(&first.file)?;
        let is_whole = numbers.len() == text.lines().count();
        let range = (numbers.first().copied().unwrap_or(1), numbers.last().copied().unwrap_or(1));
        let mut parts = vec![self.link(&first.file, (!is_whole).then_some(range))];
        if !is_whole {
            let (from, to) = range;
            let lines = if from == to { format!("line {from}") } else { format!("lines {from}–{to}") };
            parts[0] += &format!(", {lines}");
        }
        if let Some(link) = playground::link(&text).filter(|_| info.starts_with("rust")) {
            parts.push(format!("<a href=\"{}\">Playground</a>", escaped(&link)));
        }
        if let Some(command) = self.command(&name, &stem) {
            parts.push(format!("<code class=\"run\">{command}</code>"));
        }
        let data = format!(" class=\"listing\" data-lines=\"{}\"", ranges(&numbers));
        Ok(Some((data, parts.join(" · "))))
    }

    /// A link to a file: in the repository, or a copy beside the page.
    fn link(&mut self, file: &Path, lines: Option<(usize, usize)>) -> String {
        let name = self.repo.name(file);
        let place = match (self.url, lines) {
            (Some(url), Some((from, to))) => format!("{url}/blob/HEAD/{name}#L{from}-L{to}"),
            (Some(url), None) => format!("{url}/blob/HEAD/{name}"),
            (None, _) => {
                self.linked.insert(file.to_owned());
                format!("sources/{name}")
            }
        };
        format!("<a href=\"{place}\"><code>{name}</code></a>")
    }

    /// The command that runs the program of a file, if the chapter doesn't say it.
    fn command(&self, file: &str, stem: &str) -> Option<String> {
        let package = file.strip_prefix("book/listings/")?.split('/').next()?;
        let is_main = file.ends_with("/src/main.rs");
        if !is_main && !file.contains("/src/bin/") {
            return None;
        }
        let name = if is_main { package } else { stem };
        let program = self.programs.iter().find(|it| it.package == package && it.name == name)?;
        let which = if is_main { format!("-p {package}") } else { format!("-p {package} --bin {name}") };
        let is_said = |line: &str| line.contains("cargo run ") && line.ends_with(&which);
        if self.chapter.text.lines().any(|line| is_said(line.split(" -- ").next().unwrap_or_default())) {
            return None;
        }
        let release = if program.is_measurement() { "--release " } else { "" };
        Some(format!("cargo run {release}{which}"))
    }

    fn picture(&self, (alternative, file): (&str, &str), label: Option<&str>) -> Result<String, Complaints> {
        let stem = file.strip_prefix("pictures/").and_then(|file| file.strip_suffix(".svg"));
        let place = self.repo.name(&self.chapter.path);
        let stem = stem.ok_or_else(|| vec![format!("{place}: `{file}` isn't drawn")])?;
        let mut sources =
            pictures::KINDS.iter().map(|kind| self.repo.path(&format!("book/pictures/{stem}.{kind}")));
        let source = sources.find(|source| source.exists());
        let source = source.ok_or_else(|| vec![format!("{place}: `{file}` has no source")])?;
        let narrow = pictures::windows(&source).iter().any(|(_, end)| *end == pictures::NARROW_END);
        let narrow = if narrow {
            let end = pictures::NARROW_END;
            format!("<source media=\"(max-width: 760px)\" srcset=\"pictures/{stem}{end}.svg\">")
        } else {
            String::new()
        };
        let title = with_code(&pictures::title(self.repo, &source)?);
        let label = label.map_or_else(String::new, |label| format!("<b>Picture {label}.</b> "));
        Ok(format!(
            "<figure class=\"picture\"><picture>{narrow}<img src=\"{file}\" alt=\"{}\"></picture>\
             <figcaption>{label}{title}</figcaption></figure>\n",
            escaped(alternative)
        ))
    }
}

/// The number of a chapter, by its file's name.
fn number(chapter: &Path) -> Option<u32> {
    chapter.file_name()?.to_str()?.get(..2)?.parse().ok()
}

/// The alternative and the file of a picture that is alone on its line.
fn picture(line: &str) -> Option<(&str, &str)> {
    let (alternative, file) = line.strip_prefix("![")?.split_once("](")?;
    Some((alternative, file.strip_suffix(".svg)").map(|_| &file[..file.len() - 1])?))
}

/// `1-3,7` for 1, 2, 3 and 7.
fn ranges(numbers: &[usize]) -> String {
    let runs = numbers.chunk_by(|a, b| a + 1 == *b);
    let runs = runs.map(|run| match run {
        [one] => one.to_string(),
        run => format!("{}-{}", run[0], run[run.len() - 1]),
    });
    runs.collect::<Vec<_>>().join(",")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn with_code(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(index, part)| match index % 2 {
        1 => format!("<code>{}</code>", escaped(part)),
        _ => escaped(part),
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: &str =
        "fn main() {\n    // ANCHOR: x\n    one();\n    // ANCHOR_END: x\n}\n\nfn one() {}\n";

    fn repo(chapter: &str, toml: &str) -> Repo {
        Repo::of_files(&[
            ("book/book.toml", toml),
            ("book/machines.txt", ""),
            ("book/src/01-a.md", chapter),
            ("book/listings/a/src/bin/b.rs", PROGRAM),
            ("book/gdb/chapter-01.gdb", "run\n"),
            ("book/gdb/chapter-01.txt", "(gdb) run\n"),
            ("book/pictures/p.turns", "title: `a` & b\n"),
        ])
    }

    fn added(chapter: &str, toml: &str) -> String {
        let repo = repo(chapter, toml);
        let tree = tree(&repo).unwrap();
        repo.read(&tree.join("src/01-a.md")).unwrap()
    }

    #[test]
    fn a_listing_has_its_lines_and_its_links() {
        let text =
            added("Text.\n```rust,ignore\n{{#include ../listings/a/src/bin/b.rs:x}}\n```\nMore.\n", "");
        assert!(
            text.starts_with("Text.\n<figure class=\"listing\" data-lines=\"3\">\n\n```rust,ignore\n"),
            "{text}"
        );
        assert!(text.ends_with("</figcaption>\n</figure>\nMore.\n"), "{text}");
        let file = "book/listings/a/src/bin/b.rs";
        assert!(
            text.contains(&format!("<a href=\"sources/{file}\"><code>{file}</code></a>, line 3 · ")),
            "{text}"
        );
        assert!(text.contains("<code class=\"run\">cargo run -p a --bin b</code>"), "{text}");
        assert!(text.contains("https://play.rust-lang.org/?"), "{text}");
    }

    #[test]
    fn a_command_is_said_once_and_the_repository_may_be_elsewhere() {
        let chapter = "```rust,ignore\n{{#include ../listings/a/src/bin/b.rs}}\n```\n```sh\ncargo run -p a --bin b\n```\n";
        let text = added(chapter, "git-repository-url = \"https://example.org/x/\"\n");
        assert_eq!(text.matches("cargo run").count(), 1);
        assert!(text.contains("\"https://example.org/x/blob/HEAD/book/listings/a/src/bin/b.rs\""), "{text}");
        assert!(text.contains("data-lines=\"1-7\""), "{text}");
    }

    #[test]
    fn sessions_and_pictures_have_captions() {
        let text =
            added("```text\n{{#include ../gdb/chapter-01.txt}}\n```\n![A \"p\"](pictures/p.svg)\n", "");
        assert!(text.contains("gdb, by the script <a href=\"sources/book/gdb/chapter-01.gdb\">"), "{text}");
        assert!(text.contains("srcset=\"pictures/p-narrow.svg\""), "{text}");
        assert!(text.contains("alt=\"A &quot;p&quot;\""), "{text}");
        assert!(text.contains("<b>Picture 1.1.</b> <code>a</code> &amp; b</figcaption>"), "{text}");
        let repo = repo("![x](pictures/q.svg)\n", "");
        assert_eq!(tree(&repo).unwrap_err(), ["book/src/01-a.md: `pictures/q.svg` has no source"]);
    }

    #[test]
    fn runs_of_lines() {
        assert_eq!(ranges(&[1, 2, 3, 7]), "1-3,7");
        assert_eq!(ranges(&[]), "");
    }
}
