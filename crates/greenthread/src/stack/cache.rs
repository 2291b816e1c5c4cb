//! A worker's cache of stacks.
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
//! A *hot* stack has all the memory that it ever had. At best this is still in the processor's
//! cache. At worst it is the whole stack, so there are few hot stacks. A *warm* stack has kept its
//! top pages, which nearly every thread needs: a page fault costs more than anything else about a
//! stack. Stacks that go to the arena lose their memory there. Each batch from the arena is twice
//! as large as the last one, up to half of the hot stacks. At the end of an interval the stacks
//! that it has not needed go to the arena ([`Cache::end_interval`]).
//!
//! Invariants:
//! 1. `Bin::hot` and `Bin::warm` hold the limits of stacks of `Bin::size` bytes that the arena gave
//!    out, and own these stacks. `take` pops a limit from `hot` and makes a [`Stack`] of it; `put`
//!    does the reverse.
//! 2. They have capacity for `max_hot` and `MAX_WARM` from the start, so `put` needs no memory.

use core::ptr::NonNull;
use std::io;

use super::{Stack, arena, size::MIN_SIZE};
use crate::sys::memory::page_size;

/// Hot stacks of a size, at most. With fewer, stacks are trimmed more often, which is a system call
/// for each half of them, and threads with deep stacks have more page faults. With more, a worker
/// keeps more memory.
const MAX_HOT: usize = 128;
/// Bytes of the hot stacks of a size, at most: the memory that a worker keeps if each of their
/// pages was touched. It makes a difference for stacks of more than 256 KiB.
const MAX_HOT_BYTES: usize = 32 << 20;

/// Warm stacks of a size, at most. A burst of more threads than this goes through the arena and its
/// lock. With `WARM_BYTES` a worker keeps 8 MiB for them.
const MAX_WARM: usize = 1024;
/// Bytes that a warm stack keeps: two pages, which are enough for most threads. With one, many
/// threads would have a page fault; with more, a worker keeps more memory.
const WARM_BYTES: usize = 8 << 10;

/// Stacks that an idle worker keeps without a wake-up to trim them, at most. With more, idle
/// workers keep more memory; with none, each idle worker is woken after it has run a thread or two.
const FEW: usize = 8;

/// The stacks of one worker. A drop gives them to the arena.
#[derive(Debug)]
pub(crate) struct Cache {
    bins: Vec<Bin>,
    /// The index of the bin that was used last.
    last: usize,
}

/// The stacks of one size.
#[derive(Debug)]
struct Bin {
    size: usize,
    /// The smallest number of warm stacks in this interval: so many were not needed.
    least: usize,
    /// Whether `hot` was empty and has been filled in this interval.
    filled: bool,
    /// The size of the next batch from the arena.
    batch: usize,
    max_hot: usize,
    hot: Vec<NonNull<u8>>,
    warm: Vec<NonNull<u8>>,
}

impl Cache {
    pub(crate) const fn new() -> Self {
        Self { bins: Vec::new(), last: 0 }
    }

    /// Takes a stack of `size` usable bytes, as [`usable_size`](super::usable_size) gives them.
    #[inline]
    pub(crate) fn take(&mut self, size: usize) -> io::Result<Stack> {
        if let Some(bin) = self.bins.get_mut(self.last)
            && bin.size == size
            && let Some(limit) = bin.hot.pop()
        {
            return Ok(Stack { limit, size });
        }
        self.take_slowly(size)
    }

    /// Puts a stack back. Its memory may go at once, so nothing needs its contents and nothing runs
    /// on it.
    #[inline]
    pub(crate) fn put(&mut self, stack: Stack) {
        if let Some(bin) = self.bins.get_mut(self.last)
            && bin.size == stack.size
            && bin.hot.len() < bin.max_hot
            && !arena::is_starving()
        {
            bin.hot.push(stack.limit);
        } else {
            self.put_slowly(stack);
        }
    }

    #[cold]
    fn take_slowly(&mut self, size: usize) -> io::Result<Stack> {
        debug_assert!(size >= MIN_SIZE && size.is_multiple_of(page_size()), "not a usable size: {size}");
        let Some(bin) = self.bin(size) else {
            let mut one = Vec::new();
            one.try_reserve_exact(1).map_err(|_| io::ErrorKind::OutOfMemory)?;
            arena::take(size, 1, &mut one)?;
            return one
                .pop()
                .map(|limit| Stack { limit, size })
                .ok_or_else(|| io::ErrorKind::OutOfMemory.into());
        };
        if bin.hot.is_empty() {
            bin.fill()?;
        }
        let limit = bin.hot.pop().ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Stack { limit, size })
    }

    #[cold]
    fn put_slowly(&mut self, stack: Stack) {
        let Stack { limit, size } = stack;
        let starving = arena::is_starving();
        match self.bin(size) {
            Some(bin) if !starving => {
                if bin.hot.len() == bin.max_hot {
                    bin.trim_hot();
                }
                bin.hot.push(limit);
            }
            _ => {
                // SAFETY: the caller gives the stack to this function, which owns it.
                unsafe { arena::put(size, &[limit]) };
                // Other workers were refused a stack, so this one gives them all that it has.
                if starving {
                    self.flush();
                }
            }
        }
    }

    /// The bin for a size. It makes one if there is none, and returns `None` without memory for it.
    fn bin(&mut self, size: usize) -> Option<&mut Bin> {
        if self.bins.get(self.last).is_none_or(|bin| bin.size != size) {
            self.last = match self.bins.iter().position(|bin| bin.size == size) {
                Some(at) => at,
                None => {
                    let max_hot = (MAX_HOT_BYTES / size).clamp(2, MAX_HOT);
                    let (mut hot, mut warm) = (Vec::new(), Vec::new());
                    hot.try_reserve_exact(max_hot).ok()?;
                    warm.try_reserve_exact(MAX_WARM).ok()?;
                    self.bins.try_reserve(1).ok()?;
                    self.bins.push(Bin { size, least: 0, filled: false, batch: 1, max_hot, hot, warm });
                    self.bins.len() - 1
                }
            };
        }
        self.bins.get_mut(self.last)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.bins.iter().map(|bin| bin.hot.len() + bin.warm.len()).sum()
    }

    /// Whether it has so many stacks that an idle worker should be woken to trim them.
    pub(crate) fn is_worth_trimming(&self) -> bool {
        self.bins.iter().any(|bin| bin.hot.len() + bin.warm.len() > FEW)
    }

    /// Ends an interval. The warm stacks that it has not needed go to the arena. If the hot ones
    /// were enough for it, their older half becomes warm.
    pub(crate) fn end_interval(&mut self) {
        self.bins.iter_mut().for_each(Bin::end_interval);
    }

    /// Gives all stacks to the arena, which may make stacks of another size of their addresses.
    pub(crate) fn flush(&mut self) {
        self.bins.iter_mut().for_each(Bin::flush);
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        self.flush();
    }
}

impl Bin {
    /// Fills the empty `hot`, at most to its half, so that stacks can still come back to it.
    fn fill(&mut self) -> io::Result<()> {
        let half = (self.max_hot / 2).max(1);
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

    /// Makes the older half of `hot` warm. If there are enough warm stacks, it goes to the arena
    /// instead.
    fn trim_hot(&mut self) {
        let half = self.hot.len() / 2;
        if self.warm.len() + half > MAX_WARM {
            // SAFETY: the bin owns these stacks (invariant 1), and the next line removes them from
            // it.
            unsafe { arena::put(self.size, &self.hot[..half]) };
            self.hot.drain(..half);
        } else {
            // SAFETY: the bin owns these stacks (invariant 1), and nothing runs on them.
            unsafe { arena::shrink(self.size, WARM_BYTES, &self.hot[..half]) };
            self.warm.extend(self.hot.drain(..half));
        }
    }

    fn end_interval(&mut self) {
        let surplus = self.least.min(self.warm.len());
        // SAFETY: the bin owns these stacks (invariant 1), and the next line removes them from it.
        unsafe { arena::put(self.size, &self.warm[..surplus]) };
        self.warm.drain(..surplus);
        self.least = self.warm.len();
        if !std::mem::take(&mut self.filled) && self.hot.len() > 1 {
            self.trim_hot();
        }
    }

    fn flush(&mut self) {
        self.least = 0;
        for all in [&mut self.hot, &mut self.warm] {
            if !all.is_empty() {
                // SAFETY: the bin owns these stacks (invariant 1), and the next line removes them
                // from it.
                unsafe { arena::put(self.size, all) };
                all.clear();
            }
        }
    }
}
