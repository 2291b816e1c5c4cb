//! The process as a whole. Windows has no forks.

use core::{
    ffi::{c_int, c_void},
    mem, ptr,
    sync::atomic::{
        AtomicBool, AtomicPtr,
        Ordering::{Relaxed, SeqCst},
    },
};
use std::{io, process::Child, sync::Once};

use windows_sys::Win32::System::SystemServices::DLL_PROCESS_DETACH;

use super::{
    super::fork::AtFork,
    error::{OsError, OsResult},
    fd::OwnedFd,
};

unsafe extern "C" {
    fn atexit(f: extern "C" fn()) -> c_int;
}

/// The functions to be called when the process exits, in the order in which they were registered.
/// Each place is null, or holds a function of the type `extern "C" fn()`.
static AT_EXIT: [AtomicPtr<()>; 8] = [const { AtomicPtr::new(ptr::null_mut()) }; 8];

/// Whether the system has ended all other OS threads.
static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// What the system's loader calls when an OS thread or the process begins or ends. It finds this
/// pointer by the section. The name of the section is after that of std's own callback. So the
/// destructors of std's thread-locals have run before, as on Unix.
///
/// Wine does not call it at the end of a program, only at that of a library.
#[used]
#[unsafe(link_section = ".CRT$XLC")]
static CALLBACK: unsafe extern "system" fn(*mut c_void, u32, *mut c_void) = called_by_loader;

/// Calls what is registered if the process ends. The last argument is null if the process goes on,
/// and only unloads the library that this is part of.
unsafe extern "system" fn called_by_loader(_: *mut c_void, reason: u32, ends: *mut c_void) {
    if reason == DLL_PROCESS_DETACH {
        IS_ENDING.store(!ends.is_null(), Relaxed);
        call_all();
    }
}

/// Calls what is registered. Each function is called once.
extern "C" fn call_all() {
    for place in AT_EXIT.iter().rev() {
        let f = place.swap(ptr::null_mut(), SeqCst);
        if !f.is_null() {
            // SAFETY: only `at_exit` stores pointers here, and they come from such functions.
            let f = unsafe { mem::transmute::<*mut (), extern "C" fn()>(f) };
            f();
        }
    }
}

/// Registers `f` to be called when the process exits. If too many functions are registered, this
/// one is dropped.
///
/// If `main` returns, the C library calls `f`. `std::process::exit` calls `ExitProcess`, of which
/// the C library learns nothing; then the loader calls `f`. By then the system has ended all other
/// OS threads, and holds the loader's lock. So `f` must not wait for a lock, nor for another OS
/// thread, nor load a library.
pub(crate) fn at_exit(f: extern "C" fn()) {
    static C_LIBRARY: Once = Once::new();
    let f = f as *mut ();
    let _ = AT_EXIT.iter().any(|place| place.compare_exchange(ptr::null_mut(), f, SeqCst, SeqCst).is_ok());
    C_LIBRARY.call_once(|| {
        // SAFETY: the function has no arguments, and does not unwind.
        unsafe { atexit(call_all) };
        // The linker takes the part of the library that has the pointer only if something uses it.
        // SAFETY: the pointer comes from a reference.
        let _ = unsafe { ptr::from_ref(&CALLBACK).read_volatile() };
    });
}

/// Whether the process ends, and the system has ended all other OS threads. Whoever waits for a
/// lock that one of them held waits for ever.
pub(super) fn is_ending() -> bool {
    IS_ENDING.load(Relaxed)
}

/// Ends the process as a `main` that returns does.
pub(crate) fn leave() -> ! {
    std::process::exit(0)
}

/// Returns a number that differs between a process and the processes that it forks. There are none.
#[inline]
pub(crate) fn generation() -> u32 {
    0
}

/// Does nothing, since the process never forks.
pub(crate) fn at_fork(_: AtFork) -> io::Result<()> {
    Ok(())
}

/// Fails: a handle of a process cannot be waited for like a socket.
///
/// # Errors
/// `UNSUPPORTED`.
pub(crate) fn open_child(_: &Child) -> OsResult<OwnedFd> {
    Err(OsError::UNSUPPORTED)
}
