//! Exercise of chapter 4: call a function on another stack, and come back.
//!
//! As it stands, `call_on` calls the function on the stack on which it was called itself. Three
//! instructions are missing: keep the old stack pointer in `r12` (`x20` on AArch64), which every
//! function preserves; set it to `top`; and, after the call, set it back. `mov rsp, ..` and
//! `mov .., rsp` are allowed here, and so are `mov sp, ..` and `mov .., sp`. Not under Windows, for
//! the reason that the chapter gives. Then run `cargo run -p exercises -- check 4`.

use std::arch::asm;
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Where our stack begins and ends, for `hello` to know.
static BOTTOM: AtomicUsize = AtomicUsize::new(0);
static TOP: AtomicUsize = AtomicUsize::new(0);

fn main() {
    let mut memory = Vec::<u128>::with_capacity(16 * 1024);
    let top = memory.as_mut_ptr().wrapping_add(memory.capacity());
    BOTTOM.store(memory.as_ptr() as usize, Relaxed);
    TOP.store(top as usize, Relaxed);
    println!("main calls");
    // SAFETY: `top` is the end of memory that is ours, and `hello` doesn't need much of it.
    unsafe { call_on(top.cast(), hello) };
    println!("main goes on");
}

#[repr(align(16))]
struct Aligned(#[expect(dead_code)] u8);

extern "C" fn hello() {
    let here = Aligned(0);
    let address = black_box(&raw const here as usize);
    let ours = BOTTOM.load(Relaxed)..TOP.load(Relaxed);
    println!("hello stands on {}", if ours.contains(&address) { "our stack" } else { "main's stack" });
    let verb = if address.is_multiple_of(16) { "follows" } else { "breaks" };
    println!("its stack pointer {verb} the entry rule");
}

/// Calls `function` on another stack, and comes back to this one.
///
/// # Safety
/// `top` is the end of a stack, a multiple of 16.
unsafe fn call_on(top: *mut usize, function: extern "C" fn()) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: The caller gives the stack, and in the end we are on our own again.
    unsafe {
        asm!(
            "/* here {top} is still unused */",
            "call {function}",
            top = in(reg) top, function = in(reg) function, out("r12") _, clobber_abi("C"),
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: As above.
    unsafe {
        asm!(
            "/* here {top} is still unused */",
            "blr {function}",
            top = in(reg) top, function = in(reg) function, out("x20") _, clobber_abi("C"),
        );
    }
}
