//! Looks at a register that Rust has no name for.

use std::arch::asm;

fn main() {
    let local = 0_u8;
    let (local, sp) = (&raw const local as usize, stack_pointer());
    println!("a local variable of main: {local:#x}");
    println!("the stack pointer:        {sp:#x}");
    assert!(sp < local && local - sp < 4096, "they are neighbours, and the stack pointer is below");
    println!("the stack pointer is a multiple of 16: {}", sp.is_multiple_of(16));
}

#[inline(always)]
fn stack_pointer() -> usize {
    let sp;
    // SAFETY: Copies a register.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        asm!("mov {0}, rsp", out(reg) sp);
        #[cfg(target_arch = "aarch64")]
        asm!("mov {0}, sp", out(reg) sp);
    }
    sp
}
