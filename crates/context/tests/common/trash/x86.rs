//! x86, System V: ebx, esi, edi and ebp are preserved by a call.

use super::super::Here;
use super::suspend;

#[path = "mxcsr.rs"]
mod mxcsr;
pub(crate) use mxcsr::{TOWARD_ZERO, rounding, set_rounding};

#[inline(never)]
pub(crate) fn trash_and_suspend(here: &Here) {
    // SAFETY: esi and ebp are restored, and all other registers are clobbers. The stack is aligned
    // at the call.
    unsafe {
        std::arch::asm!(
            "push esi",
            "push ebp",
            "sub esp, 8",
            "mov [esp], eax",
            "mov ebx, -1", "mov esi, -1", "mov edi, -1", "mov ebp, -1",
            "pcmpeqd xmm0, xmm0", "pcmpeqd xmm1, xmm1", "pcmpeqd xmm2, xmm2", "pcmpeqd xmm3, xmm3",
            "pcmpeqd xmm4, xmm4", "pcmpeqd xmm5, xmm5", "pcmpeqd xmm6, xmm6", "pcmpeqd xmm7, xmm7",
            "call {suspend}",
            // Each register that a call must preserve still has all bits set.
            "and ebx, esi", "and ebx, edi", "and ebx, ebp",
            "cmp ebx, -1",
            "je 2f",
            "ud2",
            "2:",
            "add esp, 8",
            "pop ebp",
            "pop esi",
            suspend = sym suspend,
            in("eax") here,
            lateout("ebx") _, lateout("edi") _,
            clobber_abi("C"),
        );
    }
}
