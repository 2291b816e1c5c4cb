//! `open`, which waits at a FIFO until its other end is opened.

use core::{
    ffi::{c_char, c_int},
    mem,
};

use greenthread::os::linux::interpose::run_elsewhere;
use libc::mode_t;

use crate::{
    may_park,
    raw::{answer, raw},
};

/// Whether an `open` of this waits. A FIFO that is opened for both directions does not.
///
/// # Safety
/// The path is a string of C.
unsafe fn waits(folder: c_int, path: *const c_char, flags: c_int) -> bool {
    if flags & (libc::O_NONBLOCK | libc::O_PATH) != 0 || flags & libc::O_ACCMODE == libc::O_RDWR {
        return false;
    }
    // SAFETY: zero is a valid `stat`, which the call writes to. The caller vouches for the path.
    unsafe {
        let mut stat: libc::stat = mem::zeroed();
        raw!(SYS_newfstatat, folder, path, &raw mut stat, 0) == 0
            && stat.st_mode & libc::S_IFMT == libc::S_IFIFO
    }
}

/// `openat`. The mode is meaningful with some flags only.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn openat(folder: c_int, path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    let address = path.expose_provenance();
    // SAFETY: the caller vouches for the path, until this returns.
    let call = move || unsafe { raw!(SYS_openat, folder, address, flags, mode) };
    // SAFETY: as above.
    let waits = may_park() && unsafe { waits(folder, path, flags) };
    answer(if waits { run_elsewhere(call) } else { call() }) as c_int
}

/// `open`.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: the caller vouches for the path.
    unsafe { openat(libc::AT_FDCWD, path, flags, mode) }
}

/// `open`, compiled with checks.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn __open_2(path: *const c_char, flags: c_int) -> c_int {
    // SAFETY: the caller vouches for the path.
    unsafe { openat(libc::AT_FDCWD, path, flags, 0) }
}

/// `openat`, compiled with checks.
///
/// # Safety
/// As for the C library's.
pub unsafe extern "C" fn __openat_2(folder: c_int, path: *const c_char, flags: c_int) -> c_int {
    // SAFETY: the caller vouches for the path.
    unsafe { openat(folder, path, flags, 0) }
}

// All files are large ones on these machines.
pub use __open_2 as __open64_2;
pub use __openat_2 as __openat64_2;
pub use open as open64;
pub use openat as openat64;
