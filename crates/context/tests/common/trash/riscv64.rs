//! RISC-V, LP64D: s0 to s11 and fs0 to fs11 are preserved by a call.

use super::super::Here;
use super::suspend;

#[inline(never)]
pub(crate) fn trash_and_suspend(here: &Here) {
    // SAFETY: s0 and s1 are restored, and all other registers are clobbers. The stack is aligned at
    // the call.
    unsafe {
        std::arch::asm!(
            "addi sp, sp, -16", "sd s0, 0(sp)", "sd s1, 8(sp)",
            "li s0, -1", "li s1, -1", "li s2, -1", "li s3, -1", "li s4, -1", "li s5, -1",
            "li s6, -1", "li s7, -1", "li s8, -1", "li s9, -1", "li s10, -1", "li s11, -1",
            "fmv.d.x ft0, s1", "fmv.d.x fa1, s1", "fmv.d.x ft8, s1",
            "fmv.d.x fs0, s1", "fmv.d.x fs1, s1", "fmv.d.x fs2, s1", "fmv.d.x fs3, s1",
            "fmv.d.x fs4, s1", "fmv.d.x fs5, s1", "fmv.d.x fs6, s1", "fmv.d.x fs7, s1",
            "fmv.d.x fs8, s1", "fmv.d.x fs9, s1", "fmv.d.x fs10, s1", "fmv.d.x fs11, s1",
            "call {suspend}",
            // Each register that a call must preserve still has all bits set.
            "and s1, s1, s0", "and s1, s1, s2", "and s1, s1, s3", "and s1, s1, s4", "and s1, s1, s5",
            "and s1, s1, s6", "and s1, s1, s7", "and s1, s1, s8", "and s1, s1, s9", "and s1, s1, s10",
            "and s1, s1, s11",
            "fmv.x.d t0, fs0", "and s1, s1, t0", "fmv.x.d t0, fs1", "and s1, s1, t0",
            "fmv.x.d t0, fs2", "and s1, s1, t0", "fmv.x.d t0, fs3", "and s1, s1, t0",
            "fmv.x.d t0, fs4", "and s1, s1, t0", "fmv.x.d t0, fs5", "and s1, s1, t0",
            "fmv.x.d t0, fs6", "and s1, s1, t0", "fmv.x.d t0, fs7", "and s1, s1, t0",
            "fmv.x.d t0, fs8", "and s1, s1, t0", "fmv.x.d t0, fs9", "and s1, s1, t0",
            "fmv.x.d t0, fs10", "and s1, s1, t0", "fmv.x.d t0, fs11", "and s1, s1, t0",
            "li t0, -1",
            "beq s1, t0, 2f",
            "unimp",
            "2:",
            "ld s0, 0(sp)", "ld s1, 8(sp)", "addi sp, sp, 16",
            suspend = sym suspend,
            in("a0") here,
            lateout("s2") _, lateout("s3") _, lateout("s4") _, lateout("s5") _, lateout("s6") _,
            lateout("s7") _, lateout("s8") _, lateout("s9") _, lateout("s10") _, lateout("s11") _,
            lateout("fs0") _, lateout("fs1") _, lateout("fs2") _, lateout("fs3") _, lateout("fs4") _, lateout("fs5") _,
            lateout("fs6") _, lateout("fs7") _, lateout("fs8") _, lateout("fs9") _, lateout("fs10") _, lateout("fs11") _,
            clobber_abi("C"),
        );
    }
}

/// The rounding mode "toward zero", as frm has it.
pub(crate) const TOWARD_ZERO: usize = 1;

/// The bits of the rounding mode.
pub(crate) fn rounding() -> usize {
    let word: usize;
    // SAFETY: reads the control word.
    unsafe { std::arch::asm!("frrm {}", out(reg) word, options(nostack)) };
    word & TOWARD_ZERO
}

pub(crate) fn set_rounding(bits: usize) {
    let word: usize;
    // SAFETY: only the rounding mode changes, and the test does no arithmetic with it.
    unsafe {
        std::arch::asm!("frrm {}", out(reg) word, options(nostack));
        std::arch::asm!("fsrm {}", in(reg) (word & !TOWARD_ZERO) | bits, options(nostack));
    }
}
