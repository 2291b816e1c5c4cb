//! LoongArch, LP64D: fp, s0 to s8 and fs0 to fs7 are preserved by a call.

use super::super::Here;
use super::suspend;

#[inline(never)]
pub(crate) fn trash_and_suspend(here: &Here) {
    // SAFETY: fp and s8 are restored, and all other registers are clobbers. The stack is aligned at
    // the call.
    unsafe {
        std::arch::asm!(
            "addi.d $sp, $sp, -16", "st.d $fp, $sp, 0", "st.d $s8, $sp, 8",
            "li.d $fp, -1", "li.d $s0, -1", "li.d $s1, -1", "li.d $s2, -1", "li.d $s3, -1", "li.d $s4, -1",
            "li.d $s5, -1", "li.d $s6, -1", "li.d $s7, -1", "li.d $s8, -1",
            "movgr2fr.d $ft0, $s0", "movgr2fr.d $fa1, $s0", "movgr2fr.d $ft15, $s0",
            "movgr2fr.d $fs0, $s0", "movgr2fr.d $fs1, $s0", "movgr2fr.d $fs2, $s0",
            "movgr2fr.d $fs3, $s0", "movgr2fr.d $fs4, $s0", "movgr2fr.d $fs5, $s0",
            "movgr2fr.d $fs6, $s0", "movgr2fr.d $fs7, $s0",
            "bl {suspend}",
            // Each register that a call must preserve still has all bits set.
            "and $s0, $s0, $fp", "and $s0, $s0, $s1", "and $s0, $s0, $s2", "and $s0, $s0, $s3",
            "and $s0, $s0, $s4", "and $s0, $s0, $s5", "and $s0, $s0, $s6", "and $s0, $s0, $s7",
            "and $s0, $s0, $s8",
            "movfr2gr.d $t0, $fs0", "and $s0, $s0, $t0", "movfr2gr.d $t0, $fs1", "and $s0, $s0, $t0",
            "movfr2gr.d $t0, $fs2", "and $s0, $s0, $t0", "movfr2gr.d $t0, $fs3", "and $s0, $s0, $t0",
            "movfr2gr.d $t0, $fs4", "and $s0, $s0, $t0", "movfr2gr.d $t0, $fs5", "and $s0, $s0, $t0",
            "movfr2gr.d $t0, $fs6", "and $s0, $s0, $t0", "movfr2gr.d $t0, $fs7", "and $s0, $s0, $t0",
            "addi.d $t0, $zero, -1",
            "beq $s0, $t0, 2f",
            "break 0",
            "2:",
            "ld.d $fp, $sp, 0", "ld.d $s8, $sp, 8", "addi.d $sp, $sp, 16",
            suspend = sym suspend,
            in("$a0") here,
            lateout("$s0") _, lateout("$s1") _, lateout("$s2") _, lateout("$s3") _,
            lateout("$s4") _, lateout("$s5") _, lateout("$s6") _, lateout("$s7") _,
            lateout("$fs0") _, lateout("$fs1") _, lateout("$fs2") _, lateout("$fs3") _,
            lateout("$fs4") _, lateout("$fs5") _, lateout("$fs6") _, lateout("$fs7") _,
            clobber_abi("C"),
        );
    }
}

/// The rounding mode "toward zero", as FCSR0 has it.
pub(crate) const TOWARD_ZERO: usize = 1 << 8;

/// The bits of the rounding mode.
pub(crate) fn rounding() -> usize {
    let word: usize;
    // SAFETY: reads the control word.
    unsafe { std::arch::asm!("movfcsr2gr {}, $fcsr0", out(reg) word, options(nostack)) };
    word & TOWARD_ZERO
}

pub(crate) fn set_rounding(bits: usize) {
    let word: usize;
    // SAFETY: only the rounding mode changes, and the test does no arithmetic with it.
    unsafe {
        std::arch::asm!("movfcsr2gr {}, $fcsr0", out(reg) word, options(nostack));
        std::arch::asm!("movgr2fcsr $fcsr0, {}", in(reg) (word & !TOWARD_ZERO) | bits, options(nostack));
    }
}
