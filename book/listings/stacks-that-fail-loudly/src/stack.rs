// ANCHOR: head
//! Stacks with a guard, from an arena.
//!
//! ```text
//!   region:  | guard | stack | guard | stack | guard | stack | ...
//!                      <-- a stack grows this way
//! ```
//!
//! What the safety of this room rests on:
//!
//! 1. A `Stack` is the only one with its addresses, and nobody else touches its memory.
//! 2. The `GUARD` bytes below `Stack::limit` can't be touched, as long as they are mapped.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::{io, ptr};

use crate::overflow;
use crate::sys::{
    MADV_GUARD_INSTALL, MAP_FAILED, MAP_FLAGS, PAGE, PROT_NONE, PROT_READ_WRITE, madvise,
    mmap, mprotect, munmap,
};
// ANCHOR_END: head

// ANCHOR: stack
/// How much below each stack is kept free of anything: sixteen pages.
pub const GUARD: usize = 16 * PAGE;

/// A stack: the `size` bytes from `limit` on.
#[derive(Debug)]
pub struct Stack {
    limit: *mut u8,
    size: usize,
}

// SAFETY: Invariant 1. Memory is the same for all OS threads.
unsafe impl Send for Stack {}

impl Stack {
    /// What a thread gets that asks for nothing.
    pub const DEFAULT_SIZE: usize = 256 * 1024;

    /// Its bytes. They begin and end at a multiple of the page size.
    pub fn memory(&self) -> Range<*mut u8> {
        self.limit..self.limit.wrapping_add(self.size)
    }

    /// The addresses below it: who touches one of them has overflowed this stack.
    pub fn guard(&self) -> Range<usize> {
        self.limit.addr() - GUARD..self.limit.addr()
    }
}
// ANCHOR_END: stack

// ANCHOR: map
/// Takes address space for `count` stacks, and guards them.
fn map(size: usize, count: usize) -> io::Result<Vec<Stack>> {
    let stride = GUARD + size;
    let len = stride.checked_mul(count).ok_or(io::ErrorKind::OutOfMemory)?;
    // SAFETY: New memory, where the kernel finds room.
    let base = unsafe { mmap(ptr::null_mut(), len, PROT_READ_WRITE, MAP_FLAGS, -1, 0) };
    if base.addr() == MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    let guards = (0..count).map(|i| base.cast::<u8>().wrapping_add(i * stride));
    for guard in guards.clone() {
        // SAFETY: Only we know these addresses.
        if let Err(error) = unsafe { protect(guard) } {
            // SAFETY: As above. The region goes back as a whole.
            unsafe { munmap(base, len) };
            return Err(error);
        }
    }
    Ok(guards.map(|guard| Stack { limit: guard.wrapping_add(GUARD), size }).collect())
}

/// Makes a guard: a marker in the page table or, on older kernels, memory with other rights
/// than its neighbours.
///
/// # Safety
/// From `guard` on, `GUARD` bytes are the caller's.
unsafe fn protect(guard: *mut u8) -> io::Result<()> {
    // SAFETY: The caller's memory, and nothing is in it.
    let done = unsafe {
        madvise(guard.cast(), GUARD, MADV_GUARD_INSTALL) == 0
            || mprotect(guard.cast(), GUARD, PROT_NONE) == 0
    };
    if done { Ok(()) } else { Err(io::Error::last_os_error()) }
}
// ANCHOR_END: map

// ANCHOR: arena
/// Stacks that nobody has now, all of the usual size.
static IDLE: Mutex<Vec<Stack>> = Mutex::new(Vec::new());

/// How many stacks are mapped at once.
const REGION: usize = 64;

impl Stack {
    /// Gives a stack of `size` bytes, rounded up to whole pages: one of the arena's if that is
    /// the usual size, else a new one.
    ///
    /// # Errors
    /// If the kernel has no address space left, or no memory for the guards.
    pub fn new(size: usize) -> io::Result<Self> {
        overflow::install()?;
        let size = size
            .max(4 * PAGE)
            .checked_next_multiple_of(PAGE)
            .ok_or(io::ErrorKind::OutOfMemory)?;
        if size != Self::DEFAULT_SIZE {
            return Ok(map(size, 1)?.remove(0));
        }
        let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.is_empty() {
            *idle = map(size, REGION)?;
        }
        Ok(idle.pop().expect("there is one now"))
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let Self { limit, size } = *self;
        if size == Self::DEFAULT_SIZE {
            // What is dropped here gives its addresses to another `Stack`.
            IDLE.lock().unwrap_or_else(PoisonError::into_inner).push(Self { limit, size });
        } else {
            // SAFETY: Invariant 1, and it was mapped alone, with its guard.
            unsafe { munmap(limit.wrapping_sub(GUARD).cast(), GUARD + size) };
        }
    }
}
// ANCHOR_END: arena
