// ANCHOR: all
//! Leaves the stack that the OS gave us for one that is ours, and does not come back.

use std::arch::asm;

// ANCHOR: main
fn main() {
    let stack = Stack::new();
    println!("main stands on the stack that the OS has made");
    // SAFETY: `stack` is new, and `main`, which never goes on, never drops it.
    unsafe { switch(stack.sp) }
}

/// The first function on the new stack.
extern "C" fn start() -> ! {
    println!("start stands on a stack of our own");
    std::process::exit(0)
}
// ANCHOR_END: main

// ANCHOR: stack
/// A stack on which nobody stands. It grows downwards, and is in use from `sp` to its upper end.
struct Stack {
    sp: *mut usize,
    /// Kept to be freed. A `u128` is aligned to 16 bytes, as a stack must be.
    #[expect(dead_code)]
    memory: Vec<u128>,
}

impl Stack {
    /// A stack from which `switch` pops the address of `start`.
    fn new() -> Self {
        // 256 KiB. Nothing is written yet: the OS only gives us the pages that we touch.
        let mut memory = Vec::<u128>::with_capacity(16 * 1024);
        let end = memory.as_mut_ptr().wrapping_add(memory.capacity());
        // From the lowest address up. The zero stands where a caller's address would be.
        let words = [start as *const () as usize, 0];
        let sp = end.cast::<usize>().wrapping_sub(words.len());
        // SAFETY: From `sp` to the end there are as many words, in memory that is ours.
        unsafe { sp.copy_from_nonoverlapping(words.as_ptr(), words.len()) };
        Self { sp, memory }
    }
}
// ANCHOR_END: stack

// ANCHOR: switch
/// Takes `sp` for its stack pointer, and goes on at the address that is popped from there.
///
/// # Safety
/// `sp` is that of a new `Stack`, and its memory is still there.
unsafe fn switch(sp: *mut usize) -> ! {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: The stack is valid, and `start` never returns to it.
    unsafe {
        asm!("mov rsp, {0}", "ret", in(reg) sp, options(noreturn));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: As above. x30 is where `start` would return to: nowhere.
    unsafe {
        asm!("mov sp, {0}", "ldp x9, x29, [sp], #16", "mov x30, xzr", "ret x9",
            in(reg) sp, options(noreturn));
    }
}
// ANCHOR_END: switch

// ANCHOR: machines
#[cfg(any(windows, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
compile_error!("this program runs on x86-64 and AArch64, and not under Windows: see chapter 6");
// ANCHOR_END: machines
// ANCHOR_END: all
