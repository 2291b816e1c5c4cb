//! What Windows knows of two stacks: the thread's, and one of ours.

use windows::{Notes, Stack, block, call_on};

fn main() {
    let block = block();
    show("the thread's stack", Notes::now());
    let stack = Stack::new().expect("memory for a stack");
    // SAFETY: They are the stack's own notes.
    unsafe { call_on(&stack, stack.notes(), on_our_stack) };
    // SAFETY: It is the block from which `Notes::now` reads.
    assert_eq!(unsafe { block.add(1).read() }, Notes::now().base);
}

extern "C" fn on_our_stack() {
    show("our stack", Notes::now());
}

fn show(whose: &str, notes: Notes) {
    let here = (&raw const whose).addr();
    println!("{whose}: {} KiB of addresses", (notes.base - notes.allocation) / 1024);
    println!("  of which {} KiB can be used now", (notes.base - notes.limit) / 1024);
    println!("  and {} bytes are kept for an overflow", notes.guarantee);
    println!("  the list of handlers begins at {}", notes.exception_list);
    println!("  a local variable lies on it: {}", (notes.limit..notes.base).contains(&here));
}
