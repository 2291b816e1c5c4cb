// ANCHOR: head
//! Who has overflowed a stack? A signal handler finds out.
//!
//! It runs while anything may be half done, so it calls nothing but `write` and `abort`.

use std::ffi::c_int;
use std::sync::OnceLock;
use std::{io, ptr};

use crate::sys::{SA_SIGINFO_ONSTACK, SIGSEGV, SigAction, SigInfo, abort, sigaction, write};
use crate::thread;
// ANCHOR_END: head

// ANCHOR: install
/// What was done about bad memory accesses before us.
static BEFORE: OnceLock<SigAction> = OnceLock::new();

/// Has `handle` called when memory is touched that can't be. Once; later calls do nothing.
pub(crate) fn install() -> io::Result<()> {
    if BEFORE.get().is_some() {
        return Ok(());
    }
    let mut before = SigAction { handler: 0, mask: [0; 16], flags: 0, restorer: 0 };
    let ours = SigAction {
        handler: handle as *const () as usize,
        flags: SA_SIGINFO_ONSTACK,
        ..before
    };
    // SAFETY: The first call reads what is there. The second puts a handler there that does no
    // harm, and that finds what was there before.
    let result = unsafe {
        sigaction(SIGSEGV, ptr::null(), &mut before);
        match BEFORE.set(before) {
            Ok(()) => sigaction(SIGSEGV, &ours, ptr::null_mut()),
            Err(_) => 0,
        }
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
// ANCHOR_END: install

// ANCHOR: handle
extern "C" fn handle(_: c_int, info: *const SigInfo) {
    // SAFETY: The kernel gives a valid one.
    let address = unsafe { (*info).address };
    thread::with_running(|name, stack| {
        if stack.guard().contains(&address) {
            report(&[
                "\ngreen thread '",
                name.unwrap_or("<unnamed>"),
                "' has overflowed its stack\n",
            ]);
            // SAFETY: It ends the process, and that is all.
            unsafe { abort() };
        }
    });
    // Not ours. Whoever was here before gets it: the access is tried again when we return, and
    // fails again.
    if let Some(before) = BEFORE.get() {
        // SAFETY: It is what the kernel has told us.
        unsafe { sigaction(SIGSEGV, before, ptr::null_mut()) };
    }
}

fn report(texts: &[&str]) {
    for text in texts {
        // SAFETY: Reads the text. If standard error can't be written to, there is nobody to
        // tell.
        unsafe { write(2, text.as_ptr(), text.len()) };
    }
}
// ANCHOR_END: handle
