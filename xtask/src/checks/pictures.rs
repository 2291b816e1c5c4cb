//! Each picture agrees with its source, and each stack with the running program.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::complaints::{Complaints, Outcome, outcome};
use crate::gdb;
use crate::pictures::{KINDS, draw, dump, has_dump, windows};
use crate::repo::Repo;

pub(super) fn check(repo: &Repo) -> Outcome {
    let sources = sources(repo);
    let versions = gdb::versions(repo)?;
    let (mut complaints, mut dumps) = (orphans(repo, &sources), 0);
    for source in &sources {
        complaints.extend(check_drawn(repo, source).err().into_iter().flatten());
        if has_dump(source) {
            dumps += 1;
            complaints.extend(check_dump(repo, source, &versions).err().into_iter().flatten());
        }
    }
    outcome(complaints, || {
        format!("{} pictures, {dumps} of them of the memory of running programs", sources.len())
    })
}

/// Takes the dumps of the named pictures, or of those that have none. Then it draws.
pub(super) fn record(repo: &Repo, which: &[&str]) -> Outcome {
    let versions = gdb::versions(repo)?;
    let mut drawn = Vec::new();
    for source in sources(repo) {
        let name = name(&source);
        let dump_path = source.with_extension("dump");
        if !which.is_empty() && !which.contains(&&*name) {
            continue;
        }
        if has_dump(&source) && (!dump_path.exists() || !which.is_empty()) {
            repo.write(&dump_path, format!("{}recorded with {versions}\n", dump(repo, &source)?))?;
        }
        for (window, end) in windows(&source) {
            repo.write(&picture(repo, &source, end), draw(repo, &source, *window)?)?;
        }
        drawn.push(name);
    }
    Ok(format!("drawn: {}", drawn.join(", ")))
}

fn sources(repo: &Repo) -> Vec<PathBuf> {
    let mut sources = repo.entries(&repo.path("book/pictures"));
    sources.retain(|path| KINDS.iter().any(|kind| path.extension() == Some(OsStr::new(kind))));
    sources
}

fn name(source: &Path) -> String {
    source.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn picture(repo: &Repo, source: &Path, end: &str) -> PathBuf {
    repo.path(&format!("book/src/pictures/{}{end}.svg", name(source)))
}

fn check_drawn(repo: &Repo, source: &Path) -> Result<(), Complaints> {
    for (window, end) in windows(source) {
        let path = picture(repo, source, end);
        if repo.read(&path)? != draw(repo, source, *window)? {
            return Err(vec![format!("{}: `cargo xtask pictures` draws another", repo.name(&path))]);
        }
    }
    Ok(())
}

/// If the tools are those of the recording, the words must be the same. With other tools the
/// program must only reach its breakpoint.
fn check_dump(repo: &Repo, source: &Path, versions: &str) -> Result<(), Complaints> {
    let path = source.with_extension("dump");
    let recorded = repo.read(&path)?;
    let now = format!("{}recorded with {versions}\n", dump(repo, source)?);
    if recorded == now || recorded.lines().next_back() != now.lines().next_back() {
        return Ok(());
    }
    let name = name(source);
    Err(vec![format!(
        "{}: the stack is another now; `cargo xtask pictures --record {name}`",
        repo.name(&path)
    )])
}

/// Pictures and dumps without a source.
fn orphans(repo: &Repo, sources: &[PathBuf]) -> Complaints {
    let mut files = repo.files("book/src/pictures", "svg");
    files.extend(repo.files("book/pictures", "dump"));
    let is_of = |file: &Path, source: &Path| {
        windows(source).iter().any(|(_, end)| name(file) == format!("{}{end}", name(source)))
    };
    files.retain(|file| !sources.iter().any(|source| is_of(file, source)));
    files.iter().map(|file| format!("{}: it has no source in book/pictures", repo.name(file))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "title: T\noutput: a/expected/a.txt 1 2\nlane: one, one:\nlane: two, two:\n";

    fn repo() -> Repo {
        let repo = Repo::of_files(&[
            ("book/pictures/a.turns", SOURCE),
            ("book/listings/a/expected/a.txt", "one: 1\ntwo: 1\n"),
        ]);
        let source = repo.path("book/pictures/a.turns");
        for (window, end) in windows(&source) {
            repo.write(&picture(&repo, &source, end), draw(&repo, &source, *window).unwrap()).unwrap();
        }
        repo
    }

    #[test]
    fn the_pictures_of_the_book_are_drawn_from_their_sources() {
        let repo = Repo::here();
        for source in sources(&repo) {
            check_drawn(&repo, &source).unwrap();
        }
    }

    #[test]
    fn another_source_and_another_output_are_found() {
        let repo = repo();
        let source = repo.path("book/pictures/a.turns");
        assert_eq!(check_drawn(&repo, &source), Ok(()));
        repo.write(&source, SOURCE.replace("title: T", "title: U")).unwrap();
        let other = ["book/src/pictures/a.svg: `cargo xtask pictures` draws another"];
        assert_eq!(check_drawn(&repo, &source).unwrap_err(), other);
        repo.write(&source, SOURCE).unwrap();
        repo.write(&repo.path("book/listings/a/expected/a.txt"), "two: 1\none: 1\n").unwrap();
        assert_eq!(check_drawn(&repo, &source).unwrap_err(), other);
    }

    #[test]
    fn a_picture_without_a_source_is_found() {
        let repo = repo();
        repo.write(&repo.path("book/src/pictures/b.svg"), "").unwrap();
        let complaints = orphans(&repo, &sources(&repo));
        assert_eq!(complaints, ["book/src/pictures/b.svg: it has no source in book/pictures"]);
    }
}
