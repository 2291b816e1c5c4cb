//! No file is too long to be read at once.

use super::sources;
use crate::complaints::{Outcome, outcome};
use crate::repo::Repo;

/// The most lines that a file may have.
const MOST: usize = 600;

pub(super) fn check(repo: &Repo) -> Outcome {
    let sources = sources::all(repo)?;
    let complaints = sources.iter().filter_map(|source| {
        let lines = too_many_lines(&source.text)?;
        Some(format!("{}:{}: {lines} lines, of which {MOST} are allowed", source.name, MOST + 1))
    });
    outcome(complaints.collect(), || format!("{} files", sources.len()))
}

/// The number of lines of the file, if it has too many.
fn too_many_lines(text: &str) -> Option<usize> {
    Some(text.lines().count()).filter(|lines| *lines > MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_found() {
        assert_eq!(too_many_lines(&"x\n".repeat(MOST)), None);
        assert_eq!(too_many_lines(&"x\n".repeat(MOST + 1)), Some(MOST + 1));
    }
}
