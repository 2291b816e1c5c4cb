//! A panic on a stack whose base Windows doesn't know.

use std::panic::{catch_unwind, resume_unwind};

use windows::{Notes, Stack, call_on};

fn main() {
    let stack = Stack::new().expect("memory for a stack");
    println!("with all notes:");
    // SAFETY: They are the stack's own.
    unsafe { call_on(&stack, stack.notes(), catch) };
    println!("with the base of another stack:");
    let notes = Notes { base: Notes::now().base, ..stack.notes() };
    // SAFETY: There is none.
    unsafe { call_on(&stack, notes, catch) };
}

extern "C" fn catch() {
    let outcome = catch_unwind(|| resume_unwind(Box::new("a panic")));
    println!("  caught: {}", outcome.is_err());
}
