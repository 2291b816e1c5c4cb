//! A list of handlers that begins nowhere, and a panic.

use std::panic::{catch_unwind, resume_unwind};

use windows::{Notes, Stack, call_on};

fn main() {
    let stack = Stack::new().expect("memory for a stack");
    for exception_list in [0, 7, usize::MAX] {
        println!("the list begins at {exception_list:#x}:");
        let notes = Notes { exception_list, ..stack.notes() };
        // SAFETY: Nobody follows the list, as we shall see.
        unsafe { call_on(&stack, notes, catch) };
    }
}

extern "C" fn catch() {
    let outcome = catch_unwind(|| resume_unwind(Box::new("a panic")));
    println!("  caught: {}", outcome.is_err());
}
