//! A worker's free memory for blocks: what one thread leaves, the next one takes, without asking the allocator.
//!
//! Blocks come in classes of 64 bytes up to a KiB. All of it is the global allocator's memory with the class's layout,
//! so a block may be made on one worker and freed on another, or on an OS thread. Larger or over-aligned ones go past.
//!
//! Invariants:
//! 1. Only its worker's OS thread touches a pool.
//! 2. A chunk in list `c` is memory of `layout(c)` that nobody uses; its first word is the next chunk.

use core::{
    alloc::Layout,
    cell::Cell,
    ptr::{self, NonNull},
};
use std::alloc::{alloc, dealloc};

use greenthread_context::prefetch;

use super::local;

const STEP: usize = 64;
const ALIGN: usize = 16;
const CLASSES: usize = 16;

/// What a pool has at most, in bytes, and what of that it keeps: the rest goes back to the allocator by and by ([`Pool::tidy`]),
/// and not while a crowd of threads ends.
const MOST: usize = if usize::BITS == 64 { 256 << 20 } else { KEPT };
const KEPT: usize = 32 << 20;

/// How many chunks of a class are given back at a time.
const LOT: usize = 256;

/// See the module.
#[derive(Debug)]
pub(crate) struct Pool {
    lists: [Cell<*mut u8>; CLASSES],
    bytes: Cell<usize>,
}

/// The class for a layout, if there is one.
#[inline]
const fn class(layout: Layout) -> Option<usize> {
    let class = layout.size().div_ceil(STEP);
    if layout.align() <= ALIGN && class != 0 && class <= CLASSES { Some(class - 1) } else { None }
}

#[inline]
const fn layout_of(class: usize) -> Layout {
    match Layout::from_size_align((class + 1) * STEP, ALIGN) {
        Ok(layout) => layout,
        Err(_) => panic!("a multiple of 64 up to 1024"),
    }
}

/// Memory for `layout`; none if there is none.
#[inline]
pub(crate) fn take(layout: Layout) -> Option<NonNull<u8>> {
    let layout = match class(layout) {
        None => layout,
        Some(class) => {
            if let Some(chunk) = local::get().and_then(|local| local.blocks.pop(class)) {
                return Some(chunk);
            }
            layout_of(class)
        }
    };
    // SAFETY: a block is not empty, and neither is a class.
    NonNull::new(unsafe { alloc(layout) })
}

/// Gives it back.
///
/// # Safety
/// It came from `take` with this layout, on whichever OS thread, and is not used any more.
#[inline]
pub(crate) unsafe fn give(chunk: NonNull<u8>, layout: Layout) {
    let layout = match class(layout) {
        None => layout,
        Some(class) => {
            // SAFETY: its layout is the class's, and it is nobody's.
            if local::get().is_some_and(|local| unsafe { local.blocks.push(class, chunk) }) {
                return;
            }
            layout_of(class)
        }
    };
    // SAFETY: allocated with this layout, says the caller.
    unsafe { dealloc(chunk.as_ptr(), layout) };
}

impl Pool {
    pub(crate) fn new() -> Self {
        Self { lists: [const { Cell::new(ptr::null_mut()) }; CLASSES], bytes: Cell::new(0) }
    }

    #[inline]
    fn pop(&self, class: usize) -> Option<NonNull<u8>> {
        let list = &self.lists[class];
        let chunk = NonNull::new(list.get())?;
        // SAFETY: in the list, so ours, with the next one in its first word (invariant 2).
        let next = unsafe { chunk.cast::<*mut u8>().read() };
        prefetch(next, layout_of(class).size());
        list.set(next);
        self.bytes.set(self.bytes.get() - layout_of(class).size());
        Some(chunk)
    }

    /// `false` if there is enough already.
    ///
    /// # Safety
    /// Invariant 2: memory of this class, given away by the caller.
    #[inline]
    unsafe fn push(&self, class: usize, chunk: NonNull<u8>) -> bool {
        let bytes = self.bytes.get() + layout_of(class).size();
        if bytes > MOST {
            return false;
        }
        self.bytes.set(bytes);
        let list = &self.lists[class];
        // SAFETY: ours now, and large enough for a pointer (invariant 2).
        unsafe { chunk.cast::<*mut u8>().write(list.get()) };
        list.set(chunk.as_ptr());
        true
    }

    /// Whether there is something for `tidy` to do.
    #[inline]
    pub(crate) fn is_untidy(&self) -> bool {
        self.bytes.get() > KEPT
    }

    /// Gives some of what it has too much of back, in some 20 microseconds.
    pub(crate) fn tidy(&self) {
        for class in 0..CLASSES {
            for _ in 0..LOT {
                if !self.is_untidy() {
                    return;
                }
                let Some(chunk) = self.pop(class) else { break };
                // SAFETY: allocated with the class's layout (invariant 2).
                unsafe { dealloc(chunk.as_ptr(), layout_of(class)) };
            }
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        for class in 0..CLASSES {
            while let Some(chunk) = self.pop(class) {
                // SAFETY: allocated with the class's layout (invariant 2).
                unsafe { dealloc(chunk.as_ptr(), layout_of(class)) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_goes_back_by_and_by_and_no_more_than_that() {
        let pool = Pool::new();
        let give = |class: usize| {
            // SAFETY: not empty.
            let chunk = NonNull::new(unsafe { alloc(layout_of(class)) }).expect("memory");
            // SAFETY: fresh memory of this class.
            assert!(unsafe { pool.push(class, chunk) });
        };
        while !pool.is_untidy() {
            give(15);
        }
        pool.tidy();
        assert_eq!(pool.bytes.get(), KEPT, "one chunk was too much");
        (0..3 * LOT).for_each(|_| give(15));
        let mut steps = 0;
        while pool.is_untidy() {
            pool.tidy();
            steps += 1;
        }
        assert_eq!((pool.bytes.get(), steps), (KEPT, 3));
    }
}
