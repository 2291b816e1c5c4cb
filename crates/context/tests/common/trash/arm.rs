//! Arm, AAPCS with VFP: r4 to r11 and d8 to d15 are preserved by a call.

use super::super::Here;
use super::suspend;

#[inline(never)]
pub(crate) fn trash_and_suspend(here: &Here) {
    // SAFETY: r6, r7 and r11 are restored, and all other registers are clobbers. The stack is
    // aligned at the call.
    unsafe {
        std::arch::asm!(
            "sub sp, sp, #16", "str r6, [sp]", "str r7, [sp, #4]", "str r11, [sp, #8]",
            "mvn r4, #0", "mvn r5, #0", "mvn r8, #0", "mvn r9, #0", "mvn r10, #0", "mvn r6, #0", "mvn r7, #0", "mvn r11, #0",
            "vmov d0, r4, r4", "vmov d1, r4, r4", "vmov d7, r4, r4", "vmov d8, r4, r4", "vmov d9, r4, r4",
            "vmov d10, r4, r4", "vmov d11, r4, r4", "vmov d12, r4, r4", "vmov d13, r4, r4", "vmov d14, r4, r4",
            "vmov d15, r4, r4", "vmov d16, r4, r4", "vmov d31, r4, r4",
            "bl {suspend}",
            // Each register that a call must preserve still has all bits set.
            "and r4, r4, r5", "and r4, r4, r8", "and r4, r4, r9", "and r4, r4, r10",
            "and r4, r4, r6", "and r4, r4, r7", "and r4, r4, r11",
            "vmov r5, r8, d8", "and r4, r4, r5", "and r4, r4, r8", "vmov r5, r8, d9", "and r4, r4, r5", "and r4, r4, r8",
            "vmov r5, r8, d10", "and r4, r4, r5", "and r4, r4, r8", "vmov r5, r8, d11", "and r4, r4, r5", "and r4, r4, r8",
            "vmov r5, r8, d12", "and r4, r4, r5", "and r4, r4, r8", "vmov r5, r8, d13", "and r4, r4, r5", "and r4, r4, r8",
            "vmov r5, r8, d14", "and r4, r4, r5", "and r4, r4, r8", "vmov r5, r8, d15", "and r4, r4, r5", "and r4, r4, r8",
            "cmn r4, #1",
            "beq 2f",
            "udf #0",
            "2:",
            "ldr r6, [sp]", "ldr r7, [sp, #4]", "ldr r11, [sp, #8]", "add sp, sp, #16",
            suspend = sym suspend,
            in("r0") here,
            lateout("r4") _, lateout("r5") _, lateout("r8") _, lateout("r9") _, lateout("r10") _,
            lateout("d8") _, lateout("d9") _, lateout("d10") _, lateout("d11") _,
            lateout("d12") _, lateout("d13") _, lateout("d14") _, lateout("d15") _,
            clobber_abi("C"),
        );
    }
}

/// The rounding mode "toward zero", as FPSCR has it.
pub(crate) const TOWARD_ZERO: usize = 3 << 22;

/// The bits of the rounding mode.
pub(crate) fn rounding() -> usize {
    let word: usize;
    // SAFETY: reads the control word.
    unsafe { std::arch::asm!("vmrs {}, fpscr", out(reg) word, options(nostack)) };
    word & TOWARD_ZERO
}

pub(crate) fn set_rounding(bits: usize) {
    let word: usize;
    // SAFETY: only the rounding mode changes, and the test does no arithmetic with it.
    unsafe {
        std::arch::asm!("vmrs {}, fpscr", out(reg) word, options(nostack));
        std::arch::asm!("vmsr fpscr, {}", in(reg) (word & !TOWARD_ZERO) | bits, options(nostack));
    }
}
