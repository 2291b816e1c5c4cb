//! Stacks: where they come from, what guards them, and what is said when one overflows.
//!
//! ```text
//!   Cache      one per worker: the last stacks that came back, which still have their memory
//!     │ ▲      batches
//!     ▼ │
//!   arena      one per process: regions of address space, cut into stacks of one size
//!     │ ▲      reserve, guard, decommit, release
//!     ▼ │
//!   sys::memory
//! ```
//!
//! What is paid for a stack is the pages that were touched. A stack that comes back to its worker's cache
//! keeps them, then its top pages. Beyond the cache's modest limit it goes back to the arena, which gives its memory
//! back when there is time: address, guard and page table stay for the next thread. Of the regions whose stacks are
//! all back, the biggest of each size stays and the others are unmapped. Nothing ever takes a stack from its owner.
//!
//! Invariants of this room:
//! 1. A [`Stack`] is made by the arena alone and is the only one for its addresses until it is put back: its
//!    owner is the only user of `[limit, top)`. It is not `Clone`, and whoever loses one loses the addresses.
//! 2. `limit` and `size` are multiples of the page size, and the guard is the `guard_size(size)` bytes below
//!    `limit`, guarded before the stack is handed out and for as long as its region is mapped.
//! 3. A region is unmapped only when the arena holds each of its stacks.

mod arena;
mod cache;
pub(crate) mod credit;
pub(crate) mod overflow;
mod size;
#[cfg(test)]
mod tests;

use core::{fmt, ops::Range, ptr::NonNull};

pub(crate) use arena::{ARENA, is_untidy, last_refusal, no_map, no_space, reserved, tidy};
pub(crate) use cache::Cache;
#[cfg(test)]
use size::MIN_SIZE;
pub(crate) use size::{DEFAULT_SIZE, ROOT_SIZE, stride, usable_size, with_spare};

/// A stack: the bytes `[limit, top)`, and a guard below them.
///
/// It does nothing when dropped: its addresses are then lost. [`Cache::put`] is the way back.
#[must_use = "a stack that is not put back is lost"]
pub(crate) struct Stack {
    limit: NonNull<u8>,
    size: usize,
}

// SAFETY: invariant 1: the owner of a `Stack` alone owns its bytes, on whichever OS thread it is.
unsafe impl Send for Stack {}

impl Stack {
    /// One past the highest byte to use, aligned to 128 bytes.
    ///
    /// It is up to 896 bytes below the end of the last page: see [`size::colour`].
    #[inline]
    pub(crate) fn top(&self) -> NonNull<u8> {
        // SAFETY: invariants 1 and 2: the `size` bytes from `limit` on are one mapping, and the colour is
        // less than a page.
        unsafe { self.limit.add(self.size - size::colour(self.limit)) }
    }

    /// How many usable bytes there are from its end to this address; none if that isn't on this stack.
    #[inline]
    pub(crate) fn left(&self, address: usize) -> Option<usize> {
        address.checked_sub(self.limit.addr().get()).filter(|left| *left < self.size)
    }

    /// The lowest usable byte.
    #[cfg(test)]
    pub(crate) fn limit(&self) -> NonNull<u8> {
        self.limit
    }

    /// What was asked for. Two stacks of one size are as good as each other.
    #[inline]
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The addresses whose use is an overflow of this stack.
    #[inline]
    pub(crate) fn guard(&self) -> Range<usize> {
        let limit = self.limit.addr().get();
        limit - size::guard_size(self.size)..limit
    }
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stack({:p}..{:p})", self.limit, self.top())
    }
}
