//! Two walks up the stack, through a function that has a table and through one that hasn't.

use std::cell::{Cell, RefCell};

use windows::{Step, call_with_table, call_without_table, walk};

thread_local! {
    /// An address in the frame of `main`.
    static END: Cell<usize> = const { Cell::new(0) };
    static STEPS: RefCell<Vec<Step>> = const { RefCell::new(Vec::new()) };
}

fn main() {
    let end = 0;
    END.set((&raw const end).addr());
    println!("with a table:");
    report(call_with_table(look));
    println!("without:");
    report(call_without_table(look));
}

extern "C" fn look() {
    STEPS.set(walk(END.get()));
}

fn report(rbx: u64) {
    STEPS.with_borrow(|steps| {
        println!("  each step had a table: {}", steps.iter().all(|step| step.has_table));
        let found = steps.last().map(|step| step.rbx);
        println!("  rbx is what it was in main: {}", found == Some(rbx));
    });
}
