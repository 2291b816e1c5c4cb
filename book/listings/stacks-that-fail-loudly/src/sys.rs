// ANCHOR: head
//! What we need of the operating system: Linux, through the C library that every program has
//! anyway. The numbers and the shapes are those of its header files.

use std::ffi::{c_int, c_long, c_void};
// ANCHOR_END: head

// ANCHOR: memory
unsafe extern "C" {
    pub(crate) fn mmap(
        address: *mut c_void,
        len: usize,
        protection: c_int,
        flags: c_int,
        file: c_int,
        offset: c_long,
    ) -> *mut c_void;
    pub(crate) fn munmap(address: *mut c_void, len: usize) -> c_int;
    pub(crate) fn mprotect(address: *mut c_void, len: usize, protection: c_int) -> c_int;
    pub(crate) fn madvise(address: *mut c_void, len: usize, advice: c_int) -> c_int;
}

pub(crate) const PAGE: usize = 4096;
pub(crate) const PROT_NONE: c_int = 0;
pub(crate) const PROT_READ_WRITE: c_int = 1 | 2;
/// Ours alone, of no file, not counted before it is used, a stack.
pub(crate) const MAP_FLAGS: c_int = 0x2 | 0x20 | 0x4000 | 0x2_0000;
pub(crate) const MAP_FAILED: usize = usize::MAX;
/// Since Linux 6.13.
pub(crate) const MADV_GUARD_INSTALL: c_int = 102;
// ANCHOR_END: memory

// ANCHOR: signals
unsafe extern "C" {
    pub(crate) fn sigaction(
        signal: c_int,
        new: *const SigAction,
        old: *mut SigAction,
    ) -> c_int;
    pub(crate) fn write(file: c_int, bytes: *const u8, len: usize) -> isize;
    pub(crate) fn abort() -> !;
}

/// `struct sigaction`.
#[repr(C)]
pub(crate) struct SigAction {
    pub(crate) handler: usize,
    /// The signals that wait while the handler runs.
    pub(crate) mask: [u64; 16],
    pub(crate) flags: c_int,
    /// Filled in by the C library.
    pub(crate) restorer: usize,
}

/// The beginning of `siginfo_t`, for a signal that the processor has caused.
#[repr(C)]
pub(crate) struct SigInfo {
    numbers: [c_int; 4],
    pub(crate) address: usize,
}

pub(crate) const SIGSEGV: c_int = 11;
/// The handler gets a `SigInfo`, and runs on the alternate stack.
pub(crate) const SA_SIGINFO_ONSTACK: c_int = 0x4 | 0x800_0000;
// ANCHOR_END: signals
