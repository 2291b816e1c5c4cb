//! One check for each chapter: a function that is given a program, and says what it finds.

use crate::solution::{Solution, Verdict};

mod chapter_01;
mod chapter_02;
mod chapter_03;
mod chapter_04;
mod chapter_05;
mod chapter_06;
mod chapter_07;
mod chapter_08;
mod chapter_09;
mod chapter_10;

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
    Exercise { chapter: 1, check: chapter_01::check },
    Exercise { chapter: 2, check: chapter_02::check },
    Exercise { chapter: 3, check: chapter_03::check },
    Exercise { chapter: 4, check: chapter_04::check },
    Exercise { chapter: 5, check: chapter_05::check },
    Exercise { chapter: 6, check: chapter_06::check },
    Exercise { chapter: 7, check: chapter_07::check },
    Exercise { chapter: 8, check: chapter_08::check },
    Exercise { chapter: 9, check: chapter_09::check },
    Exercise { chapter: 10, check: chapter_10::check },
];
