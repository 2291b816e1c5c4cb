//! What the measured program asks of Callgrind.

use std::arch::asm;

/// From now on count, or don't, what the calling OS thread executes.
pub fn toggle_collect() {
    request((u32::from(b'C') << 24 | u32::from(b'T') << 16) as usize + 2);
}

/// Valgrind recognises four rotations of rdi that together do nothing, followed by an exchange of rbx with itself.
fn request(number: usize) {
    let block = [number, 0, 0, 0, 0, 0];
    // SAFETY: on a processor these change nothing but flags; Valgrind reads `block` and sets rdx.
    unsafe {
        asm!(
            "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
            inout("rdx") 0usize => _,
            in("rax") &raw const block,
            inout("rdi") 0usize => _,
            options(nostack),
        );
    }
}
