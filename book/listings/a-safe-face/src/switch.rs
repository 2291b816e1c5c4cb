//! The switch of chapter 5, in a room of its own. (x86-64 with the System V convention: Linux,
//! macOS, the BSDs.)

use std::arch::asm;
use std::ops::Range;

/// A stack that was left: where its registers lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context(
    #[allow(dead_code, reason = "it is the assembly that reads it")] *mut usize,
);

/// A context that begins with `start`, on the stack that this memory is.
///
/// # Safety
/// The memory ends at a multiple of 16, and its last 48 bytes may be written.
pub(crate) unsafe fn prepare(memory: Range<*mut u8>, start: extern "C" fn() -> !) -> Context {
    let words = [start as *const () as usize, 0, 0, 0, 0, 0];
    let sp = memory.end.cast::<usize>().wrapping_sub(words.len());
    // SAFETY: The caller gives these 48 bytes.
    unsafe { sp.copy_from_nonoverlapping(words.as_ptr(), words.len()) };
    Context(sp)
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
            "push rbx", "push rbp",
            "lea rax, [rip + 2f]", "push rax",
            "mov rax, [rdi]", "mov [rdi], rsp", "mov rsp, rax",
            "ret",
            "2:", "pop rbp", "pop rbx",
            inout("rdi") other => _,
            out("r12") _, out("r13") _, out("r14") _, out("r15") _, clobber_abi("sysv64"),
        );
    }
}
