//! What the ports have in common about the memory for stacks.

use core::{
    ptr::NonNull,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};
use std::io;

use greenthread_context::StackBounds;

use crate::sys::span::Span;

/// The advice in an error when there is no memory.
pub(crate) const MORE_MEMORY: &str = "run fewer threads at once";

/// The advice in an error when there are no addresses.
pub(crate) const MORE_ADDRESSES: &str =
    "ask for smaller stacks, run fewer threads at once, or raise the limit (ulimit -v)";

/// Whether memory must be committed before it is used. These systems commit it when it is touched.
pub(crate) const COMMITS: bool = false;

/// Bytes at the high end of each stack that the port uses itself.
pub(crate) const RECORD: usize = 0;

/// Bytes of a guard, at least: the page that faults.
#[inline]
pub(crate) fn least_guard() -> usize {
    page_size()
}

/// Makes stacks usable. Here they are.
///
/// # Safety
/// None here: this function touches no memory.
#[inline]
pub(crate) unsafe fn commit(_: &[Span]) -> Result<(), (usize, io::Error)> {
    Ok(())
}

/// Returns the bounds of a stack for the context of a thread that starts at `top`.
///
/// # Safety
/// None here: this function reads no memory.
#[inline]
pub(crate) unsafe fn bounds(stack: Span, top: NonNull<u8>) -> StackBounds {
    // SAFETY: a stack does not begin at 0.
    StackBounds::new(unsafe { NonNull::new_unchecked(stack.start) }, top)
}

/// Records how far a stack has grown, which these systems do not need.
///
/// # Safety
/// None here: this function writes no memory.
#[inline]
pub(crate) unsafe fn leave(_: Span) {}

/// Returns the system's page size in bytes.
#[inline]
pub(crate) fn page_size() -> usize {
    static SIZE: AtomicUsize = AtomicUsize::new(0);

    #[cold]
    fn ask() -> usize {
        // SAFETY: `sysconf` has no precondition.
        let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        let size = usize::try_from(size).ok().filter(|size| size.is_power_of_two()).unwrap_or(4096);
        SIZE.store(size, Relaxed);
        size
    }

    match SIZE.load(Relaxed) {
        0 => ask(),
        size => size,
    }
}
