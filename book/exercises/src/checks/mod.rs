//! One check for each exercise: a function that is given a program, and says what it finds.

use crate::machine::Machine;
use crate::solution::{Solution, Verdict};

mod chapter_00;
mod chapter_00b;
mod chapter_01;
mod chapter_01b;
mod chapter_02;
mod chapter_02b;
mod chapter_03;
mod chapter_03b;
mod chapter_04;
mod chapter_04b;
mod chapter_05;
mod chapter_05b;
mod chapter_06;
mod chapter_06b;
mod chapter_07;
mod chapter_07b;
mod chapter_08;
mod chapter_08b;
mod chapter_09;
mod chapter_09b;
mod chapter_10;
mod chapter_10b;
mod chapter_11;
mod chapter_11b;
mod chapter_12;
mod chapter_12b;
mod chapter_26;
mod chapter_26b;
mod chapter_27;
mod chapter_27b;
mod chapter_28;
mod chapter_28b;
mod chapter_29;
mod chapter_29b;

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
    Exercise::new("0", chapter_00::check),
    Exercise::new("0b", chapter_00b::check),
    Exercise::new("1", chapter_01::check),
    Exercise::new("1b", chapter_01b::check),
    Exercise::new("2", chapter_02::check),
    Exercise::new("2b", chapter_02b::check),
    Exercise::new("3", chapter_03::check),
    Exercise::new("3b", chapter_03b::check),
    Exercise::new("4", chapter_04::check),
    Exercise::new("4b", chapter_04b::check),
    Exercise::new("5", chapter_05::check),
    Exercise::new("5b", chapter_05b::check),
    Exercise::new("6", chapter_06::check),
    Exercise::new("6b", chapter_06b::check),
    Exercise::new("7", chapter_07::check),
    Exercise::new("7b", chapter_07b::check),
    Exercise::new("8", chapter_08::check),
    Exercise::new("8b", chapter_08b::check),
    Exercise::new("9", chapter_09::check),
    Exercise::new("9b", chapter_09b::check),
    Exercise::new("10", chapter_10::check),
    Exercise::new("10b", chapter_10b::check),
    Exercise::new("11", chapter_11::check).on("windows"),
    Exercise::new("11b", chapter_11b::check),
    Exercise::new("12", chapter_12::check).on("riscv64"),
    Exercise::new("12b", chapter_12b::check).on("riscv64"),
    Exercise::new("26", chapter_26::check),
    Exercise::new("26b", chapter_26b::check),
    Exercise::new("27", chapter_27::check),
    Exercise::new("27b", chapter_27b::check),
    Exercise::new("28", chapter_28::check),
    Exercise::new("28b", chapter_28b::check),
    Exercise::new("29", chapter_29::check),
    Exercise::new("29b", chapter_29b::check),
];
