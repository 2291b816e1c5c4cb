//! Memory for stacks.
//!
//! Windows grants memory when it is *committed*, and refuses to commit more than memory and page
//! file hold. A stack that is committed as a whole takes its size of that limit, used or not: a
//! hundred thousand threads would take 28 GB. So a stack here grows as Windows's own stacks do:
//!
//! ```text
//!   top, StackBase      ─ ┌──────────────────┐
//!                         │ record           │ RECORD bytes
//!                         │ committed        │ INITIAL pages at first
//!   StackLimit          ─ ├──────────────────┤
//!                         │ PAGE_GUARD       │ soft_guard() bytes
//!                         ├──────────────────┤
//!                         │ reserved         │
//!   end of the stack    ─ ├──────────────────┤ ┐
//!                         │ room for reports │ │ soft_guard() bytes   the library's guard:
//!   DeallocationStack   ─ │ hard guard       │ │ a page               least_guard() or more
//!                         └──────────────────┘ ┘
//! ```
//!
//! Code that touches the page below `StackLimit` faults. The kernel then makes that page usable,
//! commits a `PAGE_GUARD` page lower down, and sets `StackLimit` in the thread's information block
//! (TEB). Compiled code touches the pages of a large frame one by one (`__chkstk`), beginning at
//! `StackLimit`. When the guard has no room left above `DeallocationStack`, the kernel commits all
//! but the last page and raises `EXCEPTION_STACK_OVERFLOW` on the same stack. So the guard of this
//! library has room for the handlers. The kernel wants the bounds in the TEB; each switch exchanges
//! them (`greenthread_context`).
//!
//! The committed part of a stack only grows while the stack is out, and a later thread on it must
//! know how much is committed: an exception on a frame below `StackLimit` ends the process. The
//! record at the top of the stack has the limit that the last thread has left ([`leave`]). To ask
//! the system (`VirtualQuery`) was rejected: a system call for each thread.
//!
//! Rejected: committed stacks, with a reserved page as the guard. Besides their price, an overflow
//! of such a stack ends the process without a report, as the kernel finds no room for the
//! exception.
//!
//! Invariants:
//! 1. A [`Span`] that is passed to an `unsafe` function here lies page-aligned in memory that came
//!    from [`reserve`] and was not released. Only the caller uses that memory: no other code has a
//!    reference or a live frame in it.
//! 2. A stack that is committed has its highest page, and so its record. The record is 0 or the
//!    lowest address from which on the stack is committed and has no `PAGE_GUARD` page. 0 stands
//!    for `INITIAL` pages.

use core::{
    ffi::c_void,
    mem,
    ptr::{self, NonNull},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};
use std::io;

use greenthread_context::StackBounds;
use windows_sys::Win32::System::{
    Memory::{
        MEM_COMMIT, MEM_DECOMMIT, MEM_RELEASE, MEM_RESERVE, PAGE_GUARD, PAGE_READWRITE, VirtualAlloc,
        VirtualFree, VirtualProtect,
    },
    SystemInformation::{GetSystemInfo, SYSTEM_INFO},
};

use crate::sys::span::Span;

/// The first address above a stack.
fn end(stack: Span) -> *mut u8 {
    stack.start.wrapping_add(stack.len)
}

/// The advice in an error when guards have used up all maps, which does not happen on Windows.
pub(crate) const MORE_MAPS: &str = "run fewer threads at once";
/// The advice when there is no memory.
pub(crate) const MORE_MEMORY: &str =
    "run fewer threads at once, or let the page file be larger (the system commits no more memory)";
/// The advice when there are no addresses.
pub(crate) const MORE_ADDRESSES: &str = "ask for smaller stacks, or run fewer threads at once";

/// Whether memory must be committed before it is used.
pub(crate) const COMMITS: bool = true;

/// Bytes at the high end of each stack that this file uses for the record.
pub(crate) const RECORD: usize = 128;

/// Pages of a stack that are committed at first. With fewer, most threads fault more than once.
/// More take commit charge and, once touched, memory from each thread.
const INITIAL: usize = 2;

/// Bytes that the system leaves to the handlers of a stack overflow: `GuaranteedStackBytes`. The
/// system itself puts some 5 KiB there, or more on processors with wide registers. With fewer bytes
/// a handler that other code has installed may overflow; more take commit charge from each thread.
pub(super) const GUARANTEED: usize = 16 << 10;

/// Bytes of the guard that moves: what is guaranteed, and two pages as on 64-bit Windows.
fn soft_guard() -> usize {
    GUARANTEED.next_multiple_of(page_size()) + 2 * page_size()
}

/// Bytes of a guard, at least: room for the handlers of an overflow, and a page that always faults.
#[inline]
pub(crate) fn least_guard() -> usize {
    soft_guard() + page_size()
}

/// Returns the system's page size in bytes.
#[inline]
pub(crate) fn page_size() -> usize {
    static SIZE: AtomicUsize = AtomicUsize::new(0);

    #[cold]
    fn ask() -> usize {
        // SAFETY: zero is a valid `SYSTEM_INFO`, and the call writes one.
        let size = unsafe {
            let mut info: SYSTEM_INFO = mem::zeroed();
            GetSystemInfo(&mut info);
            info.dwPageSize as usize
        };
        let size = if size.is_power_of_two() { size } else { 4096 };
        SIZE.store(size, Relaxed);
        size
    }

    match SIZE.load(Relaxed) {
        0 => ask(),
        size => size,
    }
}

/// Reserves `len` bytes of address space, and commits the first `head` bytes of it.
pub(crate) fn reserve(len: usize, head: usize) -> io::Result<NonNull<u8>> {
    // SAFETY: a new reservation at an address that the system chooses does not affect existing
    // memory.
    let start = unsafe { VirtualAlloc(ptr::null(), len, MEM_RESERVE, PAGE_READWRITE) };
    let Some(start) = NonNull::new(start) else { return Err(io::Error::last_os_error()) };
    // SAFETY: the reservation was just made (invariant 1).
    if head > 0 && unsafe { VirtualAlloc(start.as_ptr(), head, MEM_COMMIT, PAGE_READWRITE) }.is_null() {
        let error = io::Error::last_os_error();
        // SAFETY: as above.
        unsafe { VirtualFree(start.as_ptr(), 0, MEM_RELEASE) };
        return Err(error);
    }
    Ok(start.cast())
}

/// Returns a whole reservation to the system.
///
/// # Safety
/// `span` is the whole result of one call of [`reserve`], and invariant 1 holds for all of it.
pub(crate) unsafe fn release(span: Span, _guards: usize) -> io::Result<()> {
    // SAFETY: no other code uses these addresses (invariant 1).
    if unsafe { VirtualFree(span.start.cast(), 0, MEM_RELEASE) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Makes every access to `spans` fault. They do already: [`commit`] commits no guard.
///
/// # Safety
/// Invariant 1 holds for each span.
pub(crate) unsafe fn guard(_: &[Span]) -> Result<(), (usize, io::Error)> {
    Ok(())
}

/// Makes stacks usable: commits the highest pages of each, and the guard below them that grows the
/// stack. On failure, the error comes with the number of stacks that are usable, counted from the
/// first.
///
/// # Safety
/// Invariant 1 holds for each stack. None of their memory is committed.
pub(crate) unsafe fn commit(stacks: &[Span]) -> Result<(), (usize, io::Error)> {
    let (top, guard) = (INITIAL * page_size(), soft_guard());
    for (i, stack) in stacks.iter().enumerate() {
        let limit: *mut c_void = end(*stack).wrapping_sub(top).cast();
        // A new page reads as zero, so the record is 0 (invariant 2).
        // SAFETY: only the caller uses the stack, and the guard below it has room for the rest of
        // the soft guard if the stack is small (invariant 1).
        let committed = unsafe {
            !VirtualAlloc(limit, top, MEM_COMMIT, PAGE_READWRITE).is_null()
                && !VirtualAlloc(
                    limit.wrapping_byte_sub(guard),
                    guard,
                    MEM_COMMIT,
                    PAGE_READWRITE | PAGE_GUARD,
                )
                .is_null()
        };
        if !committed {
            let error = io::Error::last_os_error();
            // SAFETY: as above; nothing was written there yet.
            unsafe { decommit(&[*stack]) };
            return Err((i, error));
        }
    }
    Ok(())
}

/// Returns the memory of `spans` to the system. Each is a stack, or several neighbours with the
/// guards between them. The stacks must be committed again before they are used.
///
/// # Safety
/// Invariant 1 holds for each span.
pub(crate) unsafe fn decommit(spans: &[Span]) {
    for span in spans {
        // The system has committed a part of the guard below if the lowest stack was used up.
        let guard = soft_guard();
        let start = span.start.wrapping_sub(guard);
        // SAFETY: only the caller uses the spans and the guards below them (invariant 1), so their
        // bytes may be lost.
        unsafe { VirtualFree(start.cast(), span.len + guard, MEM_DECOMMIT) };
    }
}

/// Returns the memory of stacks to the system, except for the highest `kept` bytes of each. A stack
/// that has grown by little beyond that stays as it is, as its guard takes as much.
///
/// # Safety
/// Invariant 1 holds for each stack, and each is committed.
pub(crate) unsafe fn shrink(stacks: &mut [Span], kept: usize) {
    let kept = kept.max(INITIAL * page_size()).next_multiple_of(page_size());
    let guard = soft_guard();
    for &mut stack in stacks {
        let limit = end(stack).wrapping_sub(kept);
        // SAFETY: the stack is committed, and only the caller uses it (invariants 1 and 2).
        let record = unsafe { &mut *record(stack) };
        if *record == 0 || *record >= limit.addr() - guard || stack.len <= kept + guard {
            continue;
        }
        let mut old = 0;
        let soft: *mut c_void = limit.wrapping_sub(guard).cast();
        // SAFETY: all of it is committed (invariant 2), and only the caller uses it (invariant 1).
        // Pages that are committed already take no commit charge, so this does not fail for lack of
        // it.
        if unsafe { VirtualProtect(soft, guard, PAGE_READWRITE | PAGE_GUARD, &mut old) } != 0 {
            *record = limit.addr();
            let rest = Span { start: stack.start, len: soft.addr() - stack.start.addr() };
            // SAFETY: only the caller uses these bytes (invariant 1).
            unsafe { decommit(&[rest]) };
        }
    }
}

/// Returns the bounds of a stack for the context of a thread that starts at `top`.
///
/// # Safety
/// Invariant 1 holds for the stack, and it is committed.
#[inline]
pub(crate) unsafe fn bounds(stack: Span, top: NonNull<u8>) -> StackBounds {
    // SAFETY: the stack is committed, and only the caller uses it (invariants 1 and 2).
    let committed = match unsafe { *record(stack) } {
        0 => end(stack).addr() - INITIAL * page_size(),
        limit => limit,
    };
    let at = |address: usize| {
        // SAFETY: both addresses are far from 0.
        unsafe { NonNull::new_unchecked(stack.start.with_addr(address)) }
    };
    StackBounds::new(at(stack.start.addr() - least_guard()), top)
        .committed_from(at(committed))
        .guarantee(GUARANTEED)
}

/// Records how far the stack has grown. The thread that runs on it calls this at its end.
///
/// # Safety
/// The calling thread runs on this stack, and it will not resume another thread on it.
#[inline]
pub(crate) unsafe fn leave(stack: Span) {
    // SAFETY: nothing else uses the record, which lies above the thread's first frame.
    unsafe { record(stack).write(stack_limit()) };
}

/// The record of a stack (invariant 2).
fn record(stack: Span) -> *mut usize {
    end(stack).cast::<usize>().wrapping_sub(2)
}

/// Returns `StackLimit` of the calling OS thread's information block.
#[inline]
pub(super) fn stack_limit() -> usize {
    let limit: usize;
    // SAFETY: each of these reads the field at this offset of the block to which the register
    // points, which exists as long as the OS thread.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        core::arch::asm!("mov {}, gs:[0x10]", out(reg) limit, options(nostack, preserves_flags, readonly));
        #[cfg(target_arch = "x86")]
        core::arch::asm!("mov {}, fs:[0x08]", out(reg) limit, options(nostack, preserves_flags, readonly));
        #[cfg(target_arch = "aarch64")]
        core::arch::asm!("ldr {}, [x18, #0x10]", out(reg) limit, options(nostack, preserves_flags, readonly));
    }
    limit
}

/// Returns how many bytes of address space the process may have. Windows sets no limit of its own.
pub(crate) fn address_limit() -> Option<usize> {
    None
}

/// Returns how many bytes of address space the process uses, which matters only under a limit.
pub(crate) fn addresses_used() -> Option<usize> {
    None
}

/// Returns whether guards take maps. Windows has no such limit.
pub(crate) fn guards_take_maps() -> bool {
    false
}

/// Returns how many guards that take maps are possible.
pub(crate) fn map_limit() -> Option<usize> {
    None
}

/// Returns the number of guards that take maps.
pub(crate) fn guards_with_maps() -> usize {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_comes_back_as_it_was_when_it_was_new() {
        let size = 64 * page_size();
        let len = size + least_guard();
        let base = reserve(len, 0).unwrap().as_ptr();
        let stack = Span { start: base.wrapping_add(least_guard()), len: size };
        let top = NonNull::new(end(stack).wrapping_sub(RECORD)).unwrap();
        // SAFETY: the reservation belongs to this test (invariant 1). It touches the top page only.
        unsafe {
            commit(&[stack]).unwrap();
            let new = bounds(stack, top);
            top.as_ptr().wrapping_sub(1).write(1);
            // As if a thread had grown it to its end.
            let all = stack.start.wrapping_sub(least_guard() - page_size());
            assert!(!VirtualAlloc(all.cast(), size, MEM_COMMIT, PAGE_READWRITE).is_null());
            *record(stack) = all.addr();
            assert_ne!(bounds(stack, top), new);
            shrink(&mut [stack], INITIAL * page_size());
            assert_eq!(bounds(stack, top), new);
            assert_eq!(top.as_ptr().wrapping_sub(1).read(), 1);
            decommit(&[stack]);
            commit(&[stack]).unwrap();
            assert_eq!(bounds(stack, top), new);
            assert_eq!(top.as_ptr().wrapping_sub(1).read(), 0);
            release(Span { start: base, len }, 0).unwrap();
        }
    }

    #[test]
    fn a_reservation_of_everything_is_an_error() {
        assert!(reserve((usize::MAX / 2).next_multiple_of(page_size()), 0).is_err());
    }
}
