//! AArch64 with AAPCS64: Linux, macOS, the BSDs.

use std::arch::{asm, naked_asm};
use std::ops::Range;

/// A stack that was left: the address of four words, which are where to go on, x29, x19, and one
/// that only keeps sp a multiple of 16.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context(
    #[allow(dead_code, reason = "it is the assembly that reads it")] *mut usize,
);

/// A context that begins with `start`, on the stack that this memory is.
///
/// # Safety
/// The memory ends at a multiple of 16, and its last 32 bytes may be written.
pub(crate) unsafe fn prepare(memory: Range<*mut u8>, start: extern "C" fn() -> !) -> Context {
    // The fourth word is free for `start`. An instruction has four bytes.
    let words = [begin as *const () as usize + 4, 0, 0, start as *const () as usize];
    let sp = memory.end.cast::<usize>().wrapping_sub(words.len());
    // SAFETY: The caller gives these 32 bytes.
    unsafe { sp.copy_from_nonoverlapping(words.as_ptr(), words.len()) };
    Context(sp)
}

/// The end of every walk. It finds its context in x10.
#[unsafe(no_mangle)] // so debuggers know it by this name
#[unsafe(naked)]
unsafe extern "C" fn begin() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined x30", // nobody has called this
        "nop",
        "add sp, x10, #32",
        "mov x29, xzr",
        "ldr x9, [x10, #24]",
        "blr x9",
        "brk #1", // `start` doesn't return
        ".cfi_endproc",
    )
}

/// Goes on with the context in `*other`, and leaves the running one there.
///
/// # Safety
/// The context was left by `prepare` or `switch`, on this OS thread, and its stack is still
/// there. While nobody has come back, the stack that we leave must stay, too.
pub(crate) unsafe fn switch(other: *mut Context) {
    // SAFETY: Nobody writes to this stack until a switch to it goes on at 2.
    unsafe {
        asm!(
            "adr x9, 2f",
            "stp x9, x29, [sp, #-32]!", "str x19, [sp, #16]", // nothing may lie below sp
            "ldr x10, [x0]", "mov x9, sp", "str x9, [x0]",
            "ldr x9, [x10]", "br x9",
            "2:",
            "add sp, x10, #32",
            "ldr x29, [x10, #8]", "ldr x19, [x10, #16]",
            inout("x0") other => _,
            out("x20") _, out("x21") _, out("x22") _, out("x23") _, out("x24") _,
            out("x25") _, out("x26") _, out("x27") _, out("x28") _, clobber_abi("C"),
        );
    }
}
