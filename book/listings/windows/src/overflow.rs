//! Who is asked when a stack is full.

use std::ffi::c_void;
use std::sync::OnceLock;

unsafe extern "system" {
    fn AddVectoredExceptionHandler(
        first: u32,
        handler: extern "system" fn(*const *const u32) -> i32,
    ) -> *mut c_void;
}

const EXCEPTION_STACK_OVERFLOW: u32 = 0xC000_00FD;
const EXCEPTION_CONTINUE_SEARCH: i32 = 0;

static ASKED: OnceLock<fn()> = OnceLock::new();

/// Has `function` called, before all others, when a stack has overflowed.
pub fn on_overflow(function: fn()) {
    ASKED.get_or_init(|| function);
    // SAFETY: `handle` is what Windows wants.
    unsafe { AddVectoredExceptionHandler(1, handle) };
}

extern "system" fn handle(pointers: *const *const u32) -> i32 {
    // SAFETY: Windows gives two pointers. The first leads to a record, and that begins with the
    // exception's number.
    let number = unsafe { **pointers };
    if number == EXCEPTION_STACK_OVERFLOW
        && let Some(function) = ASKED.get()
    {
        function();
    }
    EXCEPTION_CONTINUE_SEARCH
}
