//! The stack of Windows, made by `VirtualAlloc`.
//!
//! # Invariants
//!
//! - **S1** An `MmapStack` owns one reservation, `base..base + len`, that nothing else refers to.
//!   Moving the value doesn't move the reservation. Only the value's drop releases it.
//! - **S2** In the reservation, `base..base + guard` is inaccessible and the rest is committed,
//!   readable and writable. `base`, `guard` and `len` are multiples of the page size, and
//!   `guard < len`.

use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};

use super::{Call, NO_MEMORY, Stack, StackError};
use crate::valgrind::{self, StackId};

// The functions, constants and types of Windows that this file needs, declared here so that the
// crate has no dependency. Each number comes from the system's headers.
#[link(name = "kernel32")]
unsafe extern "system" {
    fn VirtualAlloc(address: *mut c_void, size: usize, kind: u32, protection: u32) -> *mut c_void;
    fn VirtualFree(address: *mut c_void, size: usize, kind: u32) -> i32;
    fn GetSystemInfo(info: *mut SystemInfo);
    fn GetLastError() -> u32;
}

/// SYSTEM_INFO, of which this file needs the second field. The others take 40 or 28 bytes.
#[repr(C)]
struct SystemInfo {
    architecture: u32,
    page_size: u32,
    others: [usize; 7],
}

const MEM_COMMIT: u32 = 0x1000;
const MEM_RESERVE: u32 = 0x2000;
const MEM_RELEASE: u32 = 0x8000;
const PAGE_NOACCESS: u32 = 1;
const PAGE_READWRITE: u32 = 4;

/// Bytes from which on a stack has a wide guard. C code has no stack probes and may jump over
/// one page, and programs give larger stacks to contexts that run C code. A smaller number
/// costs address space for stacks that need no wide guard; a larger one leaves stacks for C
/// code without it.
const WIDE_FROM: usize = 256 * 1024;
/// Pages of a wide guard. A frame of C code that is larger than this may write past the guard;
/// a wider guard costs address space.
const WIDE: usize = 16;

/// A stack in a reservation of its own, with a guard below it.
///
/// All of it is committed: the system promises memory for each page from the start, and gives it
/// when the page is first touched. So a generous size costs address space and a part of the limit
/// on committed memory. The guard is one page, and 16 pages for a stack of 256 KiB or more; it is
/// only reserved. Code that runs into it has an access violation.
///
/// Windows reserves addresses in steps of 64 KiB, so a stack with its guard takes a multiple of
/// that.
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

// SAFETY: S1: the reservation belongs to the value, on whichever OS thread that is.
unsafe impl Send for MmapStack {}
// SAFETY: `&MmapStack` gives only addresses.
unsafe impl Sync for MmapStack {}

impl MmapStack {
    /// The size of the stack that [`Coroutine::new`](crate::Coroutine::new) makes: 256 KiB.
    ///
    /// ```
    /// # use greenthread_context::MmapStack;
    /// assert_eq!(MmapStack::new(MmapStack::DEFAULT_SIZE)?.size(), MmapStack::DEFAULT_SIZE);
    /// # Ok::<(), greenthread_context::StackError>(())
    /// ```
    pub const DEFAULT_SIZE: usize = 256 * 1024;

    /// Makes a stack of `size` bytes, rounded up to whole pages, and its guard.
    ///
    /// # Errors
    /// If the system gives no address space, or promises no further memory. The message says
    /// what helps.
    ///
    /// See [the example](MmapStack).
    pub fn new(size: usize) -> Result<MmapStack, StackError> {
        let fail = |call, errno| StackError { call, size, errno };
        let page = page_size();
        let guard = if size >= WIDE_FROM { WIDE * page } else { page };
        let len = size
            .max(1)
            .checked_next_multiple_of(page)
            .and_then(|usable| usable.checked_add(guard))
            .filter(|len| isize::try_from(*len).is_ok())
            .ok_or(fail(Call::Map, NO_MEMORY))?;
        // SAFETY: the system chooses the address, so no other reservation changes.
        let base = unsafe { VirtualAlloc(ptr::null_mut(), len, MEM_RESERVE, PAGE_NOACCESS) };
        let Some(base) = NonNull::new(base.cast::<u8>()) else {
            return Err(fail(Call::Map, last_error()));
        };
        // SAFETY: both addresses are within the new reservation, or one past it.
        let (limit, top) = unsafe { (base.add(guard), base.add(len)) };
        // SAFETY: this is the part of the new reservation above the guard, which nothing uses yet.
        let committed =
            unsafe { VirtualAlloc(limit.as_ptr().cast(), len - guard, MEM_COMMIT, PAGE_READWRITE) };
        if committed.is_null() {
            let error = last_error();
            // SAFETY: the new reservation, which nothing uses yet.
            unsafe { VirtualFree(base.as_ptr().cast(), 0, MEM_RELEASE) };
            return Err(fail(Call::Protect, error));
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
        // SAFETY: one past the reservation (S1).
        unsafe { self.base.add(self.len) }
    }

    fn limit(&self) -> NonNull<u8> {
        // SAFETY: inside the reservation, as `guard < len` (S2).
        unsafe { self.base.add(self.guard as usize) }
    }
}

impl Drop for MmapStack {
    fn drop(&mut self) {
        valgrind::deregister(self.id);
        // SAFETY: this is the whole reservation, which the dropped value alone used (S1).
        let result = unsafe { VirtualFree(self.base.as_ptr().cast(), 0, MEM_RELEASE) };
        debug_assert_ne!(result, 0, "VirtualFree of a stack failed");
    }
}

fn page_size() -> usize {
    let mut info = MaybeUninit::<SystemInfo>::uninit();
    // SAFETY: the system writes the whole structure, which is no larger, and cannot fail.
    unsafe {
        GetSystemInfo(info.as_mut_ptr());
        (*info.as_ptr()).page_size as usize
    }
}

fn last_error() -> i32 {
    // SAFETY: the function only reads the calling thread's error number.
    unsafe { GetLastError() as i32 }
}
