//! One check for each exercise: a function that is given a program, and says what it finds.

use crate::machine::Machine;
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
mod chapter_11;
mod chapter_12;

/// An exercise of a chapter.
#[derive(Debug)]
pub struct Exercise {
    /// The chapter's number; that of a chapter's second, harder exercise is followed by a `b`.
    pub name: &'static str,
    /// Whether a program does what the chapter asks for.
    pub check: fn(&Solution) -> Verdict,
    /// The machine that it is for, if that isn't the reader's.
    pub machine: Option<&'static str>,
}

impl Exercise {
    const fn new(name: &'static str, check: fn(&Solution) -> Verdict) -> Self {
        Self { name, check, machine: None }
    }

    const fn on(mut self, machine: &'static str) -> Self {
        self.machine = Some(machine);
        self
    }

    /// Why it can't be checked here, if it can't.
    #[must_use]
    pub fn missing(&self) -> Option<String> {
        let machine = Machine::named(self.machine?)?;
        machine.tools().err().map(|why| format!("exercise {}, {}: {why}", self.name, machine.name))
    }
}

/// The exercises of the chapters that there are, in their order.
pub const ALL: &[Exercise] = &[
    Exercise::new("1", chapter_01::check),
    Exercise::new("2", chapter_02::check),
    Exercise::new("3", chapter_03::check),
    Exercise::new("4", chapter_04::check),
    Exercise::new("5", chapter_05::check),
    Exercise::new("6", chapter_06::check),
    Exercise::new("7", chapter_07::check),
    Exercise::new("8", chapter_08::check),
    Exercise::new("9", chapter_09::check),
    Exercise::new("10", chapter_10::check),
    Exercise::new("11", chapter_11::check).on("windows"),
    Exercise::new("12", chapter_12::check).on("riscv64"),
];
