//! The questions of `rules` for AArch64.

use std::arch::{asm, naked_asm};

#[unsafe(naked)]
pub(crate) extern "C" fn stack_pointer() -> usize {
    naked_asm!("mov x0, sp", "ret")
}

/// What lies on the stack, and what is in the register for it.
#[inline(never)]
pub(crate) fn return_addresses() -> (usize, usize) {
    #[unsafe(naked)]
    extern "C" fn on_stack() -> usize {
        naked_asm!("ldr x0, [sp]", "ret")
    }
    #[unsafe(naked)]
    extern "C" fn in_register() -> usize {
        naked_asm!("mov x0, x30", "ret")
    }
    (on_stack(), in_register())
}

pub(crate) fn first_argument(number: usize) -> [(&'static str, usize); 1] {
    #[unsafe(naked)]
    extern "C" fn x0(_: usize) -> usize {
        naked_asm!("ret")
    }
    [("x0", x0(number))]
}

/// A function that puts its argument into a register, calls `spoil`, and returns what is there.
macro_rules! after_a_call {
    ($name:ident, $put:literal, $get:literal) => {
        #[unsafe(naked)]
        extern "C" fn $name(_: usize) -> usize {
            naked_asm!(
                "stp x30, x20, [sp, #-32]!", "str q8, [sp, #16]",
                $put, "bl {spoil}", $get,
                "ldr q8, [sp, #16]", "ldp x30, x20, [sp], #32", "ret",
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
            "mov x9, xzr", "mov x20, xzr", "movi v8.2d, #0",
            out("x9") _, out("x20") _, out("v8") _,
        );
    }
}

after_a_call!(x20, "mov x20, x0", "mov x0, x20");
after_a_call!(x9, "mov x9, x0", "mov x0, x9");
after_a_call!(lower, "dup v8.2d, x0", "umov x0, v8.d[0]");
after_a_call!(upper, "dup v8.2d, x0", "umov x0, v8.d[1]");

pub(crate) fn after_a_call(number: usize) -> [(&'static str, usize); 4] {
    [
        ("x20", x20(number)),
        ("x9", x9(number)),
        ("lower half of v8", lower(number)),
        ("upper half of v8", upper(number)),
    ]
}
