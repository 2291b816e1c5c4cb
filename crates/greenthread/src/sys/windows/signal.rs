//! Memory faults. Windows has no signals.
//!
//! Windows calls a handler of an exception on the stack that the exception interrupted. On a stack
//! that is used up it finds the bytes that `GuaranteedStackBytes` reserves (see `memory`), and
//! raises `EXCEPTION_STACK_OVERFLOW`. If the exception itself finds no room, the kernel ends the
//! process without a word.
//!
//! Rejected: another OS thread that makes the report while the faulting one waits. It would need no
//! less room, since the handler runs on the used-up stack anyway.
//!
//! Invariants:
//! 1. `ON_FAULT` is written before the handler is installed. After that it is only read.

use core::marker::PhantomData;
use std::{io, sync::OnceLock};

use windows_sys::Win32::{
    Foundation::{
        EXCEPTION_ACCESS_VIOLATION, EXCEPTION_GUARD_PAGE, EXCEPTION_IN_PAGE_ERROR, EXCEPTION_STACK_OVERFLOW,
    },
    System::{
        Diagnostics::Debug::{AddVectoredExceptionHandler, EXCEPTION_CONTINUE_SEARCH, EXCEPTION_POINTERS},
        Threading::{SetThreadStackGuarantee, Sleep},
    },
};

use super::memory::{GUARANTEED, stack_limit};

/// Makes `handler` be called with the address of each bad access to memory, before any handler that
/// was added earlier. If `handler` returns, the fault is handled as if it had not been called. This
/// function is called once; the handler must neither allocate nor lock.
pub(crate) fn on_fault(handler: fn(usize)) -> io::Result<()> {
    ON_FAULT.get_or_init(|| handler);
    // SAFETY: `handle` has the type of such a handler, and lives as long as the process.
    if unsafe { AddVectoredExceptionHandler(1, Some(handle)) }.is_null() {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    Ok(())
}

static ON_FAULT: OnceLock<fn(usize)> = OnceLock::new();

unsafe extern "system" fn handle(exception: *mut EXCEPTION_POINTERS) -> i32 {
    // SAFETY: the system passes valid pointers.
    let record = unsafe { &*(*exception).ExceptionRecord };
    // The second parameter is the address. An overflow that an earlier exception has caused comes
    // without parameters; the stack is committed to its end by then.
    let address = match record.ExceptionCode {
        EXCEPTION_ACCESS_VIOLATION
        | EXCEPTION_GUARD_PAGE
        | EXCEPTION_IN_PAGE_ERROR
        | EXCEPTION_STACK_OVERFLOW
            if record.NumberParameters >= 2 =>
        {
            record.ExceptionInformation[1]
        }
        EXCEPTION_STACK_OVERFLOW => stack_limit(),
        _ => return EXCEPTION_CONTINUE_SEARCH,
    };
    if let Some(on_fault) = ON_FAULT.get() {
        on_fault(address);
    }
    EXCEPTION_CONTINUE_SEARCH
}

/// Room for the handlers on the calling OS thread's own stack. It stays when this is dropped.
#[derive(Debug)]
pub(crate) struct AlternateStack {
    _not_send: PhantomData<*mut ()>,
}

impl AlternateStack {
    pub(crate) fn new() -> io::Result<Self> {
        let mut bytes = GUARANTEED as u32;
        // SAFETY: the call reads and writes `bytes`.
        if unsafe { SetThreadStackGuarantee(&mut bytes) } == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { _not_send: PhantomData })
    }
}

/// Waits a moment.
pub(crate) fn pause() {
    // SAFETY: `Sleep` has no precondition.
    unsafe { Sleep(10) };
}

/// Ends the process at once. No handler runs.
pub(crate) fn abort() -> ! {
    std::process::abort()
}
