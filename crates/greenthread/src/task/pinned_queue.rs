//! Unstarted threads that may start on their own worker only, first in, first out. They are linked
//! through themselves, so queueing takes no memory.
//!
//! Invariants:
//! 1. Only the worker's OS thread touches a queue; others may read its length, as a hint.
//! 2. An item in the queue is alive, in no other list, and belongs to the queue.

use core::{
    cell::Cell,
    ptr::{self, NonNull},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use super::inbox::Linked;

/// See the module.
#[derive(Debug)]
pub(crate) struct PinnedQueue<T> {
    first: Cell<*mut T>,
    last: Cell<*mut T>,
    len: AtomicUsize,
}

impl<T: Linked> PinnedQueue<T> {
    pub(crate) const fn new() -> Self {
        Self { first: Cell::new(ptr::null_mut()), last: Cell::new(ptr::null_mut()), len: AtomicUsize::new(0) }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len.load(Relaxed)
    }

    /// # Safety
    /// Only the worker's OS thread calls it. It gives away an item that is alive and in no list.
    pub(crate) unsafe fn push(&self, item: NonNull<T>) {
        // SAFETY: the item is alive, and the caller gives it to the queue.
        unsafe { item.as_ref() }.link().store(ptr::null_mut(), Relaxed);
        match NonNull::new(self.last.replace(item.as_ptr())) {
            None => self.first.set(item.as_ptr()),
            // SAFETY: an item in the queue is alive and belongs to the queue (invariant 2).
            Some(last) => unsafe { last.as_ref() }.link().store(item.as_ptr(), Relaxed),
        }
        self.len.store(self.len() + 1, Relaxed);
    }

    /// Takes the oldest.
    ///
    /// # Safety
    /// Only the worker's OS thread calls it.
    pub(crate) unsafe fn pop(&self) -> Option<NonNull<T>> {
        let first = NonNull::new(self.first.get())?;
        // SAFETY: an item in the queue is alive and belongs to the queue (invariant 2).
        self.first.set(unsafe { first.as_ref() }.link().load(Relaxed));
        if self.first.get().is_null() {
            self.last.set(ptr::null_mut());
        }
        self.len.store(self.len() - 1, Relaxed);
        Some(first)
    }
}
