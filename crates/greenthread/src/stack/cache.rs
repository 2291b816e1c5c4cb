//! A worker's own stacks.
//!
//! ```text
//!                      older half, trimmed
//!   thread ◀──▶ hot ─────────────────────────▶ warm
//!               ▲ │ ◀─────────────────────────
//!       batches │ │            batches
//!               │ │ older half, when there are enough warm ones
//!               │ ▼
//!              arena
//! ```
//!
//! A hot stack has all the memory that it ever had: at best it is still in the processor's cache, at worst it
//! is all of the stack, so there are few. A warm stack has kept its top pages, which nearly every thread
//! needs: a page fault costs more than anything else about a stack. What goes to the arena loses its memory there.
//! The more often a batch comes from there, the bigger it gets. At times, stacks that were not needed for a while go there
//! ([`Cache::settle`]).
//!
//! Invariants:
//! 1. `Shelf::hot` and `Shelf::warm` hold limits of stacks of `Shelf::size` bytes that the arena gave out,
//!    and own them: a [`Stack`] is made of one when it is popped from `hot`, and undone when it is pushed.
//! 2. They have capacity for `most_hot` and `MOST_WARM` from the start, so `put` needs no memory.

use core::ptr::NonNull;
use std::io;

use super::{Stack, arena};

/// Hot stacks of a size are at most so many, and at most of so many bytes.
const MOST_HOT: usize = 128;
const MOST_HOT_BYTES: usize = 32 << 20;

/// Warm stacks of a size, each of which keeps so many bytes at most.
const MOST_WARM: usize = 1024;
const WARM_BYTES: usize = 8 << 10;

/// So few are not worth it to be woken for, to give them back.
const FEW: usize = 8;

/// The stacks that one worker has at hand. Dropped, it gives them to the arena.
#[derive(Debug)]
pub(crate) struct Cache {
    shelves: Vec<Shelf>,
    /// The shelf that was used last.
    last: usize,
}

/// The stacks of one size.
#[derive(Debug)]
struct Shelf {
    size: usize,
    /// How many warm ones there were at least since `settle`, and whether `hot` has been empty.
    least: usize,
    filled: bool,
    /// How many the next batch from the arena is.
    batch: usize,
    most_hot: usize,
    hot: Vec<NonNull<u8>>,
    warm: Vec<NonNull<u8>>,
}

impl Cache {
    pub(crate) const fn new() -> Self {
        Self { shelves: Vec::new(), last: 0 }
    }

    /// Takes a stack of `size` usable bytes, as [`usable_size`](super::usable_size) gives them.
    #[inline]
    pub(crate) fn take(&mut self, size: usize) -> io::Result<Stack> {
        if let Some(shelf) = self.shelves.get_mut(self.last)
            && shelf.size == size
            && let Some(limit) = shelf.hot.pop()
        {
            return Ok(Stack { limit, size });
        }
        self.take_slowly(size)
    }

    /// Puts a stack back. Its memory may go at once, so nothing on it may be needed, and nobody stands on it.
    #[inline]
    pub(crate) fn put(&mut self, stack: Stack) {
        if let Some(shelf) = self.shelves.get_mut(self.last)
            && shelf.size == stack.size
            && shelf.hot.len() < shelf.most_hot
            && !arena::starving()
        {
            shelf.hot.push(stack.limit);
        } else {
            self.put_slowly(stack);
        }
    }

    #[cold]
    fn take_slowly(&mut self, size: usize) -> io::Result<Stack> {
        debug_assert!(
            super::usable_size(size).is_ok_and(|usable| usable == size),
            "not a usable size: {size}"
        );
        let Some(shelf) = self.shelf(size) else {
            let mut one = Vec::new();
            one.try_reserve_exact(1).map_err(|_| io::ErrorKind::OutOfMemory)?;
            arena::take(size, 1, &mut one)?;
            return one
                .pop()
                .map(|limit| Stack { limit, size })
                .ok_or_else(|| io::ErrorKind::OutOfMemory.into());
        };
        if shelf.hot.is_empty() {
            shelf.fill()?;
        }
        let limit = shelf.hot.pop().ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Stack { limit, size })
    }

    #[cold]
    fn put_slowly(&mut self, stack: Stack) {
        let Stack { limit, size } = stack;
        let starving = arena::starving();
        match self.shelf(size) {
            Some(shelf) if !starving => {
                if shelf.hot.len() == shelf.most_hot {
                    shelf.thin();
                }
                shelf.hot.push(limit);
            }
            _ => {
                // SAFETY: the caller has given the stack up.
                unsafe { arena::put(size, &[limit]) };
                // Others want stacks and get none: they shall have all of ours.
                if starving {
                    self.give_all();
                }
            }
        }
    }

    /// The shelf for a size, made if need be and possible.
    fn shelf(&mut self, size: usize) -> Option<&mut Shelf> {
        if self.shelves.get(self.last).is_none_or(|shelf| shelf.size != size) {
            self.last = match self.shelves.iter().position(|shelf| shelf.size == size) {
                Some(at) => at,
                None => {
                    let most_hot = (MOST_HOT_BYTES / size).clamp(2, MOST_HOT);
                    let (mut hot, mut warm) = (Vec::new(), Vec::new());
                    hot.try_reserve_exact(most_hot).ok()?;
                    warm.try_reserve_exact(MOST_WARM).ok()?;
                    self.shelves.try_reserve(1).ok()?;
                    self.shelves.push(Shelf { size, least: 0, filled: false, batch: 1, most_hot, hot, warm });
                    self.shelves.len() - 1
                }
            };
        }
        self.shelves.get_mut(self.last)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shelves.iter().map(|shelf| shelf.hot.len() + shelf.warm.len()).sum()
    }

    /// Whether it has so many that it is worth to be woken for.
    pub(crate) fn is_full(&self) -> bool {
        self.shelves.iter().any(|shelf| shelf.hot.len() + shelf.warm.len() > FEW)
    }

    /// Ends an interval: warm stacks that nobody has needed go to the arena, and of the hot ones, if they were enough, the
    /// older half becomes warm.
    pub(crate) fn settle(&mut self) {
        self.shelves.iter_mut().for_each(Shelf::settle);
    }

    /// Gives all to the arena: a stack of another size may be made of them.
    pub(crate) fn give_all(&mut self) {
        self.shelves.iter_mut().for_each(Shelf::give_all);
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        self.give_all();
    }
}

impl Shelf {
    /// Fills the empty `hot`, halfway at most.
    fn fill(&mut self) -> io::Result<()> {
        let half = (self.most_hot / 2).max(1);
        self.filled = true;
        self.least = self.least.min(self.warm.len().saturating_sub(half));
        if self.warm.is_empty() {
            let batch = self.batch;
            self.batch = (batch * 2).min(half);
            return arena::take(self.size, batch, &mut self.hot);
        }
        self.hot.extend(self.warm.drain(self.warm.len().saturating_sub(half)..));
        Ok(())
    }

    /// Makes the older half of `hot` warm, or gives it to the arena if there is enough of that.
    fn thin(&mut self) {
        let half = self.hot.len() / 2;
        if self.warm.len() + half > MOST_WARM {
            // SAFETY: the shelf owns them (invariant 1), and the next line removes them from it.
            unsafe { arena::put(self.size, &self.hot[..half]) };
            self.hot.drain(..half);
        } else {
            // SAFETY: the shelf owns them (invariant 1).
            unsafe { arena::trim(self.size, WARM_BYTES, &self.hot[..half]) };
            self.warm.extend(self.hot.drain(..half));
        }
    }

    fn settle(&mut self) {
        let surplus = self.least.min(self.warm.len());
        // SAFETY: the shelf owns them (invariant 1), and the next line removes them from it.
        unsafe { arena::put(self.size, &self.warm[..surplus]) };
        self.warm.drain(..surplus);
        self.least = self.warm.len();
        if !std::mem::take(&mut self.filled) && self.hot.len() > 1 {
            self.thin();
        }
    }

    fn give_all(&mut self) {
        self.least = 0;
        for all in [&mut self.hot, &mut self.warm] {
            if !all.is_empty() {
                // SAFETY: the shelf owns them (invariant 1), and the next line removes them from it.
                unsafe { arena::put(self.size, all) };
                all.clear();
            }
        }
    }
}
