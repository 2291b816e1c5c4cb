//! s390x: r6 to r13 and f8 to f15 are preserved by a call.

use super::super::Here;
use super::suspend;

#[inline(never)]
pub(crate) fn trash_and_suspend(here: &Here) {
    // SAFETY: r11 is restored, and all other registers are clobbers. The called function has its
    // area of 160 bytes.
    unsafe {
        std::arch::asm!(
            "aghi %r15, -168", "stg %r11, 160(%r15)",
            "lghi %r6, -1", "lghi %r7, -1", "lghi %r8, -1", "lghi %r9, -1", "lghi %r10, -1", "lghi %r12, -1",
            "lghi %r13, -1", "lghi %r11, -1",
            "ldgr %f0, %r6", "ldgr %f1, %r6", "ldgr %f7, %r6", "ldgr %f8, %r6", "ldgr %f9, %r6", "ldgr %f10, %r6",
            "ldgr %f11, %r6", "ldgr %f12, %r6", "ldgr %f13, %r6", "ldgr %f14, %r6", "ldgr %f15, %r6",
            "brasl %r14, {suspend}",
            // Each register that a call must preserve still has all bits set.
            "ngr %r6, %r7", "ngr %r6, %r8", "ngr %r6, %r9", "ngr %r6, %r10", "ngr %r6, %r12", "ngr %r6, %r13",
            "ngr %r6, %r11",
            "lgdr %r1, %f8", "ngr %r6, %r1", "lgdr %r1, %f9", "ngr %r6, %r1", "lgdr %r1, %f10", "ngr %r6, %r1",
            "lgdr %r1, %f11", "ngr %r6, %r1", "lgdr %r1, %f12", "ngr %r6, %r1", "lgdr %r1, %f13", "ngr %r6, %r1",
            "lgdr %r1, %f14", "ngr %r6, %r1", "lgdr %r1, %f15", "ngr %r6, %r1",
            "cghi %r6, -1",
            "je 2f",
            ".short 0", // traps
            "2:",
            "lg %r11, 160(%r15)", "aghi %r15, 168",
            suspend = sym suspend,
            in("r2") here,
            lateout("r6") _, lateout("r7") _, lateout("r8") _, lateout("r9") _, lateout("r10") _,
            lateout("r12") _, lateout("r13") _,
            lateout("f8") _, lateout("f9") _, lateout("f10") _, lateout("f11") _,
            lateout("f12") _, lateout("f13") _, lateout("f14") _, lateout("f15") _,
            clobber_abi("C"),
        );
    }
}

/// The rounding mode "toward zero", as FPC has it.
pub(crate) const TOWARD_ZERO: usize = 1;

/// The bits of the rounding mode.
pub(crate) fn rounding() -> usize {
    let word: usize;
    // SAFETY: reads the control word.
    unsafe { std::arch::asm!("efpc {}", out(reg) word, options(nostack)) };
    word & TOWARD_ZERO
}

pub(crate) fn set_rounding(bits: usize) {
    let word: usize;
    // SAFETY: only the rounding mode changes, and the test does no arithmetic with it.
    unsafe {
        std::arch::asm!("efpc {}", out(reg) word, options(nostack));
        std::arch::asm!("sfpc {}", in(reg) (word & !TOWARD_ZERO) | bits, options(nostack));
    }
}
