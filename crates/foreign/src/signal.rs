//! Whether a signal handler runs. In one, no call parks.
//!
//! `sigaction` gives the system a handler of this crate, which counts and then calls the program's.
//! A caller that asks for the handler gets the program's. A handler that leaves by `siglongjmp`
//! leaves the count as it is; on that thread no call parks any more.

use core::{
    cell::Cell,
    ffi::{c_int, c_void},
    mem, ptr,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
};

use crate::raw::{fail, next};

thread_local! {
    /// How many handlers run, one inside the other.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// How many signals there are.
const SIGNALS: usize = 65;

/// The program's handlers, and their flags.
static HANDLERS: [(AtomicUsize, AtomicUsize); SIGNALS] =
    [const { (AtomicUsize::new(0), AtomicUsize::new(0)) }; SIGNALS];

pub(crate) fn is_in_handler() -> bool {
    DEPTH.get() != 0
}

type Handler = unsafe extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

unsafe extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    DEPTH.set(DEPTH.get() + 1);
    let handler = HANDLERS[signal as usize].0.load(SeqCst);
    // SAFETY: `sigaction` stores a handler before it installs this one. One with fewer parameters
    // ignores the others.
    unsafe { mem::transmute::<usize, Handler>(handler)(signal, info, context) };
    DEPTH.set(DEPTH.get() - 1);
}

/// `sigaction`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn sigaction(
    signal: c_int,
    new: *const libc::sigaction,
    old: *mut libc::sigaction,
) -> c_int {
    let next = next!(
        c"sigaction" as unsafe extern "C" fn(c_int, *const libc::sigaction, *mut libc::sigaction) -> c_int
    );
    let Some((handler, flags)) = usize::try_from(signal).ok().and_then(|signal| HANDLERS.get(signal)) else {
        return fail(libc::EINVAL) as c_int;
    };
    let before = (handler.load(SeqCst), flags.load(SeqCst));
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        let mut given = new.as_ref().copied();
        if let Some(given) = &mut given
            && given.sa_sigaction != libc::SIG_DFL
            && given.sa_sigaction != libc::SIG_IGN
        {
            handler.store(given.sa_sigaction, SeqCst);
            flags.store(given.sa_flags as usize, SeqCst);
            given.sa_sigaction = handle as Handler as usize;
            given.sa_flags |= libc::SA_SIGINFO;
        }
        let result = next(signal, given.as_ref().map_or(ptr::null(), ptr::from_ref), old);
        if result != 0 {
            handler.store(before.0, SeqCst);
            flags.store(before.1, SeqCst);
        } else if let Some(old) = old.as_mut()
            && old.sa_sigaction == handle as Handler as usize
        {
            (old.sa_sigaction, old.sa_flags) = (before.0, before.1 as c_int);
        }
        result
    }
}

/// `signal`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn signal(signal: c_int, handler: libc::sighandler_t) -> libc::sighandler_t {
    // SAFETY: zero is a valid action; the caller vouches for the handler.
    unsafe {
        let (mut new, mut old): (libc::sigaction, libc::sigaction) = (mem::zeroed(), mem::zeroed());
        new.sa_sigaction = handler;
        new.sa_flags = libc::SA_RESTART;
        if sigaction(signal, &raw const new, &raw mut old) == 0 { old.sa_sigaction } else { libc::SIG_ERR }
    }
}
