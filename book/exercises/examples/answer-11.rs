//! Answer of chapter 11.

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
        asm!("xchg gs:[0x20], {}", inout(reg) data, options(nostack, preserves_flags));
    }
    data
}

/// Gives a thread its turn.
fn resume(thread: &mut Thread) {
    CURRENT.set(thread);
    let ours = replace_fiber_data(thread.fiber_data);
    // SAFETY: `sp` is from `prepare` or from `yield_now`, and the stack is there.
    unsafe { switch(&raw mut thread.sp) };
    thread.fiber_data = replace_fiber_data(ours);
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
