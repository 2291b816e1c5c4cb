//! The checks of the book, one file for each.

use crate::repo::Repo;

mod book;
mod coverage;
mod pasted;

/// What is wrong, each with its place.
pub(crate) type Complaints = Vec<String>;

/// What a check says: that all is well and how much there was, in one line; or what is wrong.
pub(crate) type Outcome = Result<String, Complaints>;

/// One check.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Repo) -> Outcome,
    /// Writes anew what `run` compares with: all of it, or what is named.
    pub(crate) record: Option<fn(&Repo, &[&str]) -> Outcome>,
}

impl Check {
    const fn new(name: &'static str, about: &'static str, run: fn(&Repo) -> Outcome) -> Self {
        Self { name, about, run, record: None }
    }
}

/// All of them, the quick ones first.
pub(crate) const ALL: &[Check] = &[
    Check::new("pasted", "chapters include their listings and outputs; none is typed in", pasted::check),
    Check::new(
        "coverage",
        "what chapters include is there, and each line of a listing is shown",
        coverage::check,
    ),
    Check::new("book", "mdBook builds the book, without a complaint", book::check),
];

/// All is well if nothing is wrong.
fn outcome(complaints: Complaints, found: impl FnOnce() -> String) -> Outcome {
    if complaints.is_empty() { Ok(found()) } else { Err(complaints) }
}
