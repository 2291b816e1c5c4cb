//! Stacks: where they come from, their guards, and the report of an overflow.
//!
//! ```text
//!   Cache      one per worker: the stacks that came back last and still have memory
//!     │ ▲      batches
//!     ▼ │
//!   arena      one per process: regions of address space, cut into stacks of one size
//!     │ ▲      reserve, guard, decommit, release
//!     ▼ │
//!   sys::memory
//! ```
//!
//! A stack costs the pages that its thread has touched. A stack that comes back to its worker's
//! cache keeps all of them at first, and later only its top pages. Stacks beyond the limit of the
//! cache go back to the arena. When a worker has time, it decommits them: the system takes their
//! memory, and address, guard and page table stay for the next thread. Of the regions whose stacks
//! have all come back, the biggest of each size stays, and the others are unmapped. Nothing ever
//! takes a stack from its owner.
//!
//! Invariants of this module:
//! 1. Only the arena makes the addresses of a [`Stack`], and there is one `Stack` for them until it
//!    is put back. So its owner is the only user of `[limit, top)`. A `Stack` is not `Clone`. If it
//!    is dropped, its addresses are lost.
//! 2. `limit` and `size` are multiples of the page size. The guard is the `guard_size(size)` bytes
//!    below `limit`. It is in place before the stack is handed out, and as long as its region is
//!    mapped. A stack that is handed out is committed.
//! 3. A region is unmapped only when the arena holds each of its stacks.

mod arena;
mod cache;
pub(crate) mod credit;
pub(crate) mod overflow;
mod refusal;
mod size;
#[cfg(test)]
mod tests;

use core::{fmt, ops::Range, ptr::NonNull};

use greenthread_context::StackBounds;

use crate::sys::memory::{self, RECORD, Span};

pub(crate) use arena::{ARENA, has_surplus, last_refusal, reserved, trim};
pub(crate) use cache::Cache;
pub(crate) use refusal::{no_map, no_space};
#[cfg(test)]
use size::MIN_SIZE;
pub(crate) use size::{DEFAULT_SIZE, ROOT_SIZE, stride, usable_size, with_spare};

/// A stack: the bytes `[limit, top)`, and a guard below them.
///
/// A drop does nothing, and so loses the addresses. [`Cache::put`] is the way back.
#[must_use = "a stack that is not put back is lost"]
pub(crate) struct Stack {
    limit: NonNull<u8>,
    size: usize,
}

// SAFETY: only the owner of a `Stack` uses its bytes, on whichever OS thread it is (invariant 1).
unsafe impl Send for Stack {}

impl Stack {
    /// One past the highest byte to use, aligned to 128 bytes.
    ///
    /// It is up to 896 bytes below the end of the last page, and below the system's record: see
    /// [`size::colour`].
    #[inline]
    pub(crate) fn top(&self) -> NonNull<u8> {
        // SAFETY: the `size` bytes from `limit` on are in one mapping (invariants 1 and 2), and the
        // colour is less than a page.
        unsafe { self.limit.add(self.size - RECORD - size::colour(self.limit)) }
    }

    /// The bounds, for a context that starts at the top.
    #[inline]
    pub(crate) fn bounds(&self) -> StackBounds {
        // SAFETY: this value owns the stack, which is ready for use (invariants 1 and 2).
        unsafe { memory::bounds(self.span(), self.top()) }
    }

    /// Tells the system that the calling thread leaves this stack, on which it runs, for good.
    ///
    /// # Safety
    /// It is the stack of the calling thread.
    #[inline]
    pub(crate) unsafe fn leave(&self) {
        // SAFETY: the caller vouches for that.
        unsafe { memory::leave(self.span()) };
    }

    #[inline]
    fn span(&self) -> Span {
        Span { start: self.limit.as_ptr(), len: self.size }
    }

    /// The number of usable bytes below this address, or `None` if it isn't on this stack.
    #[inline]
    pub(crate) fn remaining(&self, address: usize) -> Option<usize> {
        address.checked_sub(self.limit.addr().get()).filter(|below| *below < self.size)
    }

    /// The lowest usable byte.
    #[cfg(test)]
    pub(crate) fn limit(&self) -> NonNull<u8> {
        self.limit
    }

    /// The usable bytes that were asked for. Stacks of the same size are interchangeable.
    #[inline]
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The guard: an access to one of these addresses is an overflow of this stack.
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
