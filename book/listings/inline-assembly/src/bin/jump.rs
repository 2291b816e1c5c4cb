//! An address of code is a number like any other: it can be kept, and gone to later.

use std::arch::asm;

fn main() {
    println!("the jump went {}", if jump() == 1 { "over it" } else { "nowhere" });
}

fn jump() -> u64 {
    let mut steps = 0_u64;
    // SAFETY: Goes from one place within it to another, and changes only registers that it names.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        asm!(
            "lea {to}, [rip + 2f]", // where 2 is
            "jmp {to}",             // go there
            "add {steps}, 100",     // nobody comes by here
            "2:",
            "add {steps}, 1",
            to = out(reg) _,
            steps = inout(reg) steps,
        );
        #[cfg(target_arch = "aarch64")]
        asm!(
            "adr {to}, 2f",
            "br {to}",
            "add {steps}, {steps}, #100",
            "2:",
            "add {steps}, {steps}, #1",
            to = out(reg) _,
            steps = inout(reg) steps,
        );
    }
    steps
}
