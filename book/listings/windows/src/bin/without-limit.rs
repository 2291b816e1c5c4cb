//! A stack that grows, and a switch that leaves what Windows has noted about it.

use std::panic::{catch_unwind, resume_unwind};

use windows::{Notes, Stack, call_on, dive};

fn main() {
    let stack = Stack::new().expect("memory for a stack");
    println!("on our stack:");
    // SAFETY: They are the stack's own notes.
    let left = unsafe { call_on(&stack, stack.notes(), dive_and_catch) };
    println!("its limit has moved down: {}", left.limit < stack.notes().limit);
    println!("on the thread's stack:");
    catch();
    println!("on the thread's stack, with the limit of ours:");
    // SAFETY: There is none.
    unsafe { Notes { limit: left.limit, ..Notes::now() }.write() };
    catch();
}

extern "C" fn dive_and_catch() {
    dive(100_000);
    catch();
}

fn catch() {
    let outcome = catch_unwind(|| resume_unwind(Box::new("a panic")));
    println!("  caught: {}", outcome.is_err());
}
