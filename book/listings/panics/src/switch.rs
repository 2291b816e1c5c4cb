// ANCHOR: head
//! The switch once more, for those who look on: unwinders, debuggers, profilers.

use std::arch::{asm, naked_asm};
use std::ops::Range;

/// A stack that was left: the address of three words, which are where to go on, rbp, and rbx.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context(
    #[allow(dead_code, reason = "it is the assembly that reads it")] *mut usize,
);
// ANCHOR_END: head

// ANCHOR: begin
/// A context that begins with `start`, on the stack that this memory is.
///
/// # Safety
/// The memory ends at a multiple of 16, and its last 32 bytes may be written.
pub(crate) unsafe fn prepare(memory: Range<*mut u8>, start: extern "C" fn() -> !) -> Context {
    // An unwinder looks up the address before the one where a context goes on, so it must be
    // in `begin`, too.
    let words = [begin as *const () as usize + 1, 0, 0, start as *const () as usize];
    let sp = memory.end.cast::<usize>().wrapping_sub(words.len());
    // SAFETY: The caller gives these 32 bytes.
    unsafe { sp.copy_from_nonoverlapping(words.as_ptr(), words.len()) };
    Context(sp)
}

/// The end of every walk: nobody has called it, and it says so. It finds its context in rax.
#[unsafe(no_mangle)] // so debuggers know it by this name
#[unsafe(naked)]
unsafe extern "C" fn begin() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip", // the caller's instruction pointer: there is none
        "nop",
        "lea rsp, [rax + 32]", // a multiple of 16, and `call` makes it right for `start`
        "call [rax + 24]",
        "ud2", // `start` doesn't return
        ".cfi_endproc",
    )
}
// ANCHOR_END: begin

// ANCHOR: switch
/// Goes on with the context in `*other`, and leaves the running one there.
///
/// # Safety
/// The context was left by `prepare` or `switch`, on this OS thread, and its stack is still
/// there. While nobody has come back, the stack that we leave must stay, too.
pub(crate) unsafe fn switch(other: *mut Context) {
    // SAFETY: Nothing is in use below rsp, and nobody writes there until a switch to it goes
    // on at 2: the 128 bytes below rsp are left alone by signal handlers.
    unsafe {
        asm!(
            "lea rax, [rip + 2f]",
            "lea rcx, [rsp - 24]",
            "mov [rcx], rax", "mov [rcx + 8], rbp", "mov [rcx + 16], rbx",
            "mov rax, [rdi]", "mov [rdi], rcx",
            "jmp [rax]",
            "2:",
            "lea rsp, [rax + 24]",
            "mov rbp, [rax + 8]", "mov rbx, [rax + 16]",
            inout("rdi") other => _,
            out("r12") _, out("r13") _, out("r14") _, out("r15") _, clobber_abi("sysv64"),
        );
    }
}
// ANCHOR_END: switch
