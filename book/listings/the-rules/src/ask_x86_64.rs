//! The questions of `rules` for x86-64, under Windows or not.

use std::arch::{asm, naked_asm};

#[unsafe(naked)]
pub(crate) extern "C" fn stack_pointer() -> usize {
    naked_asm!("mov rax, rsp", "ret")
}

/// What lies on the stack, and what is in the register for it: there is none.
#[inline(never)]
pub(crate) fn return_addresses() -> (usize, usize) {
    #[unsafe(naked)]
    extern "C" fn on_stack() -> usize {
        naked_asm!("mov rax, [rsp]", "ret")
    }
    (on_stack(), 0)
}

pub(crate) fn first_argument(number: usize) -> [(&'static str, usize); 2] {
    #[unsafe(naked)]
    extern "C" fn rdi(_: usize) -> usize {
        naked_asm!("mov rax, rdi", "ret")
    }
    #[unsafe(naked)]
    extern "C" fn rcx(_: usize) -> usize {
        naked_asm!("mov rax, rcx", "ret")
    }
    [("rdi", rdi(number)), ("rcx", rcx(number))]
}

/// A function that puts its argument into a register, calls `spoil`, and returns what is there.
macro_rules! after_a_call {
    ($name:ident, $put:literal, $get:literal) => {
        #[unsafe(naked)]
        extern "C" fn $name(_: usize) -> usize {
            naked_asm!(
                "push rdi", "push r12", "sub rsp, 56", "movups [rsp + 32], xmm6",
                // One of them is the argument.
                #[cfg(windows)]
                "mov rax, rcx",
                #[cfg(not(windows))]
                "mov rax, rdi",
                $put, "call {spoil}", $get,
                "movups xmm6, [rsp + 32]", "add rsp, 56", "pop r12", "pop rdi", "ret",
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
            "xor edi, edi", "xor r12d, r12d", "xorps xmm6, xmm6",
            out("rdi") _, out("r12") _, out("xmm6") _,
        );
    }
}

after_a_call!(r12, "mov r12, rax", "mov rax, r12");
after_a_call!(rdi, "mov rdi, rax", "mov rax, rdi");
after_a_call!(lower, "movq xmm6, rax", "movq rax, xmm6");
after_a_call!(
    upper,
    "movq xmm6, rax\npunpcklqdq xmm6, xmm6",
    "movhlps xmm0, xmm6\nmovq rax, xmm0"
);

pub(crate) fn after_a_call(number: usize) -> [(&'static str, usize); 4] {
    [
        ("r12", r12(number)),
        ("rdi", rdi(number)),
        ("lower half of xmm6", lower(number)),
        ("upper half of xmm6", upper(number)),
    ]
}
