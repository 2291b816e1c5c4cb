//! Answer of chapter 12.

use std::arch::asm;
use std::cell::Cell;
use std::hint::black_box;
use std::ptr::null_mut;

thread_local! {
    /// The stack pointer of whoever isn't running.
    static OTHER: Cell<*mut *mut usize> = const { Cell::new(null_mut()) };
}

/// A stack pointer as if `switch` had left it there. From it up lie four words: where to go on,
/// s0, s1, and one that only keeps sp a multiple of 16.
fn prepare(memory: &mut Vec<u128>, start: extern "C" fn() -> !) -> *mut usize {
    let words = [start as *const () as usize, 0, 0, 0];
    let end = memory.as_mut_ptr().wrapping_add(memory.capacity());
    let sp = end.cast::<usize>().wrapping_sub(words.len());
    // SAFETY: The end of memory that is ours.
    unsafe { sp.copy_from_nonoverlapping(words.as_ptr(), words.len()) };
    sp
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

/// What is there before a turn and behind it: in release, all of it in registers that a call
/// keeps, as far as there are any.
#[inline(never)]
fn sums(first: u64) -> (u64, f64) {
    let whole = |number: u64| black_box(first + number);
    let float = |number: u64| black_box((first + number) as f64);
    let (a, b, c, d, e, f) = (whole(0), whole(1), whole(2), whole(3), whole(4), whole(5));
    let (g, h, i, j, k, l) = (whole(6), whole(7), whole(8), whole(9), whole(10), whole(11));
    let (m, n, o, p, q, r) = (float(0), float(1), float(2), float(3), float(4), float(5));
    let (s, t, u, v, w, x) = (float(6), float(7), float(8), float(9), float(10), float(11));
    // SAFETY: `main` has set it, and waits or is waited for.
    unsafe { switch(OTHER.get()) };
    (a + b + c + d + e + f + g + h + i + j + k + l, m + n + o + p + q + r + s + t + u + v + w + x)
}

extern "C" fn start() -> ! {
    for turn in 1.. {
        println!("start: turn {turn}");
        sums(1000 * turn);
    }
    unreachable!("there are many numbers")
}

fn main() {
    let mut memory = Vec::with_capacity(16 * 1024);
    let mut sp = prepare(&mut memory, start);
    OTHER.set(&raw mut sp);
    for turn in 1..=3 {
        println!("main: turn {turn}");
        let (whole, float) = sums(turn);
        let right = 12 * turn + 66;
        println!("whole numbers: {}", if whole == right { "right" } else { "WRONG" });
        println!("floating point: {}", if float == right as f64 { "right" } else { "WRONG" });
    }
}

#[cfg(not(target_arch = "riscv64"))]
unsafe fn switch(_: *mut *mut usize) {
    // SAFETY: It does nothing, but that it uses `asm!`, as the form for RISC-V does.
    unsafe { asm!("") };
    panic!("this program is for RISC-V: run it by `cargo run -p exercises -- check 12`");
}
