//! The sizes of stacks and of their guards.

use core::ptr::NonNull;
use std::io;

use crate::sys::memory::{least_guard, page_size};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Usable bytes of a stack for which no size is given. Without optimisation frames are several
/// times as large. A smaller stack overflows sooner; a larger one costs address space. Of that a
/// 32-bit process has little: with these sizes for 6,000 threads, or 20,000 with optimisation. Its
/// frames are smaller too.
pub(crate) const DEFAULT_SIZE: usize = match (usize::BITS == 64, cfg!(debug_assertions)) {
    (true, true) => MIB,
    (false, true) => 512 * KIB,
    (true, false) => 256 * KIB,
    (false, false) => 128 * KIB,
};

/// Usable bytes of the stack of the thread that `run` starts: as many as a main thread has on
/// Linux.
pub(crate) const ROOT_SIZE: usize = 8 * MIB;

/// Usable bytes of the smallest stack. A panic that prints a backtrace was measured to take 22 KiB
/// with optimisation, and on a smaller stack it could overflow.
pub(crate) const MIN_SIZE: usize = if cfg!(debug_assertions) { 64 * KIB } else { 32 * KIB };

/// Usable bytes of the largest stack: a quarter of the address space, or of the 47 bits that
/// processes have on usual 64-bit machines. Larger requests are mistakes.
const MAX_SIZE: usize = if usize::BITS == 64 { 1 << 45 } else { 1 << 30 };

/// Usable bytes from which on a stack has a guard of `BIG_GUARD` instead of one page. C code
/// without stack probes can jump over a single page, and programs give large stacks to threads that
/// run C code.
const BIG: usize = 256 * KIB;
/// Bytes of such a guard. A frame of C code that is larger than this may write past the guard; a
/// larger guard costs address space.
const BIG_GUARD: usize = 64 * KIB;

/// The usable bytes for a request: whole pages, and at least [`MIN_SIZE`].
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
/// The guard is rounded up so that stack and guard together are an odd number of pages. A switch
/// touches the tops of stacks. With an even number of pages the tops of many stacks would share few
/// sets of the second-level cache.
#[inline]
pub(super) fn guard_size(size: usize) -> usize {
    let page = page_size();
    let least = least_guard();
    let guard = if size >= BIG { BIG_GUARD.next_multiple_of(page).max(least) } else { least };
    if ((size + guard) / page).is_multiple_of(2) { guard + page } else { guard }
}

/// The bytes of address space that a stack of `size` usable bytes takes, with its guard.
pub(crate) fn stride(size: usize) -> usize {
    size + guard_size(size)
}

/// The cache colour of the stack with this limit: the bytes by which its top is moved down.
///
/// Bytes at the same offset in different pages share one set of the first-level cache. If all tops
/// had the same offset, switches among 16 threads or more would miss that cache each time.
/// Neighbours have different colours, as they are an odd number of pages apart.
#[inline]
pub(super) fn colour(limit: NonNull<u8>) -> usize {
    /// The number of colours. With fewer, fewer tops fit into the cache; more would waste more of a
    /// page.
    const COLOURS: usize = 8;
    /// Bytes from one colour to the next: two cache lines, which is what a switch touches of a
    /// stack.
    const STEP: usize = 128;
    // The page size is a power of two, so a shift divides by it.
    ((limit.addr().get() >> page_size().trailing_zeros()) % COLOURS) * STEP
}

/// Bytes that a stack of at least `SPARE_FROM` bytes has beyond its promised size. On them a chain
/// of joiners can run their children on one stack (`scheduler::inline_join`). They cost only
/// address space until they are used. With fewer, fewer joins run inline. They are whole pages,
/// which have up to 64 KiB on machines other than x86. A constant spares each spawn the question.
const SPARE: usize = if cfg!(any(target_arch = "x86_64", target_arch = "x86")) { 32 << 10 } else { 64 << 10 };
/// Usable bytes from which on a stack has spare ones. For a smaller stack they would be a large
/// part of its address space.
const SPARE_FROM: usize = 256 << 10;

/// The usable bytes of the stack of a thread to which `size` bytes were promised.
#[inline]
pub(crate) fn with_spare(size: usize) -> usize {
    if size >= SPARE_FROM { size + SPARE } else { size }
}
