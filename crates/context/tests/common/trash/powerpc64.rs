//! PowerPC with 64 bits, ELFv2: r14 to r31, f14 to f31, v20 to v31 and cr2 to cr4 are preserved by
//! a call.

use super::super::Here;
use super::suspend;

#[inline(never)]
pub(crate) fn trash_and_suspend(here: &Here) {
    // SAFETY: r30 and r31 are restored, and all other registers are clobbers. The called function
    // has a frame to save its link register in; it belongs to this program, so r2 stays.
    unsafe {
        std::arch::asm!(
            "stdu 1, -64(1)", "std 30, 32(1)", "std 31, 40(1)",
            "li 14, -1", "li 15, -1", "li 16, -1", "li 17, -1", "li 18, -1", "li 19, -1", "li 20, -1", "li 21, -1",
            "li 22, -1", "li 23, -1", "li 24, -1", "li 25, -1", "li 26, -1", "li 27, -1", "li 28, -1", "li 29, -1",
            "li 30, -1", "li 31, -1",
            // All bits of a floating-point register, from memory; and of the vectors.
            "std 14, 48(1)",
            "lfd 0, 48(1)", "lfd 1, 48(1)", "lfd 13, 48(1)", "lfd 14, 48(1)", "lfd 15, 48(1)", "lfd 16, 48(1)", "lfd 17, 48(1)",
            "lfd 18, 48(1)", "lfd 19, 48(1)", "lfd 20, 48(1)", "lfd 21, 48(1)", "lfd 22, 48(1)", "lfd 23, 48(1)", "lfd 24, 48(1)",
            "lfd 25, 48(1)", "lfd 26, 48(1)", "lfd 27, 48(1)", "lfd 28, 48(1)", "lfd 29, 48(1)", "lfd 30, 48(1)", "lfd 31, 48(1)",
            "vspltisb 0, -1", "vspltisb 1, -1", "vspltisb 19, -1", "vspltisb 20, -1", "vspltisb 21, -1",
            "vspltisb 22, -1", "vspltisb 23, -1", "vspltisb 24, -1", "vspltisb 25, -1", "vspltisb 26, -1",
            "vspltisb 27, -1", "vspltisb 28, -1", "vspltisb 29, -1", "vspltisb 30, -1", "vspltisb 31, -1",
            "cmpd 2, 14, 14", "cmpd 3, 14, 14", "cmpd 4, 14, 14", // "equal" in each
            "bl {suspend}",
            "nop",
            "bne 2, 3f", "bne 3, 3f", "bne 4, 3f",
            // Each register that a call must preserve still has all bits set.
            "and 14, 14, 15", "and 14, 14, 16", "and 14, 14, 17", "and 14, 14, 18", "and 14, 14, 19", "and 14, 14, 20",
            "and 14, 14, 21", "and 14, 14, 22", "and 14, 14, 23", "and 14, 14, 24", "and 14, 14, 25", "and 14, 14, 26",
            "and 14, 14, 27", "and 14, 14, 28", "and 14, 14, 29", "and 14, 14, 30", "and 14, 14, 31",
            "stfd 14, 48(1)", "ld 5, 48(1)", "and 14, 14, 5", "stfd 15, 48(1)", "ld 5, 48(1)", "and 14, 14, 5",
            "stfd 16, 48(1)", "ld 5, 48(1)", "and 14, 14, 5", "stfd 17, 48(1)", "ld 5, 48(1)", "and 14, 14, 5",
            "stfd 18, 48(1)", "ld 5, 48(1)", "and 14, 14, 5", "stfd 19, 48(1)", "ld 5, 48(1)", "and 14, 14, 5",
            "stfd 20, 48(1)", "ld 5, 48(1)", "and 14, 14, 5", "stfd 21, 48(1)", "ld 5, 48(1)", "and 14, 14, 5",
            "stfd 22, 48(1)", "ld 5, 48(1)", "and 14, 14, 5", "stfd 23, 48(1)", "ld 5, 48(1)", "and 14, 14, 5",
            "stfd 24, 48(1)", "ld 5, 48(1)", "and 14, 14, 5", "stfd 25, 48(1)", "ld 5, 48(1)", "and 14, 14, 5",
            "stfd 26, 48(1)", "ld 5, 48(1)", "and 14, 14, 5", "stfd 27, 48(1)", "ld 5, 48(1)", "and 14, 14, 5",
            "stfd 28, 48(1)", "ld 5, 48(1)", "and 14, 14, 5", "stfd 29, 48(1)", "ld 5, 48(1)", "and 14, 14, 5",
            "stfd 30, 48(1)", "ld 5, 48(1)", "and 14, 14, 5", "stfd 31, 48(1)", "ld 5, 48(1)", "and 14, 14, 5",
            "vand 20, 20, 21", "vand 20, 20, 22", "vand 20, 20, 23", "vand 20, 20, 24", "vand 20, 20, 25", "vand 20, 20, 26",
            "vand 20, 20, 27", "vand 20, 20, 28", "vand 20, 20, 29", "vand 20, 20, 30", "vand 20, 20, 31",
            "vspltisb 0, -1",
            "vcmpequb. 20, 20, 0", // sets bit 0 of cr6 if all bytes are equal
            "bge 6, 3f",
            "cmpdi 0, 14, -1",
            "beq 0, 2f",
            "3:",
            "trap",
            "2:",
            "ld 30, 32(1)", "ld 31, 40(1)", "addi 1, 1, 64",
            suspend = sym suspend,
            in("r3") here,
            lateout("r14") _, lateout("r15") _, lateout("r16") _, lateout("r17") _, lateout("r18") _,
            lateout("r19") _, lateout("r20") _, lateout("r21") _, lateout("r22") _, lateout("r23") _,
            lateout("r24") _, lateout("r25") _, lateout("r26") _, lateout("r27") _, lateout("r28") _,
            lateout("r29") _,
            lateout("f14") _, lateout("f15") _, lateout("f16") _, lateout("f17") _, lateout("f18") _,
            lateout("f19") _, lateout("f20") _, lateout("f21") _, lateout("f22") _, lateout("f23") _,
            lateout("f24") _, lateout("f25") _, lateout("f26") _, lateout("f27") _, lateout("f28") _,
            lateout("f29") _, lateout("f30") _, lateout("f31") _,
            lateout("v20") _, lateout("v21") _, lateout("v22") _, lateout("v23") _, lateout("v24") _,
            lateout("v25") _, lateout("v26") _, lateout("v27") _, lateout("v28") _, lateout("v29") _,
            lateout("v30") _, lateout("v31") _,
            lateout("cr2") _, lateout("cr3") _, lateout("cr4") _,
            clobber_abi("C"),
        );
    }
}

/// The rounding mode "toward zero", as FPSCR has it.
pub(crate) const TOWARD_ZERO: usize = 1;

/// The bits of the rounding mode.
pub(crate) fn rounding() -> usize {
    let word: f64;
    // SAFETY: reads the control word.
    unsafe { std::arch::asm!("mffs {}", out(freg) word, options(nostack)) };
    word.to_bits() as usize & TOWARD_ZERO
}

pub(crate) fn set_rounding(bits: usize) {
    let word: f64;
    // SAFETY: only the rounding mode changes, and the test does no arithmetic with it.
    unsafe {
        std::arch::asm!("mffs {}", out(freg) word, options(nostack));
        let word = f64::from_bits((word.to_bits() & !(TOWARD_ZERO as u64)) | bits as u64);
        std::arch::asm!("mtfsf 255, {}", in(freg) word, options(nostack));
    }
}
