//! AArch64, AAPCS64: x19 to x29 and the lower halves of v8 to v15 are preserved by a call.

use super::super::Here;
use super::suspend;

#[inline(never)]
pub(crate) fn trash_and_suspend(here: &Here) {
    // SAFETY: x19 and x29 are restored, and all other registers are clobbers. The stack is aligned
    // at the call.
    unsafe {
        std::arch::asm!(
            "stp x19, x29, [sp, #-16]!",
            "mov x19, -1", "mov x20, -1", "mov x21, -1", "mov x22, -1", "mov x23, -1", "mov x24, -1",
            "mov x25, -1", "mov x26, -1", "mov x27, -1", "mov x28, -1", "mov x29, -1",
            "movi v0.2d, #-1", "movi v1.2d, #-1", "movi v2.2d, #-1", "movi v3.2d, #-1",
            "movi v4.2d, #-1", "movi v5.2d, #-1", "movi v6.2d, #-1", "movi v7.2d, #-1",
            "movi v8.2d, #-1", "movi v9.2d, #-1", "movi v10.2d, #-1", "movi v11.2d, #-1",
            "movi v12.2d, #-1", "movi v13.2d, #-1", "movi v14.2d, #-1", "movi v15.2d, #-1",
            "movi v16.2d, #-1", "movi v17.2d, #-1", "movi v18.2d, #-1", "movi v19.2d, #-1",
            "movi v20.2d, #-1", "movi v21.2d, #-1", "movi v22.2d, #-1", "movi v23.2d, #-1",
            "movi v24.2d, #-1", "movi v25.2d, #-1", "movi v26.2d, #-1", "movi v27.2d, #-1",
            "movi v28.2d, #-1", "movi v29.2d, #-1", "movi v30.2d, #-1", "movi v31.2d, #-1",
            "bl {suspend}",
            // Each register that a call must preserve still has all bits set.
            "and x19, x19, x20", "and x19, x19, x21", "and x19, x19, x22", "and x19, x19, x23",
            "and x19, x19, x24", "and x19, x19, x25", "and x19, x19, x26", "and x19, x19, x27",
            "and x19, x19, x28", "and x19, x19, x29",
            "fmov x1, d8", "and x19, x19, x1", "fmov x1, d9", "and x19, x19, x1",
            "fmov x1, d10", "and x19, x19, x1", "fmov x1, d11", "and x19, x19, x1",
            "fmov x1, d12", "and x19, x19, x1", "fmov x1, d13", "and x19, x19, x1",
            "fmov x1, d14", "and x19, x19, x1", "fmov x1, d15", "and x19, x19, x1",
            "cmn x19, #1",
            "b.eq 2f",
            "brk #1",
            "2:",
            "ldp x19, x29, [sp], #16",
            suspend = sym suspend,
            in("x0") here,
            lateout("x20") _, lateout("x21") _, lateout("x22") _, lateout("x23") _, lateout("x24") _,
            lateout("x25") _, lateout("x26") _, lateout("x27") _, lateout("x28") _,
            clobber_abi("C"),
        );
    }
}

/// The rounding mode "toward zero", as FPCR has it.
pub(crate) const TOWARD_ZERO: usize = 3 << 22;

/// The bits of the rounding mode.
pub(crate) fn rounding() -> usize {
    let word: usize;
    // SAFETY: reads the control word.
    unsafe { std::arch::asm!("mrs {}, fpcr", out(reg) word, options(nostack)) };
    word & TOWARD_ZERO
}

pub(crate) fn set_rounding(bits: usize) {
    let word: usize;
    // SAFETY: only the rounding mode changes, and the test does no arithmetic with it.
    unsafe {
        std::arch::asm!("mrs {}, fpcr", out(reg) word, options(nostack));
        std::arch::asm!("msr fpcr, {}", in(reg) (word & !TOWARD_ZERO) | bits, options(nostack));
    }
}
