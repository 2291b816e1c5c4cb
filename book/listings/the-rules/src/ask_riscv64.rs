//! The questions of `rules` for RISC-V.

use std::arch::{asm, naked_asm};

#[unsafe(naked)]
pub(crate) extern "C" fn stack_pointer() -> usize {
    naked_asm!("mv a0, sp", "ret")
}

/// What lies on the stack, and what is in the register for it.
#[inline(never)]
pub(crate) fn return_addresses() -> (usize, usize) {
    #[unsafe(naked)]
    extern "C" fn on_stack() -> usize {
        naked_asm!("ld a0, 0(sp)", "ret")
    }
    #[unsafe(naked)]
    extern "C" fn in_register() -> usize {
        naked_asm!("mv a0, ra", "ret")
    }
    (on_stack(), in_register())
}

pub(crate) fn first_argument(number: usize) -> [(&'static str, usize); 1] {
    #[unsafe(naked)]
    extern "C" fn a0(_: usize) -> usize {
        naked_asm!("ret")
    }
    [("a0", a0(number))]
}

/// A function that puts its argument into a register, calls `spoil`, and returns what is there.
macro_rules! after_a_call {
    ($name:ident, $put:literal, $get:literal) => {
        #[unsafe(naked)]
        extern "C" fn $name(_: usize) -> usize {
            naked_asm!(
                // The assembler has to be told of floating-point numbers outside of functions.
                ".option push", ".option arch, +d",
                "addi sp, sp, -32", "sd ra, 0(sp)", "sd s2, 8(sp)", "fsd fs0, 16(sp)",
                $put, "call {spoil}", $get,
                "fld fs0, 16(sp)", "ld s2, 8(sp)", "ld ra, 0(sp)", "addi sp, sp, 32", "ret",
                ".option pop",
                spoil = sym spoil,
            )
        }
    };
}

/// Clears registers. The compiler saves those that a function must keep.
extern "C" fn spoil() {
    // SAFETY: The registers are named.
    unsafe {
        asm!(
            "li t0, 0", "li s2, 0", "fmv.d.x fs0, zero",
            out("t0") _, out("s2") _, out("fs0") _,
        );
    }
}

after_a_call!(s2, "mv s2, a0", "mv a0, s2");
after_a_call!(t0, "mv t0, a0", "mv a0, t0");
after_a_call!(fs0, "fmv.d.x fs0, a0", "fmv.x.d a0, fs0");

pub(crate) fn after_a_call(number: usize) -> [(&'static str, usize); 3] {
    [("s2", s2(number)), ("t0", t0(number)), ("fs0", fs0(number))]
}
