//! A function in assembly that calls another one, twice: with a table and without.

use std::arch::naked_asm;

/// Calls the function, and returns what rbx was in the caller. Meanwhile there is a 7 in it.
#[unsafe(naked)]
pub extern "C" fn call_with_table(function: extern "C" fn()) -> u64 {
    naked_asm!(
        ".seh_proc {this}",
        "push rbx",
        ".seh_pushreg rbx",
        "sub rsp, 32",
        ".seh_stackalloc 32",
        ".seh_endprologue",
        "mov ebx, 7",
        "call rcx",
        "add rsp, 32",
        "pop rbx",
        "mov rax, rbx",
        "ret",
        ".seh_endproc",
        this = sym call_with_table,
    )
}

/// The same, and nobody is told how to undo it.
#[unsafe(naked)]
pub extern "C" fn call_without_table(function: extern "C" fn()) -> u64 {
    naked_asm!(
        "push rbx",
        "sub rsp, 32",
        "mov ebx, 7",
        "call rcx",
        "add rsp, 32",
        "pop rbx",
        "mov rax, rbx",
        "ret",
    )
}
