//! The checks of the book, one file for each.

use crate::check::Check;

mod bare;
mod book;
mod browser;
mod complete;
mod coverage;
mod exercises;
mod explained;
mod gdb;
mod links;
mod listings;
mod machines;
mod measured;
mod miri;
mod named;
mod pasted;
mod pictures;
mod spelling;
mod step;
mod worker;

/// All of them, the quick ones first.
pub(crate) const ALL: &[Check] = &[
    Check::new("pasted", "chapters include their listings and outputs; none is typed in", pasted::check),
    Check::new(
        "coverage",
        "what chapters include is there, and each line of a listing is shown",
        coverage::check,
    ),
    Check::new("complete", "each chapter has what the introduction promises", complete::check),
    Check::new(
        "explained",
        "all that the two hundred lines use is explained, and the glossary fits the chapters",
        explained::check,
    ),
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
    Check::new("machines", "listings print on other machines what is shown", machines::check)
        .recorded_by(machines::record),
    Check::new("exercises", "answers pass, and what readers start from doesn't", exercises::check),
    Check::new("measured", "figures have been measured by a listing", measured::check)
        .recorded_by(measured::record),
    Check::new("miri", "Miri finds in listings what is shown", miri::check).recorded_by(miri::record),
    Check::new("gdb", "debugger sessions go as shown", gdb::check).recorded_by(gdb::record),
    Check::new("pictures", "pictures are drawn from running programs", pictures::check)
        .recorded_by(pictures::record),
    Check::new("step", "the interactive page plays what the program does", step::check)
        .recorded_by(step::record),
    Check::new("worker", "the game plays the states of its model", worker::check).recorded_by(worker::record),
    Check::new("book", "mdBook builds the book, without a complaint", book::check),
    Check::new("links", "all links of the built book lead somewhere, and it opens from disk", links::check),
    Check::new("browser", "the book in a real browser, on a screen and on a phone", browser::check),
];
