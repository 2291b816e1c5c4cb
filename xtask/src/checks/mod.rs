//! The checks of the book, one file for each.

use crate::repo::Repo;

mod bare;
mod book;
mod browser;
mod complete;
mod coverage;
mod exercises;
mod gdb;
mod links;
mod listings;
mod measured;
mod named;
mod pasted;
mod pictures;
mod spelling;
mod step;

pub(crate) use step::recorded as recorded_switch;

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

    const fn recorded_by(mut self, record: fn(&Repo, &[&str]) -> Outcome) -> Self {
        self.record = Some(record);
        self
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
    Check::new("complete", "each chapter has what the introduction promises", complete::check),
    Check::new("named", "files and programs that chapters name are there", named::check),
    Check::new("spelling", "all words are in the dictionary or in words.txt", spelling::check),
    Check::new("bare", "the bare version is the commented one without comments", bare::check)
        .recorded_by(bare::record),
    Check::new(
        "listings",
        "listings have no lints, print what is shown, and end as promised",
        listings::check,
    )
    .recorded_by(listings::record),
    Check::new("exercises", "answers pass, and what readers start from doesn't", exercises::check),
    Check::new("measured", "figures have been measured by a listing", measured::check)
        .recorded_by(measured::record),
    Check::new("gdb", "debugger sessions go as shown", gdb::check).recorded_by(gdb::record),
    Check::new("pictures", "pictures are drawn from running programs", pictures::check)
        .recorded_by(pictures::record),
    Check::new("step", "the interactive page plays what the program does", step::check)
        .recorded_by(step::record),
    Check::new("book", "mdBook builds the book, without a complaint", book::check),
    Check::new("links", "all links of the built book lead somewhere, and it opens from disk", links::check),
    Check::new("browser", "the book in a real browser, on a screen and on a phone", browser::check),
];

/// All is well if nothing is wrong.
fn outcome(complaints: Complaints, found: impl FnOnce() -> String) -> Outcome {
    if complaints.is_empty() { Ok(found()) } else { Err(complaints) }
}
