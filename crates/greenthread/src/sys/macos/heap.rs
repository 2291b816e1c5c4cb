//! The C library's heap, which is the allocator of most programs.

use core::ffi::c_void;

/// Makes the heap return unused memory to the system. Does nothing useful if the program uses
/// another allocator.
pub(crate) fn trim() {
    // The crate `libc` lacks this function of `malloc/malloc.h`.
    unsafe extern "C" {
        fn malloc_zone_pressure_relief(zone: *mut c_void, goal: usize) -> usize;
    }
    // SAFETY: without a zone the call is about all zones, and with the goal 0 it returns as much as
    // it can. Any OS thread may call it at any time.
    unsafe { malloc_zone_pressure_relief(core::ptr::null_mut(), 0) };
}
