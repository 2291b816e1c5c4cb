//! A switch for Windows, all of it by hand, twice: one keeps xmm6 to xmm15 whole, the other
//! keeps half of each.

use std::arch::naked_asm;
use std::ptr::with_exposed_provenance_mut;

use crate::stack::Stack;

// ANCHOR: frame
/// What a switch takes from the stack that it goes to, from the lowest address up.
#[repr(C)]
struct Frame {
    xmm: [[u64; 2]; 10],
    guarantee: usize,
    allocation: usize,
    limit: usize,
    base: usize,
    exception_list: usize,
    /// rsi, rdi, rbx, rbp, r12 to r15.
    general: [usize; 8],
    start: extern "C" fn() -> !,
    /// No caller, and the 32 bytes that a function may expect above it.
    end: [usize; 5],
}

/// The stack pointer of a stack that looks as if it had been left, to go on where `start` begins.
///
/// # Safety
/// The stack stays as long as the stack pointer is in use.
pub unsafe fn prepare(stack: &Stack, start: extern "C" fn() -> !) -> *mut usize {
    let notes = stack.notes();
    let frame = Frame {
        xmm: [[0; 2]; 10],
        guarantee: notes.guarantee,
        allocation: notes.allocation,
        limit: notes.limit,
        base: notes.base,
        exception_list: notes.exception_list,
        general: [0; 8],
        start,
        end: [0; 5],
    };
    // At `start`, rsp + 8 is a multiple of 16: above it lie `end` and nothing else.
    let sp = with_exposed_provenance_mut::<Frame>(notes.base).wrapping_sub(1);
    // SAFETY: The top of the stack has memory for it, and nobody else uses it.
    unsafe { sp.write(frame) };
    sp.cast()
}
// ANCHOR_END: frame

// ANCHOR: switch
macro_rules! switch {
    ($name:ident, $mov:literal) => {
        /// Exchanges the stack pointer with `*other`, and so leaves this stack for that one.
        ///
        /// # Safety
        /// `*other` was left by `prepare` or by this function, on this OS thread, and its memory
        /// is still there.
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name(other: *mut *mut usize) {
            naked_asm!(
                "push r15",
                "push r14",
                "push r13",
                "push r12",
                "push rbp",
                "push rbx",
                "push rdi",
                "push rsi",
                "push qword ptr gs:[0x00]",
                "push qword ptr gs:[0x08]",
                "push qword ptr gs:[0x10]",
                "push qword ptr gs:[0x1478]",
                "push qword ptr gs:[0x1748]",
                "sub rsp, 160",
                concat!($mov, " [rsp], xmm6"),
                concat!($mov, " [rsp + 16], xmm7"),
                concat!($mov, " [rsp + 32], xmm8"),
                concat!($mov, " [rsp + 48], xmm9"),
                concat!($mov, " [rsp + 64], xmm10"),
                concat!($mov, " [rsp + 80], xmm11"),
                concat!($mov, " [rsp + 96], xmm12"),
                concat!($mov, " [rsp + 112], xmm13"),
                concat!($mov, " [rsp + 128], xmm14"),
                concat!($mov, " [rsp + 144], xmm15"),
                "mov rax, [rcx]",
                "mov [rcx], rsp",
                "mov rsp, rax",
                concat!($mov, " xmm6, [rsp]"),
                concat!($mov, " xmm7, [rsp + 16]"),
                concat!($mov, " xmm8, [rsp + 32]"),
                concat!($mov, " xmm9, [rsp + 48]"),
                concat!($mov, " xmm10, [rsp + 64]"),
                concat!($mov, " xmm11, [rsp + 80]"),
                concat!($mov, " xmm12, [rsp + 96]"),
                concat!($mov, " xmm13, [rsp + 112]"),
                concat!($mov, " xmm14, [rsp + 128]"),
                concat!($mov, " xmm15, [rsp + 144]"),
                "add rsp, 160",
                "pop qword ptr gs:[0x1748]",
                "pop qword ptr gs:[0x1478]",
                "pop qword ptr gs:[0x10]",
                "pop qword ptr gs:[0x08]",
                "pop qword ptr gs:[0x00]",
                "pop rsi",
                "pop rdi",
                "pop rbx",
                "pop rbp",
                "pop r12",
                "pop r13",
                "pop r14",
                "pop r15",
                "ret",
            )
        }
    };
}

switch!(switch, "movups");
switch!(switch_that_keeps_half, "movq");
// ANCHOR_END: switch
