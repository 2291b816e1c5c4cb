//! A harder exercise of chapter 12: a first function with an argument, on RISC-V.
//!
//! `switch` is the answer to the first exercise. It ends in a jump, and loads s0 and s1 from the
//! new stack. An argument is expected in a0, which it doesn't load. So a new stack does not begin
//! with its first function, but with a few instructions of yours that move things where they belong
//! and then go to that function: write `begin` (`mv a0, ..` moves, `jr ..` goes to an address), and
//! let `prepare` put there what it needs. Then run `cargo run -p exercises -- check 12b`: it needs
//! what the chapter runs RISC-V's programs with.
#![allow(dead_code)] // until `begin` is used

use std::arch::asm;
use std::cell::Cell;
use std::ptr::null_mut;

thread_local! {
    /// The stack pointer of whoever isn't running.
    static OTHER: Cell<*mut *mut usize> = const { Cell::new(null_mut()) };
}

/// The first function of a stack: it has an argument.
type Entry = extern "C" fn(usize) -> !;

/// A stack pointer as if `switch` had left it there. From it up lie four words: where to go on,
/// s0, s1, and one that only keeps sp a multiple of 16.
fn prepare(memory: &mut Vec<u128>, entry: Entry, argument: usize) -> *mut usize {
    // Your turn. As it stands, it begins with `entry`, which finds in a0 whatever was there.
    let words = [entry as *const () as usize, argument, 0, 0];
    let end = memory.as_mut_ptr().wrapping_add(memory.capacity());
    let sp = end.cast::<usize>().wrapping_sub(words.len());
    // SAFETY: The end of memory that is ours.
    unsafe { sp.copy_from_nonoverlapping(words.as_ptr(), words.len()) };
    sp
}

#[cfg(target_arch = "riscv64")]
#[unsafe(naked)]
extern "C" fn begin() -> ! {
    std::arch::naked_asm!("unimp")
}

/// Exchanges the stack pointer with `*other`, and so leaves this stack for that one.
///
/// # Safety
/// `*other` was left by `prepare` or by this function, and its memory is still there.
#[cfg(target_arch = "riscv64")]
unsafe fn switch(other: *mut *mut usize) {
    // SAFETY: Nobody writes to this stack until a switch to it goes on at 2.
    unsafe {
        asm!(
            "lla t1, 2f",
            "addi sp, sp, -32",
            "sd t1, 0(sp)", "sd s0, 8(sp)", "sd s1, 16(sp)",
            "ld t0, 0(a0)", "sd sp, 0(a0)", "mv sp, t0",
            "ld t1, 0(sp)", "ld s0, 8(sp)", "ld s1, 16(sp)",
            "addi sp, sp, 32",
            "jr t1",
            "2:",
            inout("a0") other => _,
            out("s2") _, out("s3") _, out("s4") _, out("s5") _, out("s6") _, out("s7") _,
            out("s8") _, out("s9") _, out("s10") _, out("s11") _,
            out("fs0") _, out("fs1") _, out("fs2") _, out("fs3") _, out("fs4") _, out("fs5") _,
            out("fs6") _, out("fs7") _, out("fs8") _, out("fs9") _, out("fs10") _, out("fs11") _,
            clobber_abi("C"),
        );
    }
}

extern "C" fn count_from(number: usize) -> ! {
    for number in number.. {
        println!("number {number}");
        // SAFETY: `main` has set it, and waits.
        unsafe { switch(OTHER.get()) };
    }
    unreachable!("there are many numbers")
}

fn main() {
    let mut memory: [Vec<u128>; 2] = std::array::from_fn(|_| Vec::with_capacity(16 * 1024));
    let [first, second] = &mut memory;
    let mut stacks = [prepare(first, count_from, 10), prepare(second, count_from, 20)];
    for _ in 0..3 {
        for sp in &mut stacks {
            OTHER.set(sp);
            // SAFETY: From `prepare`, or from the switch in `count_from`.
            unsafe { switch(OTHER.get()) };
        }
    }
}

#[cfg(not(target_arch = "riscv64"))]
unsafe fn switch(_: *mut *mut usize) {
    // SAFETY: It does nothing, but that it uses `asm!`, as the form for RISC-V does.
    unsafe { asm!("") };
    panic!("this program is for RISC-V: run it by `cargo run -p exercises -- check 12b`");
}
