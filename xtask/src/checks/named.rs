//! The files and folders that chapters name are there, and so are the programs that the reader is
//! told to run.

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use crate::chapter::Chapter;
use crate::complaints::{Outcome, outcome};
use crate::listing::Program;
use crate::repo::Repo;

pub(super) fn check(repo: &Repo) -> Outcome {
    let programs = Program::all(repo);
    let tops: Vec<String> = repo.entries(&repo.path("")).iter().map(|path| repo.name(path) + "/").collect();
    let (mut complaints, mut files, mut commands) = (Vec::new(), 0, 0);
    for chapter in Chapter::all(repo)? {
        let mut is_typed = false;
        for (event, range) in Parser::new(&chapter.text).into_offset_iter() {
            let place = || format!("{}:{}", repo.name(&chapter.path), chapter.line_at(range.start));
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => is_typed = &*info == "sh",
                Event::End(TagEnd::CodeBlock) => is_typed = false,
                Event::Code(name) if tops.iter().any(|top| name.starts_with(&**top)) => {
                    files += 1;
                    if !repo.path(&name).exists() {
                        complaints.push(format!("{}: there is no `{name}`", place()));
                    }
                }
                Event::Text(text) if is_typed => {
                    for line in text.lines().filter(|line| is_run(line)) {
                        commands += 1;
                        if !is_there(line, &programs) {
                            complaints.push(format!("{}: there is no such program: {line}", place()));
                        }
                    }
                }
                _ => {}
            }
        }
    }
    outcome(complaints, || format!("{files} files and {commands} commands to run a program"))
}

fn is_run(line: &str) -> bool {
    line.contains("cargo run ") || (line.contains("cargo xtask on ") && line.contains(" run "))
}

/// Whether the package has the program that `cargo run` is to run.
fn is_there(command: &str, programs: &[Program]) -> bool {
    // Arguments behind `--` are for the program.
    let words: Vec<&str> = command.split_whitespace().take_while(|word| *word != "--").collect();
    let behind = |option: &str| words.windows(2).find(|pair| pair[0] == option).map(|pair| pair[1]);
    match (behind("-p"), behind("--bin")) {
        (Some("exercises"), None) => true,
        (Some(package), Some(name)) => programs.iter().any(|it| it.package == package && it.name == name),
        (Some(package), None) => programs.iter().filter(|it| it.package == package).count() == 1,
        (None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_book_is_fine() {
        check(&Repo::here()).unwrap();
    }

    #[test]
    fn what_is_not_there_is_found() {
        let chapter = "`book/src/01.md`, `book/src/02.md`, `cook/x`.\n\n```sh\ncargo run -p a\ncargo run -p b\n\
                       cargo run --release -p c --bin y -- check\ncargo run -p exercises -- check 1\n\
                       cargo run -p c\ncargo run -p c --bin z\n```\n";
        let repo = Repo::of_files(&[
            ("book/src/01.md", chapter),
            ("book/listings/a/src/main.rs", ""),
            ("book/listings/c/src/bin/x.rs", ""),
            ("book/listings/c/src/bin/y.rs", ""),
        ]);
        let complaints = check(&repo).unwrap_err();
        assert_eq!(complaints.len(), 4, "{complaints:?}");
        assert!(complaints[0].contains("`book/src/02.md`"));
        assert!(complaints[1].ends_with("cargo run -p b"));
        assert!(complaints[3].ends_with("--bin z"));
    }
}
