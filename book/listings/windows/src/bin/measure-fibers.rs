//! What it takes to go from one stack to another: by the switch that keeps all by itself, by one
//! that leaves it to the compiler, and by Windows's own.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::null_mut;

use measures::measure;
use windows::{ConvertThreadToFiber, CreateFiber, Stack, SwitchToFiber, prepare, switch};

thread_local! {
    static OTHER: Cell<*mut *mut usize> = const { Cell::new(null_mut()) };
}

/// Half of them there, half of them back.
const COUNT: u32 = 200_000;

fn main() {
    let stack = Stack::new().expect("memory for a stack");
    // SAFETY: The stack stays to the end of the program, and so does the fiber.
    unsafe {
        let mut sp = prepare(&stack, back);
        OTHER.set(&raw mut sp);
        measure("switch-by-hand", COUNT, |count| {
            (0..count / 2).for_each(|_| switch(&raw mut sp));
        });
        measure("switch-inlined", COUNT, other_machines::switches());
        let main = ConvertThreadToFiber(null_mut());
        let fiber = CreateFiber(64 * 1024, back_to, main);
        measure("switch-to-fiber", COUNT, |count| {
            (0..count / 2).for_each(|_| SwitchToFiber(fiber));
        });
    }
}

extern "C" fn back() -> ! {
    loop {
        // SAFETY: As in `main`.
        unsafe { switch(OTHER.get()) };
    }
}

extern "system" fn back_to(main: *mut c_void) {
    loop {
        // SAFETY: As in `main`.
        unsafe { SwitchToFiber(main) };
    }
}
