//! A worker's inbox: threads that other OS threads woke, or gave to it. It has many senders and one
//! owner, and needs no allocation.
//!
//! A stack of items linked through themselves (Treiber 1986); the owner takes the whole of it at
//! once, so there is no ABA problem: nobody pops a single item.
//!
//! Invariants:
//! 1. An item is in at most one list at a time, and stays alive while it is in one.
//! 2. From `push` on the item belongs to the owner: the sender touches it no more.

use core::ptr;

use super::atomic::{
    AtomicPtr,
    Ordering::{Acquire, Relaxed, Release},
};

/// Something that can be put into an [`Inbox`]: it has a link of its own.
pub(crate) trait Linked: Sized {
    /// The link. Only the list that holds the item touches it.
    fn link(&self) -> &AtomicPtr<Self>;
}

/// The list. See the module's invariants.
#[derive(Debug)]
pub(crate) struct Inbox<T: Linked> {
    head: AtomicPtr<T>,
}

impl<T: Linked> Inbox<T> {
    pub(crate) fn new() -> Self {
        Self { head: AtomicPtr::new(ptr::null_mut()) }
    }

    /// Adds `item`. Returns `true` if the inbox was empty; then this sender must wake the owner if
    /// it sleeps.
    ///
    /// # Safety
    /// `item` points to a live item that is in no list, and that the caller gives away (invariants
    /// 1, 2).
    pub(crate) unsafe fn push(&self, item: *mut T) -> bool {
        let mut head = self.head.load(Relaxed);
        loop {
            // SAFETY: the item is alive, and belongs to this sender until the exchange succeeds
            // (invariants 1, 2).
            unsafe { (*item).link().store(head, Relaxed) };
            match self.head.compare_exchange_weak(head, item, Release, Relaxed) {
                Ok(_) => return head.is_null(),
                Err(now) => head = now,
            }
        }
    }

    /// Whether there is nothing in it at this moment.
    pub(crate) fn is_empty(&self) -> bool {
        self.head.load(Relaxed).is_null()
    }

    /// Takes all items, oldest first. Only the owner calls it.
    pub(crate) fn take(&self) -> Chain<T> {
        let mut newest = self.head.swap(ptr::null_mut(), Acquire);
        let mut oldest = ptr::null_mut();
        while !newest.is_null() {
            // SAFETY: an item that was in the list is alive, and belongs to the owner alone
            // (invariants 1, 2).
            let link = unsafe { (*newest).link() };
            let next = link.load(Relaxed);
            link.store(oldest, Relaxed);
            oldest = newest;
            newest = next;
        }
        Chain { next: oldest }
    }
}

/// Items taken out of an [`Inbox`], oldest first.
#[derive(Debug)]
pub(crate) struct Chain<T: Linked> {
    next: *mut T,
}

impl<T: Linked> Iterator for Chain<T> {
    type Item = *mut T;

    fn next(&mut self) -> Option<*mut T> {
        if self.next.is_null() {
            return None;
        }
        let item = self.next;
        // SAFETY: an item of the chain is alive, and belongs to the chain until it is handed out
        // (invariants 1, 2).
        self.next = unsafe { (*item).link().load(Relaxed) };
        Some(item)
    }
}
