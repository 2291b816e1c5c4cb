//! Memory for stacks.
//!
//! A guard is made by `mprotect(PROT_NONE)`. It splits the kernel's entry for the mapping, and the
//! kernel sets no limit on the number of entries of a process.
//!
//! Pages have 16 KiB on Apple silicon and 4 KiB on Intel. A program for Intel that runs on Apple
//! silicon sees 4 KiB.
//!
//! Invariants:
//! 1. A [`Span`] that is passed to an `unsafe` function here lies page-aligned in memory that came
//!    from [`reserve`] and was not released. Only the caller uses that memory: no other code has a
//!    reference or a live frame in it.

use core::{
    ffi::{c_int, c_void},
    mem,
    ptr::{self, NonNull},
};
use std::io;

pub(crate) use super::super::unix::memory::{
    COMMITS, MORE_ADDRESSES, MORE_MEMORY, RECORD, bounds, commit, least_guard, leave, page_size,
};
use crate::sys::span::Span;

/// The advice in an error when guards have used up a resource. They use none up.
pub(crate) const MORE_MAPS: &str = "run fewer threads at once";

const FLAGS: c_int = libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_NORESERVE;

/// Reserves `len` bytes of zeroed, private, readable and writable address space.
pub(crate) fn reserve(len: usize, _: usize) -> io::Result<NonNull<u8>> {
    // SAFETY: a new mapping at an address that the kernel chooses does not affect existing memory.
    let start = unsafe { libc::mmap(ptr::null_mut(), len, libc::PROT_READ | libc::PROT_WRITE, FLAGS, -1, 0) };
    if start == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(start.cast()).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
}

/// Returns a whole reservation to the system.
///
/// # Safety
/// `span` is the whole result of one call of [`reserve`], and invariant 1 holds for all of it.
pub(crate) unsafe fn release(span: Span, _guards: usize) -> io::Result<()> {
    // SAFETY: no other code uses these addresses (invariant 1).
    if unsafe { libc::munmap(span.start.cast(), span.len) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Returns the memory of `spans` to the system. Guards within them stay, and other bytes read as
/// zero.
///
/// Each part between guards is mapped anew. The kinds of `madvise` were rejected: `MADV_DONTNEED`
/// keeps the contents, `MADV_FREE` and `MADV_FREE_REUSABLE` may keep them and read as before, and
/// `MADV_ZERO` is new and keeps the memory. The last two also refuse a range with a guard in it
/// (`osfmk/vm/vm_map.c`).
///
/// # Safety
/// Invariant 1 holds for each span.
pub(crate) unsafe fn decommit(spans: &[Span]) {
    for span in spans {
        let mut rest = *span;
        while rest.len > 0 {
            let (len, is_writable) = part(rest);
            if is_writable {
                // SAFETY: the part is within the span, and it is no guard. Invariant 1 holds for
                // it.
                unsafe { zero(Span { start: rest.start, len }) };
            }
            rest = Span { start: rest.start.wrapping_add(len), len: rest.len - len };
        }
    }
}

/// Returns the length of the first part of a span that has one protection, and whether it can be
/// written to. If the kernel does not tell, the whole span counts as guarded: its memory then stays
/// as it is, which is safe because nothing above this module reads an unused stack.
fn part(span: Span) -> (usize, bool) {
    let (mut start, mut len) = (span.start.addr() as u64, 0);
    let mut info = RegionInfo { protection: 0, rest: [0; 8] };
    let mut count = (mem::size_of::<RegionInfo>() / mem::size_of::<c_int>()) as u32;
    let mut object = 0;
    // SAFETY: the call writes only to the variables whose addresses it gets, and `count` says how
    // large `info` is. `mach_task_self_` is set before `main` and never changes.
    let result = unsafe {
        mach_vm_region(
            mach_task_self_,
            &raw mut start,
            &raw mut len,
            VM_REGION_BASIC_INFO_64,
            (&raw mut info).cast(),
            &raw mut count,
            &raw mut object,
        )
    };
    // The kernel returns the region that contains the address, or the next one. It may begin before
    // the span, and end behind it.
    let end = start.saturating_add(len);
    let here = span.start.addr() as u64;
    if result != 0 || start > here || end <= here {
        return (span.len, false);
    }
    let len = usize::try_from(end - here).unwrap_or(usize::MAX).min(span.len);
    (len, info.protection & libc::PROT_WRITE != 0)
}

/// Replaces the memory of a span by fresh memory, or at least by zeros.
///
/// # Safety
/// Invariant 1 holds for the span, and it has no guard.
unsafe fn zero(span: Span) {
    let flags = FLAGS | libc::MAP_FIXED;
    // SAFETY: only the caller uses these addresses (invariant 1). The kernel replaces a mapping in
    // one step, so that no other mapping can come in between.
    let start =
        unsafe { libc::mmap(span.start.cast(), span.len, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        // The old mapping is still there (`vm_map_enter` puts it back), or the write faults.
        // SAFETY: the span can be written to, and only the caller uses it (invariant 1).
        unsafe { span.start.write_bytes(0, span.len) };
    }
}

/// `struct vm_region_basic_info_64` of `mach/vm_region.h`. Only its first field is of interest.
#[repr(C)]
struct RegionInfo {
    protection: c_int,
    rest: [c_int; 8],
}

const VM_REGION_BASIC_INFO_64: c_int = 9;

// The crate `libc` lacks the function (`mach/mach_vm.h`).
unsafe extern "C" {
    static mach_task_self_: u32;

    fn mach_vm_region(
        task: u32,
        address: *mut u64,
        size: *mut u64,
        flavor: c_int,
        info: *mut c_void,
        count: *mut u32,
        object: *mut u32,
    ) -> c_int;
}

/// Returns the memory of stacks to the system, except for the highest `kept` bytes of each. It uses
/// `stacks` as a buffer.
///
/// # Safety
/// Invariant 1 holds for each stack.
pub(crate) unsafe fn shrink(stacks: &mut [Span], kept: usize) {
    let kept = kept.next_multiple_of(page_size());
    stacks.iter_mut().for_each(|span| span.len = span.len.saturating_sub(kept));
    // SAFETY: invariant 1 holds for each span, which the caller of this function vouches for.
    unsafe { decommit(stacks) };
}

/// Makes every access to `spans` fault, permanently. On failure, the error comes with the number of
/// spans that were guarded, counted from the first.
///
/// # Safety
/// Invariant 1 holds for each span.
pub(crate) unsafe fn guard(spans: &[Span]) -> Result<(), (usize, io::Error)> {
    for (done, span) in spans.iter().enumerate() {
        // SAFETY: only the caller uses the span, and no live frame is in it (invariant 1).
        if unsafe { libc::mprotect(span.start.cast(), span.len, libc::PROT_NONE) } != 0 {
            return Err((done, io::Error::last_os_error()));
        }
    }
    Ok(())
}

/// Returns how many bytes of address space the process may have, if there is a limit.
pub(crate) fn address_limit() -> Option<usize> {
    super::super::unix::limit::get(rustix::process::Resource::As)
        .current
        .and_then(|limit| limit.try_into().ok())
}

/// Returns how many bytes of address space the process uses, if the system tells. Most of it is the
/// system's own: the shared libraries of all processes take gigabytes.
pub(crate) fn addresses_used() -> Option<usize> {
    let mut info = mem::MaybeUninit::<libc::proc_taskinfo>::uninit();
    let len = mem::size_of_val(&info) as c_int;
    // SAFETY: the call writes at most `len` bytes to `info`.
    let written = unsafe {
        libc::proc_pidinfo(libc::getpid(), libc::PROC_PIDTASKINFO, 0, info.as_mut_ptr().cast(), len)
    };
    if written != len {
        return None;
    }
    // SAFETY: the call has written all of it.
    unsafe { info.assume_init() }.pti_virtual_size.try_into().ok()
}

/// Returns `false`: the kernel has no limit on the number of a process's mappings.
#[inline]
pub(crate) fn guards_take_maps() -> bool {
    false
}

/// Returns `None`: see [`guards_take_maps`].
pub(crate) fn map_limit() -> Option<usize> {
    None
}

/// Returns 0: see [`guards_take_maps`].
pub(crate) fn guards_with_maps() -> usize {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decommitted_memory_reads_as_zero_and_guards_stay() {
        let page = page_size();
        let base = reserve(8 * page, 8 * page).unwrap().as_ptr();
        let span =
            |from: usize, pages: usize| Span { start: base.wrapping_add(from * page), len: pages * page };
        // SAFETY: the reservation belongs to this test (invariant 1), and only unguarded pages are
        // touched.
        unsafe {
            guard(&[span(0, 1), span(4, 1)]).unwrap();
            for i in [1, 3, 5, 7] {
                base.add(i * page).write(1);
            }
            decommit(&[span(1, 7)]);
            for i in [1, 3, 5, 7] {
                assert_eq!(base.add(i * page).read(), 0);
            }
            assert!(!part(span(4, 1)).1);
            release(span(0, 8), 2).unwrap();
        }
    }

    #[test]
    fn a_reservation_of_everything_is_an_error() {
        assert!(reserve(usize::MAX - (page_size() - 1), 0).is_err());
    }
}
