//! What a machine may lack. This is the one list of tests that cannot hold everywhere: each such
//! test names what it needs, and the reasons are below.

#![allow(dead_code, reason = "each test program uses its own part of it")]

use std::{
    ffi::{CStr, c_void},
    fs,
};

/// What a test needs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Need {
    /// Filters on system calls. Emulators of a processor don't have them, nor do other systems than
    /// Linux.
    Filters,
    /// The memory, the addresses and their limits are this program's own. In an emulator they are
    /// the emulator's.
    OwnMemory,
    /// The C library's heap can be made to give memory back. musl's can't.
    HeapTrim,
    /// The exit of the process runs destructors of std's thread-locals. With musl it doesn't.
    DestructorsAtExit,
    /// A child that was forked while another OS thread unwound can unwind. On x86 with 32 bits
    /// glibc itself has the lookup of unwind tables, with a lock that a fork leaves locked.
    UnwindingAfterFork,
    /// A program is told of its own end, also by `std::process::exit`. Wine tells only libraries.
    CallsAtExit,
}

impl Need {
    fn is_met(self) -> bool {
        match self {
            Need::Filters => has_filters(),
            // Emulators hide themselves behind the first of these names only.
            Need::OwnMemory => match fs::read_link("/proc/thread-self/exe") {
                Ok(real) => fs::read_link("/proc/self/exe").is_ok_and(|shown| shown == real),
                Err(_) => true,
            },
            Need::HeapTrim => symbol(c"malloc_trim").is_some(),
            Need::DestructorsAtExit => symbol(c"__cxa_thread_atexit_impl").is_some(),
            Need::CallsAtExit => !is_wine(),
            Need::UnwindingAfterFork => !symbol(c"_Unwind_Find_FDE").is_some_and(is_c_library),
        }
    }
}

/// Whether the machine lacks one of these. Then the test prints that, and returns.
pub(crate) fn lacks(needs: &[Need]) -> bool {
    let missing = needs.iter().find(|need| !need.is_met());
    if let Some(need) = missing {
        eprintln!("not tested here: the machine lacks {need:?}");
    }
    missing.is_some()
}

#[cfg(target_os = "linux")]
fn has_filters() -> bool {
    // SAFETY: the call returns a number, and touches no memory.
    unsafe { libc::prctl(libc::PR_GET_SECCOMP, 0, 0, 0, 0) >= 0 }
}

#[cfg(not(target_os = "linux"))]
fn has_filters() -> bool {
    false
}

#[cfg(unix)]
fn is_wine() -> bool {
    false
}

#[cfg(windows)]
fn is_wine() -> bool {
    use windows_sys::{
        Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress},
        core::{s, w},
    };

    // SAFETY: the library is always loaded, and the names end with 0.
    unsafe { GetProcAddress(GetModuleHandleW(w!("ntdll.dll")), s!("wine_get_version")).is_some() }
}

/// The address of a function or variable of a shared library.
#[cfg(unix)]
fn symbol(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: the name has a terminating zero.
    Some(unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }).filter(|symbol| !symbol.is_null())
}

/// Windows has none of the C library's functions that are asked for here.
#[cfg(windows)]
fn symbol(_: &CStr) -> Option<*mut c_void> {
    None
}

#[cfg(windows)]
fn is_c_library(_: *mut c_void) -> bool {
    false
}

#[cfg(unix)]
fn is_c_library(symbol: *mut c_void) -> bool {
    let mut found = libc::Dl_info {
        dli_fname: std::ptr::null(),
        dli_fbase: std::ptr::null_mut(),
        dli_sname: std::ptr::null(),
        dli_saddr: std::ptr::null_mut(),
    };
    // SAFETY: the call fills `found`, and its names stay as long as the library is loaded.
    unsafe {
        libc::dladdr(symbol, &mut found) != 0
            && !found.dli_fname.is_null()
            && CStr::from_ptr(found.dli_fname).to_string_lossy().contains("/libc.so")
    }
}
