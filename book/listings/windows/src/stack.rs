//! A stack such as Windows makes one.
//!
//! ```text
//!   allocation              limit              base
//!       | addresses only | guard | memory in use |
//!                              <-- grows this way
//! ```

use std::ffi::c_void;
use std::io;
use std::ptr::{null_mut, with_exposed_provenance_mut};

use crate::notes::Notes;

// ANCHOR: system
unsafe extern "system" {
    fn VirtualAlloc(address: *mut c_void, len: usize, how: u32, rights: u32) -> *mut c_void;
    fn VirtualFree(address: *mut c_void, len: usize, how: u32) -> i32;
}

const MEM_COMMIT: u32 = 0x1000;
const MEM_RESERVE: u32 = 0x2000;
const MEM_RELEASE: u32 = 0x8000;
const PAGE_READWRITE: u32 = 0x04;
const PAGE_GUARD: u32 = 0x100;
const PAGE: usize = 4096;
// ANCHOR_END: system

// ANCHOR: stack
/// Addresses for a whole stack, memory for its top, and a guard below that.
#[derive(Debug)]
pub struct Stack(Notes);

impl Stack {
    /// 1 MiB of addresses, 16 KiB of memory.
    ///
    /// # Errors
    /// If the system has none.
    pub fn new() -> io::Result<Self> {
        let (size, used) = (256 * PAGE, 4 * PAGE);
        let allocation = allocate(null_mut(), size, MEM_RESERVE, PAGE_READWRITE)?;
        let base = allocation + size;
        let limit = base - used;
        let stack = Self(Notes { exception_list: 0, base, limit, allocation, guarantee: 0 });
        let at = with_exposed_provenance_mut;
        allocate(at(limit), used, MEM_COMMIT, PAGE_READWRITE)?;
        allocate(at(limit - PAGE), PAGE, MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD)?;
        Ok(stack)
    }

    /// What Windows has to know while it's used for the first time.
    pub fn notes(&self) -> Notes {
        self.0
    }
}

fn allocate(address: *mut c_void, len: usize, how: u32, rights: u32) -> io::Result<usize> {
    // SAFETY: New addresses, or a part of those that `Stack::new` has got.
    let got = unsafe { VirtualAlloc(address, len, how, rights) };
    if got.is_null() { Err(io::Error::last_os_error()) } else { Ok(got.expose_provenance()) }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: They are our addresses, and nobody stands on them.
        unsafe { VirtualFree(with_exposed_provenance_mut(self.0.allocation), 0, MEM_RELEASE) };
    }
}
// ANCHOR_END: stack
