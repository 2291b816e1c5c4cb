//! System calls without the C library, whose functions may be this crate's.
//!
//! Invariants:
//! 1. Each use of `next!` names the C library's type of the function.

use core::{
    ffi::{CStr, c_int, c_long, c_void},
    mem,
    sync::atomic::{AtomicPtr, Ordering::Relaxed},
};

/// Makes a system call. An error is a small negative number.
///
/// # Safety
/// As for the call itself.
#[cfg(target_arch = "x86_64")]
pub(crate) unsafe fn call(number: c_long, arguments: [usize; 6]) -> isize {
    let [a, b, c, d, e, f] = arguments;
    let result;
    // SAFETY: the caller vouches for the call. The kernel changes these registers only.
    unsafe {
        core::arch::asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// Makes a system call. An error is a small negative number.
///
/// # Safety
/// As for the call itself.
#[cfg(target_arch = "aarch64")]
pub(crate) unsafe fn call(number: c_long, arguments: [usize; 6]) -> isize {
    let [a, b, c, d, e, f] = arguments;
    let result;
    // SAFETY: the caller vouches for the call. The kernel changes this register only.
    unsafe {
        core::arch::asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") a as isize => result,
            in("x1") b, in("x2") c, in("x3") d, in("x4") e, in("x5") f,
            options(nostack),
        );
    }
    result
}

/// A system call with fewer arguments than six.
macro_rules! raw {
    ($number:ident $(, $argument:expr)*) => {{
        let given = [$($argument as usize),*];
        let mut arguments = [0; 6];
        arguments[..given.len()].copy_from_slice(&given);
        $crate::raw::call(libc::$number, arguments)
    }};
}
pub(crate) use raw;

/// The result of a function of the C library, from that of a system call.
pub(crate) fn answer(result: isize) -> isize {
    if (-4095..0).contains(&result) {
        set_errno(-result as c_int);
        return -1;
    }
    result
}

/// Sets the error number, and returns -1.
pub(crate) fn fail(error: c_int) -> isize {
    set_errno(error);
    -1
}

pub(crate) fn set_errno(error: c_int) {
    // SAFETY: the address is that of the calling thread's error number.
    unsafe { *libc::__errno_location() = error };
}

pub(crate) fn errno() -> c_int {
    // SAFETY: as above.
    unsafe { *libc::__errno_location() }
}

/// The next definition of a function, which is the C library's. The type is that of the function
/// (invariant 1).
macro_rules! next {
    ($name:literal as $type:ty) => {{
        static FOUND: core::sync::atomic::AtomicPtr<core::ffi::c_void> =
            core::sync::atomic::AtomicPtr::new(core::ptr::null_mut());
        $crate::raw::resolve::<$type>(&FOUND, $name)
    }};
}
pub(crate) use next;

pub(crate) fn resolve<F: Copy>(cache: &AtomicPtr<c_void>, name: &CStr) -> F {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    let mut found = cache.load(Relaxed);
    if found.is_null() {
        // SAFETY: the name ends with a zero.
        found = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
        assert!(!found.is_null(), "the C library has no {name:?}");
        cache.store(found, Relaxed);
    }
    // SAFETY: it is a function of that type (invariant 1).
    unsafe { mem::transmute_copy::<*mut c_void, F>(&found) }
}
