//! Exercise of chapter 11: the sixth note, `gs:[0x20]`, which Windows calls `FiberData`. Each
//! thread counts in it. As it stands, nobody writes it, and it wouldn't go with the stack.
//!
//! Write `replace_fiber_data` (the instruction `xchg` exchanges a register and a word in memory),
//! and complete `resume`. Then run `cargo run -p exercises -- check 11`, which needs Windows or
//! what the chapter runs its programs with.

use std::arch::asm;
use std::cell::Cell;
use std::ptr::null_mut;

use windows::{Stack, prepare, switch};

struct Thread {
    name: &'static str,
    sp: *mut usize,
    /// What is in the sixth note while this thread runs.
    fiber_data: usize,
    #[expect(dead_code)]
    stack: Stack,
}

thread_local! {
    static CURRENT: Cell<*mut Thread> = const { Cell::new(null_mut()) };
}

/// The sixth note, `gs:[0x20]`. This is how the macro `GetFiberData` of Windows's header files
/// finds it.
fn fiber_data() -> usize {
    let data;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: Reads a word of the thread's own block.
    unsafe {
        asm!("mov {}, gs:[0x20]", out(reg) data, options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        data = 0;
    }
    data
}

/// Puts `data` into the sixth note, and returns what was there.
fn replace_fiber_data(mut data: usize) -> usize {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: Only this program uses the note: it has no fibers of Windows's.
    unsafe {
        asm!("/* your turn: {} is still as it was */", inout(reg) data);
    }
    data
}

/// Gives a thread its turn.
fn resume(thread: &mut Thread) {
    CURRENT.set(thread);
    // Your turn, here and behind the switch.
    _ = thread.fiber_data;
    // SAFETY: `sp` is from `prepare` or from `yield_now`, and the stack is there.
    unsafe { switch(&raw mut thread.sp) };
}

fn yield_now() {
    // SAFETY: `resume` waits where it left its stack pointer.
    unsafe { switch(&raw mut (*CURRENT.get()).sp) };
}

extern "C" fn start() -> ! {
    // SAFETY: `resume` waits, and keeps the thread in place.
    let name = unsafe { (*CURRENT.get()).name };
    loop {
        replace_fiber_data(fiber_data() + 1);
        println!("{name}: {}", fiber_data());
        yield_now();
    }
}

fn main() {
    replace_fiber_data(7);
    let mut threads = [("one", 100), ("two", 200), ("three", 300)].map(|(name, fiber_data)| {
        let stack = Stack::new().expect("memory for a stack");
        // SAFETY: The stack stays to the end of the program.
        Thread { name, sp: unsafe { prepare(&stack, start) }, fiber_data, stack }
    });
    for _ in 0..3 {
        threads.iter_mut().for_each(resume);
        println!("main: {}", fiber_data());
    }
}
