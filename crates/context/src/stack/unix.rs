//! The stack of Unix, made by `mmap`.
//!
//! # Invariants
//!
//! - **S1** An `MmapStack` owns one mapping, `base..base + len`, that nothing else refers to.
//!   Moving the value doesn't move the mapping. Only the value's drop unmaps it.
//! - **S2** In the mapping, `base..base + guard` is inaccessible and the rest is readable and
//!   writable. `base`, `guard` and `len` are multiples of the page size, and `guard < len`.

use core::ffi::{c_int, c_long, c_void};
use core::ptr::{self, NonNull};

use super::{Call, NO_MEMORY, Stack, StackError};
use crate::valgrind::{self, StackId};

// The functions and constants of libc that this file needs, declared here so that the crate has
// no dependency. Each number comes from the system's headers.
#[link(name = "c")]
unsafe extern "C" {
    // `off_t` is a long on 64-bit systems and on 32-bit Linux. The offset is always 0.
    fn mmap(
        addr: *mut c_void,
        len: usize,
        prot: c_int,
        flags: c_int,
        fd: c_int,
        offset: c_long,
    ) -> *mut c_void;
    fn mprotect(addr: *mut c_void, len: usize, prot: c_int) -> c_int;
    fn munmap(addr: *mut c_void, len: usize) -> c_int;
    fn sysconf(name: c_int) -> c_long;
    #[cfg_attr(any(target_vendor = "apple", target_os = "freebsd"), link_name = "__error")]
    #[cfg_attr(
        any(target_os = "openbsd", target_os = "netbsd", target_os = "android"),
        link_name = "__errno"
    )]
    fn __errno_location() -> *mut c_int;
}

const PROT_NONE: c_int = 0;
const PROT_READ_WRITE: c_int = 1 | 2;
const MAP_PRIVATE: c_int = 2;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod os {
    pub(super) const MAP_ANON: i32 = 0x20;
    pub(super) const MAP_STACK: i32 = 0x2_0000; // asks for no huge pages
    pub(super) const SC_PAGESIZE: i32 = if cfg!(target_os = "android") { 39 } else { 30 };
}
#[cfg(any(target_vendor = "apple", target_os = "freebsd", target_os = "netbsd"))]
mod os {
    pub(super) const MAP_ANON: i32 = 0x1000;
    pub(super) const MAP_STACK: i32 = 0; // has another meaning on these systems, or none
    pub(super) const SC_PAGESIZE: i32 = if cfg!(target_vendor = "apple") {
        29
    } else if cfg!(target_os = "netbsd") {
        28
    } else {
        47
    };
}
#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "netbsd"
)))]
compile_error!("MmapStack does not know this system: its numbers belong into src/stack/unix.rs");

/// Bytes from which on a stack has a wide guard. C code has no stack probes and may jump over
/// one page, and programs give larger stacks to contexts that run C code. A smaller number
/// costs address space for stacks that need no wide guard; a larger one leaves stacks for C
/// code without it.
const WIDE_FROM: usize = 256 * 1024;
/// Pages of a wide guard. A frame of C code that is larger than this may write past the guard;
/// a wider guard costs address space.
const WIDE: usize = 16;

/// A stack in a mapping of its own, with a guard below it.
///
/// The kernel gives a page memory when it is first touched, so a generous size costs address
/// space only. The guard is one page, and 16 pages for a stack of 256 KiB or more. A stack with
/// its guard takes two memory maps; Linux allows a process 65,530 of them.
///
/// ```
/// use greenthread_context::{MmapStack, Stack};
///
/// let stack = MmapStack::new(100_000)?;
/// assert!(stack.size() >= 100_000);
/// assert_eq!(stack.limit().as_ptr().wrapping_add(stack.size()), stack.top().as_ptr());
/// # Ok::<(), greenthread_context::StackError>(())
/// ```
#[derive(Debug)]
pub struct MmapStack {
    base: NonNull<u8>,
    len: usize,
    guard: u32,
    id: StackId,
}

// SAFETY: S1: the mapping belongs to the value, on whichever OS thread that is.
unsafe impl Send for MmapStack {}
// SAFETY: `&MmapStack` gives only addresses.
unsafe impl Sync for MmapStack {}

impl MmapStack {
    /// The size of the stack that [`Coroutine::new`](crate::Coroutine::new) makes: 256 KiB of
    /// address space. The usual limit of maps on Linux allows some 32,000 stacks of any size;
    /// at this size they take 10 GB of address space.
    ///
    /// ```
    /// # use greenthread_context::MmapStack;
    /// assert_eq!(MmapStack::new(MmapStack::DEFAULT_SIZE)?.size(), MmapStack::DEFAULT_SIZE);
    /// # Ok::<(), greenthread_context::StackError>(())
    /// ```
    pub const DEFAULT_SIZE: usize = 256 * 1024;

    /// Maps a stack of `size` bytes, rounded up to whole pages, and its guard.
    ///
    /// # Errors
    /// If the kernel gives no address space, or no further maps. The message says what helps.
    ///
    /// See [the example](MmapStack).
    pub fn new(size: usize) -> Result<MmapStack, StackError> {
        let fail = |call, errno| StackError { call, size, errno };
        // SAFETY: `sysconf` takes no pointers.
        let page = unsafe { sysconf(os::SC_PAGESIZE) } as usize;
        let guard = if size >= WIDE_FROM { WIDE * page } else { page };
        let len = size
            .max(1)
            .checked_next_multiple_of(page)
            .and_then(|usable| usable.checked_add(guard))
            .filter(|len| isize::try_from(*len).is_ok())
            .ok_or(fail(Call::Map, NO_MEMORY))?;
        let flags = MAP_PRIVATE | os::MAP_ANON | os::MAP_STACK;
        // SAFETY: the kernel chooses the address, so no other mapping changes.
        let base = unsafe { mmap(ptr::null_mut(), len, PROT_NONE, flags, -1, 0) };
        if base.addr() == usize::MAX {
            return Err(fail(Call::Map, errno()));
        }
        let Some(base) = NonNull::new(base.cast::<u8>()) else {
            return Err(fail(Call::Map, NO_MEMORY));
        };
        // SAFETY: both addresses are within the new mapping, or one past it.
        let (limit, top) = unsafe { (base.add(guard), base.add(len)) };
        // SAFETY: this is the part of the new mapping above the guard, which nothing uses yet.
        if unsafe { mprotect(limit.as_ptr().cast(), len - guard, PROT_READ_WRITE) } != 0 {
            let errno = errno();
            // SAFETY: the new mapping, which nothing uses yet.
            unsafe { munmap(base.as_ptr().cast(), len) };
            return Err(fail(Call::Protect, errno));
        }
        let id = valgrind::register(limit.as_ptr(), top.as_ptr());
        Ok(MmapStack { base, len, guard: guard as u32, id })
    }

    /// The bytes between [`limit`](Stack::limit) and [`top`](Stack::top).
    ///
    /// See [the example](MmapStack).
    pub fn size(&self) -> usize {
        self.len - self.guard as usize
    }
}

// SAFETY: by S1 the memory stays where it is and is used through this value only; by S2 it is
// writable, lies above a guard and is aligned to pages.
unsafe impl Stack for MmapStack {
    fn top(&self) -> NonNull<u8> {
        // SAFETY: one past the mapping (S1).
        unsafe { self.base.add(self.len) }
    }

    fn limit(&self) -> NonNull<u8> {
        // SAFETY: inside the mapping, as `guard < len` (S2).
        unsafe { self.base.add(self.guard as usize) }
    }
}

impl Drop for MmapStack {
    fn drop(&mut self) {
        valgrind::deregister(self.id);
        // SAFETY: this is the whole mapping, which the dropped value alone used (S1).
        let result = unsafe { munmap(self.base.as_ptr().cast(), self.len) };
        debug_assert_eq!(result, 0, "munmap of a stack failed");
    }
}

fn errno() -> i32 {
    // SAFETY: the C library returns a valid pointer to the calling thread's error number.
    unsafe { *__errno_location() }
}
