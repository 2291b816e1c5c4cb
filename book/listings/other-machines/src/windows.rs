//! x86-64 under Windows.

use std::arch::{asm, naked_asm};
use std::ops::Range;

/// A stack that was left: the address of eight words, which are the five notes, where to go on,
/// rbp, and rbx.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context(
    #[allow(dead_code, reason = "it is the assembly that reads it")] *mut usize,
);

/// A context that begins with `start`, on the stack that this memory is.
///
/// # Safety
/// The memory ends at a multiple of 16, and its last 64 bytes may be written.
pub(crate) unsafe fn prepare(memory: Range<*mut u8>, start: extern "C" fn() -> !) -> Context {
    let (bottom, top) = (memory.start as usize, memory.end as usize);
    let go_on = [begin as *const () as usize, start as *const () as usize];
    // Guarantee, allocation, limit, base, list. The last word is where the walk ends.
    let words = [0, bottom, bottom, top, 0, go_on[0], go_on[1], 0];
    let sp = memory.end.cast::<usize>().wrapping_sub(words.len());
    // SAFETY: The caller gives these 64 bytes.
    unsafe { sp.copy_from_nonoverlapping(words.as_ptr(), words.len()) };
    Context(sp)
}

/// The end of every walk: where a return address would be, there is a zero.
#[unsafe(no_mangle)] // so debuggers know it by this name
#[unsafe(naked)]
unsafe extern "C" fn begin() {
    naked_asm!(
        ".seh_proc {begin}",
        "sub rsp, 32", // room that a function may expect; rsp is a multiple of 16
        ".seh_stackalloc 40", // and the word with the address of `start`
        ".seh_endprologue",
        "call [rsp + 32]",
        "ud2", // `start` doesn't return
        ".seh_endproc",
        begin = sym begin,
    )
}

/// Goes on with the context in `*other`, and leaves the running one there.
///
/// # Safety
/// The context was left by `prepare` or `switch`, on this OS thread, and its stack is still
/// there. While nobody has come back, the stack that we leave must stay, too.
pub(crate) unsafe fn switch(other: *mut Context) {
    // SAFETY: Nobody writes to this stack until a switch to it goes on at 2. The notes are those
    // of the stack that is used from there on.
    unsafe {
        asm!(
            "push rbx", "push rbp", "lea rax, [rip + 2f]", "push rax",
            "push qword ptr gs:[0x00]",
            "push qword ptr gs:[0x08]",
            "push qword ptr gs:[0x10]",
            "push qword ptr gs:[0x1478]",
            "push qword ptr gs:[0x1748]",
            "mov rax, [rdi]", "mov [rdi], rsp", "mov rsp, rax",
            "pop qword ptr gs:[0x1748]",
            "pop qword ptr gs:[0x1478]",
            "pop qword ptr gs:[0x10]",
            "pop qword ptr gs:[0x08]",
            "pop qword ptr gs:[0x00]",
            "pop rax", "jmp rax",
            "2:", "pop rbp", "pop rbx",
            inout("rdi") other => _,
            out("r12") _, out("r13") _, out("r14") _, out("r15") _, clobber_abi("sysv64"),
        );
    }
}
