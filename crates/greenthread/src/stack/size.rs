//! How big a stack is, and its guard.

use core::ptr::NonNull;
use std::io;

use crate::sys::memory::page_size;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// What a thread gets that asks for nothing. Frames without optimisation are fat.
pub(crate) const DEFAULT_SIZE: usize = if cfg!(debug_assertions) { MIB } else { 256 * KIB };

/// The stack of the thread that `run` starts: as much as a main thread has.
pub(crate) const ROOT_SIZE: usize = 8 * MIB;

/// Room for a panic that prints a backtrace, which was seen to take 22 KiB.
pub(crate) const MIN_SIZE: usize = if cfg!(debug_assertions) { 64 * KIB } else { 32 * KIB };

/// A quarter of the address space, or of what the usual 64-bit machine can address.
const MAX_SIZE: usize = if usize::BITS == 64 { 1 << 45 } else { 1 << 30 };

/// C code without stack probes can jump over a single page, and the big stacks are those that run C code.
const BIG: usize = 256 * KIB;
const BIG_GUARD: usize = 64 * KIB;

/// What a request for so many bytes comes to: whole pages, and at least [`MIN_SIZE`].
pub(crate) fn usable_size(requested: usize) -> io::Result<usize> {
    if requested == 0 {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a stack of 0 bytes can't run anything; leave the size out for the default",
        ));
    }
    if requested > MAX_SIZE {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("a stack of {requested} bytes is more than the address space has room for; ask for less"),
        ));
    }
    Ok(requested.max(MIN_SIZE).next_multiple_of(page_size()))
}

/// The size of the guard below a stack of `size` usable bytes.
///
/// It is rounded up so that stack and guard together are an odd number of pages. With an even number the tops
/// of many stacks, which are what a switch touches, would share few sets of the second-level cache.
#[inline]
pub(super) fn guard_size(size: usize) -> usize {
    let page = page_size();
    let guard = if size >= BIG { BIG_GUARD.next_multiple_of(page) } else { page };
    if ((size + guard) / page).is_multiple_of(2) { guard + page } else { guard }
}

/// How many bytes of address space a stack of `size` usable bytes takes.
pub(crate) fn stride(size: usize) -> usize {
    size + guard_size(size)
}

/// By how many bytes the top of the stack with this limit is moved down.
///
/// Bytes at the same place in different pages compete for the same few lines of the first-level cache, so
/// that switching among 16 threads or more would miss it each time. Neighbours have different colours, since
/// they are an odd number of pages apart.
#[inline]
pub(super) fn colour(limit: NonNull<u8>) -> usize {
    const COLOURS: usize = 8;
    const STEP: usize = 128;
    // A page is a power of two, and no division.
    ((limit.addr().get() >> page_size().trailing_zeros()) % COLOURS) * STEP
}

/// What larger stacks have beyond what was promised, so that a chain of joiners can run their children on the same one
/// (`scheduler::inline_join`). Only address space, until it is used.
const SPARE: usize = 32 << 10;
const LARGER: usize = 256 << 10;

/// How much stack a thread gets that was promised so much.
#[inline]
pub(crate) fn with_spare(size: usize) -> usize {
    if size >= LARGER { size + SPARE } else { size }
}
