//! Signals: those that tell of bad memory accesses, and the numbers of the others.
//!
//! Only one thing is sure about a fault in a guard: its address. `si_code` says SEGV_MAPERR for one
//! kind of guard and SEGV_ACCERR for the other, and some systems raise SIGBUS.
//!
//! Invariants:
//! 1. `SAVED[i]` is written once, before the handler for `SIGNALS[i]` is installed, and then only
//!    read.
//! 2. `ON_FAULT` is written before any handler is installed, and then only read.
//! 3. What runs in the handler is async-signal-safe.
//! 4. An [`AlternateStack`] is dropped by the OS thread that made it, and not by a signal handler
//!    (it is not `Send`), so that nothing runs on it when it is unmapped.

use core::{
    cell::UnsafeCell,
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

use super::memory::page_size;

const SIGNALS: [c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

/// The actions that were there before.
struct Saved([UnsafeCell<MaybeUninit<libc::sigaction>>; 2]);

// SAFETY: invariant 1.
unsafe impl Sync for Saved {}

static SAVED: Saved = Saved([const { UnsafeCell::new(MaybeUninit::uninit()) }; 2]);

/// Has `handler` called with the address of each bad access to memory. If it returns, the access is
/// treated as if it had not been called. To be called once; the handler must be async-signal-safe.
pub(crate) fn on_fault(handler: fn(usize)) -> io::Result<()> {
    ON_FAULT.get_or_init(|| handler);
    for (&signal, saved) in SIGNALS.iter().zip(&SAVED.0) {
        // SAFETY: zero is a valid `sigaction`, and a handler of this type goes with SA_SIGINFO. No
        // handler reads `saved` as long as ours is not installed (invariant 1).
        unsafe {
            let mut old: libc::sigaction = mem::zeroed();
            check(libc::sigaction(signal, ptr::null(), &mut old))?;
            let mut action: libc::sigaction = mem::zeroed();
            action.sa_sigaction = handle as *const () as usize;
            if old.sa_sigaction == action.sa_sigaction {
                continue;
            }
            (*saved.get()).write(old);
            // The old handler is to find blocked what it asked for, and system calls to be
            // restarted as it asked.
            action.sa_mask = old.sa_mask;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | (old.sa_flags & libc::SA_RESTART);
            check(libc::sigaction(signal, &action, ptr::null_mut()))?;
        }
    }
    Ok(())
}

static ON_FAULT: OnceLock<fn(usize)> = OnceLock::new();

extern "C" fn handle(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the system gives a valid `siginfo_t`.
    let (sent, address) = unsafe { ((*info).si_code <= 0, (*info).si_addr().addr()) };
    // A signal that some process has sent comes with no address, but with other things in its
    // place.
    if !sent && let Some(on_fault) = ON_FAULT.get() {
        on_fault(address);
    }
    // SAFETY: we were called for `signal` with these arguments.
    unsafe { chain(signal, info, context, sent) }
}

/// Does what would have been done without us.
///
/// # Safety
/// To be called by a signal handler with its arguments; `sent` if the signal is not the
/// processor's.
unsafe fn chain(signal: c_int, info: *mut siginfo_t, context: *mut c_void, sent: bool) {
    let Some(i) = SIGNALS.iter().position(|&s| s == signal) else { return };
    // SAFETY: invariant 1: it was written before this handler was installed.
    let saved = unsafe { (*SAVED.0[i].get()).assume_init_ref() };
    match saved.sa_sigaction {
        // Ignored is ignored. (The system ignores no fault of the processor's: that is left to it,
        // below.)
        libc::SIG_IGN if sent => {}
        libc::SIG_DFL | libc::SIG_IGN => {
            // SAFETY: both calls are async-signal-safe. On return the access is tried again, and
            // fails again; a signal that was sent is sent again, and comes when this handler has
            // returned.
            unsafe {
                libc::sigaction(signal, saved, ptr::null_mut());
                if sent {
                    libc::raise(signal);
                }
            }
        }
        handler => {
            // SAFETY: the calls are async-signal-safe. The mask is restored when our handler
            // returns. The handler is one that somebody has installed for this signal, of the type
            // that its flags tell.
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

/// A stack for the calling OS thread's signal handlers, until dropped.
#[derive(Debug)]
pub(crate) struct AlternateStack {
    base: *mut c_void,
    len: usize,
    old: libc::stack_t,
    /// It belongs to an OS thread.
    _not_send: PhantomData<*mut ()>,
}

/// Ours needs little, but a crash reporter that was there before may want more.
const ALTERNATE_SIZE: usize = 64 * 1024;

impl AlternateStack {
    pub(crate) fn new() -> io::Result<Self> {
        let page = page_size();
        let size = (ALTERNATE_SIZE + least()).next_multiple_of(page);
        let len = page + size;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_NORESERVE;
        // SAFETY: a new mapping touches nobody's memory.
        let base =
            unsafe { libc::mmap(ptr::null_mut(), len, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // From here on dropping it undoes what is done.
        // SAFETY: zero is a valid `stack_t`.
        let mut this = Self { base, len, old: unsafe { mem::zeroed() }, _not_send: PhantomData };
        this.old.ss_flags = libc::SS_DISABLE;
        let stack = libc::stack_t { ss_sp: base.wrapping_byte_add(page), ss_flags: 0, ss_size: size };
        // SAFETY: the mapping is ours, its first page is the guard, and the rest stays mapped until
        // the system has been told to use it no more.
        unsafe {
            check(libc::mprotect(base, page, libc::PROT_NONE))?;
            check(libc::sigaltstack(&stack, &mut this.old))?;
        }
        Ok(this)
    }
}

impl Drop for AlternateStack {
    fn drop(&mut self) {
        // SAFETY: the calling thread is the one that made it and does not run on it (invariant 4).
        // What was there before was valid, and is its owner's to keep valid.
        unsafe {
            if libc::sigaltstack(&self.old, ptr::null_mut()) == 0 {
                libc::munmap(self.base, self.len);
            }
        }
    }
}

/// What the system itself puts on a signal stack; processors with wide registers make it big.
fn least() -> usize {
    // SAFETY: asks for a number.
    let least = unsafe { libc::getauxval(libc::AT_MINSIGSTKSZ) } as usize;
    least.max(libc::MINSIGSTKSZ)
}

/// The largest number of a signal.
pub(crate) fn last() -> c_int {
    libc::SIGRTMAX()
}

/// Waits for some signal. Async-signal-safe.
pub(crate) fn pause() {
    // SAFETY: it only waits.
    unsafe { libc::pause() };
}

/// Ends the process by SIGABRT. Async-signal-safe.
pub(crate) fn abort() -> ! {
    // SAFETY: it asks for nothing.
    unsafe { libc::abort() }
}

fn check(result: c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
