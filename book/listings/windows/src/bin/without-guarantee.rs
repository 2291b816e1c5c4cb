//! An overflow, and somebody who wants 10,000 bytes of stack to speak of it.

use std::hint::black_box;

use windows::{Notes, Stack, call_on, dive, on_overflow};

fn main() {
    on_overflow(|| {
        let text = [b'a'; 10_000];
        black_box(&text);
        println!("  there was room for {} bytes", text.len());
    });
    let stack = Stack::new().expect("memory for a stack");
    // Any argument will do.
    let notes = if std::env::args().len() == 1 {
        println!("with a guarantee of nothing:");
        stack.notes()
    } else {
        println!("with the guarantee of the thread's stack:");
        Notes { guarantee: Notes::now().guarantee, ..stack.notes() }
    };
    // SAFETY: Windows ends the process before anybody else is harmed.
    unsafe { call_on(&stack, notes, too_deep) };
}

extern "C" fn too_deep() {
    dive(2_000_000);
}
