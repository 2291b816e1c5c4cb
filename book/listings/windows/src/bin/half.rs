//! A test of a switch, and of one that keeps half of each xmm register.

use std::cell::Cell;
use std::hint::black_box;
use std::ptr::null_mut;

use windows::{Stack, prepare, switch, switch_that_keeps_half};

type Switch = unsafe extern "C" fn(*mut *mut usize);

thread_local! {
    static SWITCH: Cell<Switch> = const { Cell::new(switch) };
    /// The stack pointer of whoever isn't running.
    static OTHER: Cell<*mut *mut usize> = const { Cell::new(null_mut()) };
}

fn main() {
    test("a switch that keeps all", switch);
    test("a switch that keeps half", switch_that_keeps_half);
}

fn test(what: &str, switch: Switch) {
    println!("{what}:");
    let stack = Stack::new().expect("memory for a stack");
    // SAFETY: The stack stays until the end of this test, and nobody goes on with it later.
    let mut sp = unsafe { prepare(&stack, other) };
    SWITCH.set(switch);
    OTHER.set(&raw mut sp);
    assert_eq!(three_times([1.0, 2.0]), [3.0, 6.0]);
    println!("  the sums are right");
}

extern "C" fn other() -> ! {
    loop {
        three_times([10.0, 20.0]);
    }
}

/// Adds up two numbers, both in the same xmm register, and lets the other one do so, too.
#[inline(never)]
fn three_times(numbers: [f64; 2]) -> [f64; 2] {
    let numbers = black_box(numbers);
    let mut sums = [0.0, 0.0];
    for _ in 0..3 {
        sums[0] += numbers[0];
        sums[1] += numbers[1];
        // SAFETY: `test` has set both, and waits or is waited for.
        unsafe { SWITCH.get()(OTHER.get()) };
    }
    sums
}
