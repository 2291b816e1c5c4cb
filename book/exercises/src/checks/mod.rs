//! One check for each chapter: a function that is given a program, and says what it finds.

use crate::solution::{Solution, Verdict};

mod chapter_01;

/// A chapter's exercise.
#[derive(Debug)]
pub struct Exercise {
    /// The chapter's number.
    pub chapter: u32,
    /// Whether a program does what the chapter asks for.
    pub check: fn(&Solution) -> Verdict,
}

/// The exercises of the chapters that there are, in their order.
pub const ALL: &[Exercise] = &[
    Exercise { chapter: 1, check: chapter_01::check }, //
];
