//! x86-64, System V: rbx, rbp, r12 to r15 are preserved by a call.

use super::super::Here;
use super::suspend;

#[path = "mxcsr.rs"]
mod mxcsr;
pub(crate) use mxcsr::{TOWARD_ZERO, rounding, set_rounding};

#[inline(never)]
pub(crate) fn trash_and_suspend(here: &Here) {
    // SAFETY: rbx and rbp are restored, and all other registers are clobbers. The stack is aligned
    // at the call.
    unsafe {
        std::arch::asm!(
            "push rbx",
            "push rbp",
            "mov rbx, -1", "mov rbp, -1", "mov r12, -1", "mov r13, -1", "mov r14, -1", "mov r15, -1",
            "pcmpeqd xmm0, xmm0", "pcmpeqd xmm1, xmm1", "pcmpeqd xmm2, xmm2", "pcmpeqd xmm3, xmm3",
            "pcmpeqd xmm4, xmm4", "pcmpeqd xmm5, xmm5", "pcmpeqd xmm6, xmm6", "pcmpeqd xmm7, xmm7",
            "pcmpeqd xmm8, xmm8", "pcmpeqd xmm9, xmm9", "pcmpeqd xmm10, xmm10", "pcmpeqd xmm11, xmm11",
            "pcmpeqd xmm12, xmm12", "pcmpeqd xmm13, xmm13", "pcmpeqd xmm14, xmm14", "pcmpeqd xmm15, xmm15",
            "call {suspend}",
            // Each register that a call must preserve still has all bits set.
            "and rbx, rbp", "and rbx, r12", "and rbx, r13", "and rbx, r14", "and rbx, r15",
            "cmp rbx, -1",
            "je 2f",
            "ud2",
            "2:",
            "pop rbp",
            "pop rbx",
            suspend = sym suspend,
            in("rdi") here,
            lateout("r12") _, lateout("r13") _, lateout("r14") _, lateout("r15") _,
            clobber_abi("C"),
        );
    }
}
