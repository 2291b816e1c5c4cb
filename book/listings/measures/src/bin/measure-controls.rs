//! Chapter 3: what it takes to save the control registers and to load them again.

use std::arch::asm;

fn main() {
    measures::measure("control-registers", 1_000_000, |count| {
        for _ in 0..count {
            let mut saved = 0_u64;
            #[cfg(target_arch = "x86_64")]
            // SAFETY: Writes 4 and 2 bytes to `saved`, and reads the same bytes back.
            unsafe {
                asm!("stmxcsr [{0}]", "fnstcw [{0} + 4]", "ldmxcsr [{0}]", "fldcw [{0} + 4]",
                    in(reg) &raw mut saved);
            }
            #[cfg(target_arch = "aarch64")]
            // SAFETY: Sets the register to what it holds.
            unsafe {
                asm!("mrs {0}, fpcr", "msr fpcr, {0}", inout(reg) saved);
            }
            std::hint::black_box(saved);
        }
    });
}
