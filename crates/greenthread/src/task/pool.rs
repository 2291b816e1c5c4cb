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

/// What a pool keeps, in bytes. What comes back from a crowd of threads may be more, but no more than its worker has itself
/// asked of the allocator, nor than the second figure; that goes back by and by ([`Pool::tidy`]), not while the crowd ends.
const KEPT: usize = 32 << 20;
const MOST: usize = if usize::BITS == 64 { 256 << 20 } else { KEPT };

/// How many chunks go back at a time.
const LOT: usize = 256;

/// See the module.
#[derive(Debug)]
pub(crate) struct Pool {
    lists: [Cell<*mut u8>; CLASSES],
    bytes: Cell<usize>,
    /// How much its worker has asked of the allocator and not given back, in bytes.
    made: Cell<usize>,
    /// The class whose turn it is to be given back.
    turn: Cell<usize>,
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
    let Some(class) = class(layout) else {
        // SAFETY: a block is not empty.
        return NonNull::new(unsafe { alloc(layout) });
    };
    match local::get() {
        Some(local) => local.blocks.pop(class).or_else(|| local.blocks.make(class)),
        None => make(class),
    }
}

fn make(class: usize) -> Option<NonNull<u8>> {
    // SAFETY: a class is not empty.
    NonNull::new(unsafe { alloc(layout_of(class)) })
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
            if let Some(local) = local::get() {
                // SAFETY: its layout is the class's, and it is nobody's.
                return unsafe { local.blocks.give(class, chunk) };
            }
            layout_of(class)
        }
    };
    // SAFETY: allocated with this layout, says the caller.
    unsafe { dealloc(chunk.as_ptr(), layout) };
}

impl Pool {
    pub(crate) fn new() -> Self {
        Self {
            lists: [const { Cell::new(ptr::null_mut()) }; CLASSES],
            bytes: Cell::new(0),
            made: Cell::new(0),
            turn: Cell::new(0),
        }
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

    /// A new chunk. Where memory is short, what lies here in other classes goes back first.
    fn make(&self, class: usize) -> Option<NonNull<u8>> {
        let chunk = make(class).or_else(|| {
            self.give_back(usize::MAX, 0);
            make(class)
        })?;
        self.made.set(self.made.get() + layout_of(class).size());
        Some(chunk)
    }

    /// Takes a chunk in, or gives it to the allocator if there is enough already.
    ///
    /// # Safety
    /// Invariant 2: memory of this class, given away by the caller.
    #[inline]
    unsafe fn give(&self, class: usize, chunk: NonNull<u8>) {
        let bytes = self.bytes.get() + layout_of(class).size();
        if bytes > self.made.get().clamp(KEPT, MOST) {
            // SAFETY: as the caller says.
            return unsafe { self.unmake(class, chunk) };
        }
        self.bytes.set(bytes);
        let list = &self.lists[class];
        // SAFETY: ours now, and large enough for a pointer (invariant 2).
        unsafe { chunk.cast::<*mut u8>().write(list.get()) };
        list.set(chunk.as_ptr());
    }

    /// # Safety
    /// It is a chunk of this class, in no list and given away by the caller.
    unsafe fn unmake(&self, class: usize, chunk: NonNull<u8>) {
        let layout = layout_of(class);
        self.made.set(self.made.get().saturating_sub(layout.size()));
        // SAFETY: allocated with the class's layout (invariant 2).
        unsafe { dealloc(chunk.as_ptr(), layout) };
    }

    /// Gives chunks to the allocator: one at least, if there is any, and so many at most, until no more bytes are left than that;
    /// next time, of the next class first.
    fn give_back(&self, mut chunks: usize, bytes: usize) {
        for _ in 0..CLASSES {
            let class = self.turn.get();
            self.turn.set((class + 1) % CLASSES);
            while let Some(chunk) = self.pop(class) {
                // SAFETY: just taken out of the class's list.
                unsafe { self.unmake(class, chunk) };
                chunks -= 1;
                if chunks == 0 || self.bytes.get() <= bytes {
                    return;
                }
            }
        }
    }

    /// Whether there is something for `tidy` to do.
    #[inline]
    pub(crate) fn is_untidy(&self) -> bool {
        self.bytes.get() > KEPT
    }

    /// Gives some of what it has too much of back, in some 20 microseconds.
    pub(crate) fn tidy(&self) {
        if self.is_untidy() {
            self.give_back(LOT, KEPT);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.give_back(usize::MAX, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn give(pool: &Pool, class: usize, chunk: Option<NonNull<u8>>) {
        // SAFETY: memory of this class, and nobody's.
        unsafe { pool.give(class, chunk.expect("memory")) };
    }

    #[test]
    fn what_is_too_much_goes_back_by_and_by_and_no_more_than_that() {
        let pool = Pool::new();
        let many = KEPT / 1024 + 3 * LOT;
        let chunks: Vec<_> = (0..many).map(|_| pool.make(15)).collect();
        chunks.into_iter().for_each(|chunk| give(&pool, 15, chunk));
        assert_eq!(pool.bytes.get(), KEPT + 3 * LOT * 1024);
        let mut steps = 0;
        while pool.is_untidy() {
            pool.tidy();
            steps += 1;
        }
        assert_eq!((pool.bytes.get(), pool.made.get(), steps), (KEPT, KEPT, 3));
    }

    #[test]
    fn of_what_others_have_made_it_keeps_no_more_than_it_would_anyway() {
        let pool = Pool::new();
        (0..KEPT / 1024).for_each(|_| give(&pool, 15, make(15)));
        give(&pool, 3, make(3));
        assert_eq!(pool.bytes.get(), KEPT);
    }

    #[test]
    fn one_class_after_the_other_has_its_turn() {
        let pool = Pool::new();
        (0..4).for_each(|class| give(&pool, class, make(class)));
        (0..4).for_each(|class| give(&pool, class, make(class)));
        let mut sizes = Vec::new();
        while pool.bytes.get() > 0 {
            let before = pool.bytes.get();
            pool.give_back(1, 0);
            sizes.push(before - pool.bytes.get());
        }
        assert_eq!(sizes, [64, 128, 192, 256, 64, 128, 192, 256]);
    }
}
