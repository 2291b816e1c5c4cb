//! Two overflows. Of the second stack, Windows doesn't know where it ends.

use windows::{Notes, Stack, call_on, dive, on_overflow};

fn main() {
    on_overflow(|| println!("  Windows says: a stack has overflowed"));
    let stack = Stack::new().expect("memory for a stack");
    // Any argument will do.
    let notes = if std::env::args().len() == 1 {
        println!("with the allocation of another stack:");
        Notes { allocation: Notes::now().allocation, ..stack.notes() }
    } else {
        println!("with all notes:");
        stack.notes()
    };
    // SAFETY: With all notes, Windows ends the process before anybody else is harmed.
    unsafe { call_on(&stack, notes, too_deep) };
}

extern "C" fn too_deep() {
    dive(2_000_000);
}
