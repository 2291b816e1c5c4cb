//! x86-64, Windows: rbx, rbp, rsi, rdi, r12 to r15 and the whole of xmm6 to xmm15 are preserved by
//! a call.

use super::super::Here;
use super::suspend;

#[path = "mxcsr.rs"]
mod mxcsr;
pub(crate) use mxcsr::{TOWARD_ZERO, rounding, set_rounding};

#[inline(never)]
pub(crate) fn trash_and_suspend(here: &Here) {
    // SAFETY: rbx and rbp are restored, and all other registers are clobbers. The stack is aligned
    // at the call, with room for four arguments.
    unsafe {
        std::arch::asm!(
            "push rbx",
            "push rbp",
            "sub rsp, 32",
            "mov rbx, -1", "mov rbp, -1", "mov rsi, -1", "mov rdi, -1",
            "mov r12, -1", "mov r13, -1", "mov r14, -1", "mov r15, -1",
            "pcmpeqd xmm0, xmm0", "pcmpeqd xmm1, xmm1", "pcmpeqd xmm2, xmm2", "pcmpeqd xmm3, xmm3",
            "pcmpeqd xmm4, xmm4", "pcmpeqd xmm5, xmm5", "pcmpeqd xmm6, xmm6", "pcmpeqd xmm7, xmm7",
            "pcmpeqd xmm8, xmm8", "pcmpeqd xmm9, xmm9", "pcmpeqd xmm10, xmm10", "pcmpeqd xmm11, xmm11",
            "pcmpeqd xmm12, xmm12", "pcmpeqd xmm13, xmm13", "pcmpeqd xmm14, xmm14", "pcmpeqd xmm15, xmm15",
            "call {suspend}",
            // Each register that a call must preserve still has all bits set.
            "and rbx, rbp", "and rbx, rsi", "and rbx, rdi",
            "and rbx, r12", "and rbx, r13", "and rbx, r14", "and rbx, r15",
            "pand xmm6, xmm7", "pand xmm6, xmm8", "pand xmm6, xmm9", "pand xmm6, xmm10", "pand xmm6, xmm11",
            "pand xmm6, xmm12", "pand xmm6, xmm13", "pand xmm6, xmm14", "pand xmm6, xmm15",
            "movq rax, xmm6",
            "and rbx, rax",
            "psrldq xmm6, 8", // the upper halves
            "movq rax, xmm6",
            "and rbx, rax",
            "cmp rbx, -1",
            "je 2f",
            "ud2",
            "2:",
            "add rsp, 32",
            "pop rbp",
            "pop rbx",
            suspend = sym suspend,
            in("rcx") here,
            lateout("r12") _, lateout("r13") _, lateout("r14") _, lateout("r15") _,
            clobber_abi("sysv64"),
        );
    }
}

/// Fills everything that a call preserves with zeros.
#[inline(never)]
pub(crate) fn zero() {
    // SAFETY: all registers that change are clobbers.
    unsafe {
        std::arch::asm!(
            "xor esi, esi", "xor edi, edi",
            "xor r12d, r12d", "xor r13d, r13d", "xor r14d, r14d", "xor r15d, r15d",
            "pxor xmm6, xmm6", "pxor xmm7, xmm7", "pxor xmm8, xmm8", "pxor xmm9, xmm9", "pxor xmm10, xmm10",
            "pxor xmm11, xmm11", "pxor xmm12, xmm12", "pxor xmm13, xmm13", "pxor xmm14, xmm14",
            "pxor xmm15, xmm15",
            lateout("r12") _, lateout("r13") _, lateout("r14") _, lateout("r15") _,
            clobber_abi("sysv64"),
            options(nostack),
        );
    }
}
