//! The rounding mode of x86 and x86-64.

/// The rounding mode "toward zero", as MXCSR has it.
pub(crate) const TOWARD_ZERO: usize = 3 << 13;

/// The bits of the rounding mode.
pub(crate) fn rounding() -> usize {
    let mut mxcsr = 0u32;
    // SAFETY: writes MXCSR to the variable.
    unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut mxcsr, options(nostack)) };
    mxcsr as usize & TOWARD_ZERO
}

pub(crate) fn set_rounding(bits: usize) {
    let mut mxcsr = 0u32;
    // SAFETY: only the rounding mode of MXCSR changes, and the test does no arithmetic with it.
    unsafe {
        std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut mxcsr, options(nostack));
        mxcsr = (mxcsr & !(TOWARD_ZERO as u32)) | bits as u32;
        std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const mxcsr, options(nostack));
    }
}
