//! One instruction of our own.

use std::arch::asm;

fn main() {
    println!("40 + 2 = {}", add(40, 2));
}

fn add(first: u64, second: u64) -> u64 {
    let sum;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: Adds one register to another, and touches nothing else.
    unsafe {
        asm!("add {0}, {1}", inout(reg) first => sum, in(reg) second);
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: As above.
    unsafe {
        asm!("add {0}, {1}, {2}", out(reg) sum, in(reg) first, in(reg) second);
    }
    sum
}
