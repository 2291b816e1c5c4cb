//! Signals: the handler for memory faults, and the numbers of the other signals.
//!
//! The address is the only reliable information about a fault in a guard. `si_code` is SEGV_MAPERR
//! for one kind of guard and SEGV_ACCERR for the other, and some systems raise SIGBUS.
//!
//! Invariants:
//! 1. `SAVED[i]` is set once, before the handler for `SIGNALS[i]` is installed.
//! 2. `ON_FAULT` is set before any handler is installed.
//! 3. All code that runs in the handler is async-signal-safe.
//! 4. An [`AlternateStack`] is dropped by the OS thread that made it (it is not `Send`), and not by
//!    a signal handler. Therefore nothing runs on it when it is unmapped.

use core::{
    ffi::c_void,
    marker::PhantomData,
    mem::{self, MaybeUninit},
    ptr,
};
use std::{io, sync::OnceLock};

pub use libc::{
    SIGALRM, SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGIO, SIGPIPE, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU,
    SIGUSR1, SIGUSR2, SIGWINCH,
};
use libc::{c_int, siginfo_t};

use super::super::port::{
    memory::page_size,
    quirks::{alternate_size, was_sent},
};

const SIGNALS: [c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

/// The actions that were installed before this library's. A handler may run on another OS thread
/// than the one that has installed it.
static SAVED: [OnceLock<libc::sigaction>; 2] = [const { OnceLock::new() }; 2];

/// Makes `handler` be called with the address of each bad access to memory. If `handler` returns,
/// the fault is handled as if it had not been called. This function is called once; the handler
/// must be async-signal-safe.
pub(crate) fn on_fault(handler: fn(usize)) -> io::Result<()> {
    ON_FAULT.get_or_init(|| handler);
    for (&signal, saved) in SIGNALS.iter().zip(&SAVED) {
        // SAFETY: zero is a valid `sigaction`, and a handler of this type goes with SA_SIGINFO.
        unsafe {
            let mut old: libc::sigaction = mem::zeroed();
            check(libc::sigaction(signal, ptr::null(), &mut old))?;
            let mut action: libc::sigaction = mem::zeroed();
            action.sa_sigaction = handle as *const () as usize;
            if old.sa_sigaction == action.sa_sigaction {
                continue;
            }
            saved.get_or_init(|| old);
            // While the old handler runs, the signals that it asked for must be blocked, and system
            // calls must be restarted if it asked for that.
            action.sa_mask = old.sa_mask;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | (old.sa_flags & libc::SA_RESTART);
            check(libc::sigaction(signal, &action, ptr::null_mut()))?;
        }
    }
    Ok(())
}

static ON_FAULT: OnceLock<fn(usize)> = OnceLock::new();

extern "C" fn handle(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the system passes a valid `siginfo_t`.
    let (sent, address) = unsafe { (was_sent((*info).si_code), (*info).si_addr().addr()) };
    // A signal that a process has sent has no address; the field has another meaning then.
    if !sent && let Some(on_fault) = ON_FAULT.get() {
        on_fault(address);
    }
    // SAFETY: this function is the signal handler, and these are its arguments.
    unsafe { chain(signal, info, context, sent) }
}

/// Does what would happen if this library had not installed its handler.
///
/// # Safety
/// Only the signal handler calls this, with its own arguments. `sent` says that a process sent the
/// signal, rather than the processor raised it.
unsafe fn chain(signal: c_int, info: *mut siginfo_t, context: *mut c_void, sent: bool) {
    // By invariant 1, both are there.
    let Some(i) = SIGNALS.iter().position(|&s| s == signal) else { return };
    let Some(saved) = SAVED[i].get() else { return };
    match saved.sa_sigaction {
        // An ignored signal stays ignored. (The system does not ignore a fault of the processor.
        // That case is left to the system below.)
        libc::SIG_IGN if sent => {}
        libc::SIG_DFL | libc::SIG_IGN => {
            // SAFETY: both calls are async-signal-safe. For a fault, the access is tried again on
            // return, and fails again. A signal that was sent is sent again, and arrives when this
            // handler has returned.
            unsafe {
                libc::sigaction(signal, saved, ptr::null_mut());
                if sent {
                    libc::raise(signal);
                }
            }
        }
        handler => {
            // SAFETY: the calls are async-signal-safe. The system restores the mask when this
            // handler returns. `handler` was installed for this signal, and `sa_flags` tells its
            // type.
            unsafe {
                let mut set = MaybeUninit::<libc::sigset_t>::uninit();
                if saved.sa_flags & libc::SA_NODEFER != 0 {
                    libc::sigemptyset(set.as_mut_ptr());
                    libc::sigaddset(set.as_mut_ptr(), signal);
                    libc::pthread_sigmask(libc::SIG_UNBLOCK, set.as_ptr(), ptr::null_mut());
                }
                if saved.sa_flags & libc::SA_RESETHAND != 0 {
                    let mut default: libc::sigaction = mem::zeroed();
                    default.sa_sigaction = libc::SIG_DFL;
                    libc::sigaction(signal, &default, ptr::null_mut());
                }
                if saved.sa_flags & libc::SA_SIGINFO != 0 {
                    let handler =
                        mem::transmute::<usize, extern "C" fn(c_int, *mut siginfo_t, *mut c_void)>(handler);
                    handler(signal, info, context);
                } else {
                    let handler = mem::transmute::<usize, extern "C" fn(c_int)>(handler);
                    handler(signal);
                }
            }
        }
    }
}

/// A stack for the signal handlers of the calling OS thread, until dropped.
#[derive(Debug)]
pub(crate) struct AlternateStack {
    base: *mut c_void,
    len: usize,
    old: libc::stack_t,
    /// The stack belongs to the OS thread that made it.
    _not_send: PhantomData<*mut ()>,
}

impl AlternateStack {
    pub(crate) fn new() -> io::Result<Self> {
        let page = page_size();
        let size = alternate_size().next_multiple_of(page);
        let len = page + size;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_NORESERVE;
        // SAFETY: a new mapping at an address that the kernel chooses does not affect existing
        // memory.
        let base =
            unsafe { libc::mmap(ptr::null_mut(), len, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // From here on, dropping `this` undoes the steps so far.
        // SAFETY: zero is a valid `stack_t`.
        let mut this = Self { base, len, old: unsafe { mem::zeroed() }, _not_send: PhantomData };
        this.old.ss_flags = libc::SS_DISABLE;
        let stack = libc::stack_t { ss_sp: base.wrapping_byte_add(page), ss_flags: 0, ss_size: size };
        // SAFETY: the mapping was just made. Its first page is the guard, and the rest stays mapped
        // until `drop` has told the system to use it no more.
        unsafe {
            check(libc::mprotect(base, page, libc::PROT_NONE))?;
            check(libc::sigaltstack(&stack, &mut this.old))?;
        }
        Ok(this)
    }
}

impl Drop for AlternateStack {
    fn drop(&mut self) {
        // SAFETY: the calling thread made the stack and does not run on it (invariant 4). The
        // previous stack was valid, and its owner keeps it valid.
        unsafe {
            if libc::sigaltstack(&self.old, ptr::null_mut()) == 0 {
                libc::munmap(self.base, self.len);
            }
        }
    }
}

/// Waits for any signal. Async-signal-safe.
pub(crate) fn pause() {
    // SAFETY: `pause` has no precondition; it only waits.
    unsafe { libc::pause() };
}

/// Ends the process by SIGABRT. Async-signal-safe.
pub(crate) fn abort() -> ! {
    // SAFETY: `abort` has no precondition.
    unsafe { libc::abort() }
}

fn check(result: c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
