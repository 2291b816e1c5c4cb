//! The measured program's requests to Callgrind.

use std::arch::asm;

/// Callgrind counts, or doesn't count, the instructions of the calling OS thread from now on.
pub fn toggle_collect() {
    request((u32::from(b'C') << 24 | u32::from(b'T') << 16) as usize + 2);
}

/// Valgrind recognises four rotations of rdi that together do nothing, followed by an exchange of
/// rbx with itself.
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
