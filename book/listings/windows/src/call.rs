//! A call on another stack, as in the exercise of chapter 4.

use std::arch::asm;

use crate::notes::Notes;
use crate::stack::Stack;

/// Calls `function` on the stack, with these notes, and puts back those that were there.
/// Returns what the notes said in the end.
///
/// # Safety
/// The notes are true of the stack. Where they aren't, we want to see what happens.
pub unsafe fn call_on(stack: &Stack, notes: Notes, function: extern "C" fn()) -> Notes {
    let (top, ours) = (stack.notes().base, Notes::now());
    // SAFETY: The caller answers for the notes. Nobody looks at them while they don't fit.
    unsafe {
        notes.write();
        asm!(
            "mov r12, rsp",
            "lea rsp, [{top} - 32]", // room that a function may expect above its return address
            "call {function}",
            "mov rsp, r12",
            top = in(reg) top, function = in(reg) function, out("r12") _, clobber_abi("C"),
        );
        let left = Notes::now();
        ours.write();
        left
    }
}
