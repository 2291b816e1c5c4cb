//! The Rust files that git tracks.

use std::process::Command;

use crate::complaints::Complaints;
use crate::repo::Repo;

/// A file.
#[derive(Debug)]
pub(super) struct Source {
    /// Its path from the top.
    pub(super) name: String,
    pub(super) text: String,
}

/// All of them, in the order of their names.
pub(super) fn all(repo: &Repo) -> Result<Vec<Source>, Complaints> {
    let names = repo.output(Command::new("git").args(["ls-files", "*.rs"]))?;
    // A file that was removed is tracked until the next commit.
    let names = names.lines().filter(|name| repo.path(name).is_file());
    names.map(|name| Ok(Source { name: name.to_owned(), text: repo.read(&repo.path(name))? })).collect()
}
