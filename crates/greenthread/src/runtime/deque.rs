//! A worker's own unstarted threads: it puts them in and takes them out at one end, newest first, and others steal
//! them at the other, oldest first.
//!
//! ```text
//!   thieves: steal ──▶ top                            bottom ◀──▶ owner: push, pop
//!                       ▼                               ▼
//!               …  taken │ oldest │ … │ … │ newest │ free …
//! ```
//!
//! The queue of Chase and Lev (2005), with the orderings of Lê, Pop, Cohen and Zappa Nardelli (2013), but of a fixed
//! size: then queueing can't fail for want of memory, and a thief can't look at an array that has gone.
//!
//! Only the last thread left is fought for: its taker is who moves `top`. The owner takes any other by moving
//! `bottom` alone, and the fence sees to it that a thief that still goes for that one has seen the old `top`, and loses.
//!
//! Invariants:
//! 1. Positions are counted without end; a slot is its position modulo `N`. `top` only grows, by exchanges: by one, or by
//!    more if it is the owner who takes the oldest.
//! 2. Only the owner writes `bottom` and the slots, and never a slot whose position is less than `N` above a `top` that
//!    it has seen: so whoever has read a slot that was written anew has a `top` that has moved, and its exchange fails.
//! 3. An item is handed out once, by `pop`, `shift` or one `steal`, to whom it then belongs.
//! 4. Where the owner is `alone` there is no thief: nobody else touches the queue, but to look how full it is.

use core::{
    array,
    ptr::{self, NonNull},
};

use crossbeam_utils::CachePadded;

use super::atomic::{
    AtomicPtr, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
    fence,
};

/// The queue, for up to `N` items, a power of two.
#[derive(Debug)]
pub(crate) struct Deque<T, const N: usize> {
    top: CachePadded<AtomicUsize>,
    bottom: CachePadded<AtomicUsize>,
    slots: Box<[AtomicPtr<T>; N]>,
    alone: bool,
}

/// What a thief gets.
#[derive(Debug)]
pub(crate) enum Stolen<T> {
    /// The oldest.
    Item(NonNull<T>),
    /// There is none.
    Nothing,
    /// Somebody else was faster; there may be more.
    Again,
}

impl<T, const N: usize> Deque<T, N> {
    /// An empty one; `alone` says that there will be no thieves (invariant 4).
    pub(crate) fn new(alone: bool) -> Self {
        const { assert!(N.is_power_of_two()) };
        Self {
            top: CachePadded::new(AtomicUsize::new(0)),
            bottom: CachePadded::new(AtomicUsize::new(0)),
            slots: Box::new(array::from_fn(|_| AtomicPtr::new(ptr::null_mut()))),
            alone,
        }
    }

    fn slot(&self, position: usize) -> &AtomicPtr<T> {
        &self.slots[position % N]
    }

    /// How many there are: for the owner no less than that, for others a hint.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        let top = self.top.load(Relaxed);
        // A `bottom` from before that `top` is possible, and while the owner takes the last one it is one too low.
        (self.bottom.load(Relaxed).wrapping_sub(top) as isize).max(0) as usize
    }

    /// Whether there is nothing in it: for others, after a fence, no older than that fence.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The oldest one's position.
    pub(crate) fn first(&self) -> usize {
        self.top.load(Relaxed)
    }

    /// Puts one in; `false` if there is no room.
    ///
    /// # Safety
    /// Owner only, who gives the item away (invariant 3).
    #[inline]
    pub(crate) unsafe fn push(&self, item: NonNull<T>) -> bool {
        let bottom = self.bottom.load(Relaxed);
        if bottom.wrapping_sub(self.top.load(Acquire)) >= N {
            return false;
        }
        self.slot(bottom).store(item.as_ptr(), Relaxed);
        self.bottom.store(bottom.wrapping_add(1), Release);
        true
    }

    /// Whether this one is the newest.
    ///
    /// # Safety
    /// Owner only.
    #[inline]
    pub(crate) unsafe fn ends_with(&self, item: NonNull<T>) -> bool {
        let end = self.bottom.load(Relaxed);
        self.top.load(Relaxed) != end && self.slot(end.wrapping_sub(1)).load(Relaxed) == item.as_ptr()
    }

    /// Takes the newest.
    ///
    /// # Safety
    /// Owner only.
    #[inline]
    pub(crate) unsafe fn pop(&self) -> Option<NonNull<T>> {
        let end = self.bottom.load(Relaxed);
        let newest = end.wrapping_sub(1);
        match end.wrapping_sub(self.top.load(Relaxed)) {
            // Only the owner puts something in.
            0 => return None,
            // The last one: taken as by a thief, who may have been faster.
            1 if !self.alone => {
                let won = self.top.compare_exchange(newest, end, SeqCst, Relaxed).is_ok();
                return if won { NonNull::new(self.slot(newest).load(Relaxed)) } else { None };
            }
            _ => {}
        }
        // Released: a thief that finds this one takes what lies below, which it must see.
        self.bottom.store(newest, Release);
        if self.alone {
            return NonNull::new(self.slot(newest).load(Relaxed));
        }
        fence(SeqCst);
        let top = self.top.load(Relaxed);
        match newest.wrapping_sub(top) as isize {
            1.. => return NonNull::new(self.slot(newest).load(Relaxed)),
            0 => {}
            _ => {
                self.bottom.store(end, Relaxed);
                return None;
            }
        }
        let won = self.top.compare_exchange(top, end, SeqCst, Relaxed).is_ok();
        self.bottom.store(end, Relaxed);
        if won { NonNull::new(self.slot(newest).load(Relaxed)) } else { None }
    }

    /// Takes up to so many of the oldest, at once: all that the iterator gives, and has not given yet, are the caller's.
    ///
    /// # Safety
    /// Owner only, who puts none in before the iterator has gone.
    pub(crate) unsafe fn shift(&self, count: usize) -> impl Iterator<Item = NonNull<T>> {
        let bottom = self.bottom.load(Relaxed);
        let mut top = self.top.load(Relaxed);
        let taken = loop {
            let taken = count.min(bottom.wrapping_sub(top));
            if taken == 0 {
                break 0;
            }
            match self.top.compare_exchange(top, top.wrapping_add(taken), SeqCst, Relaxed) {
                Ok(_) => break taken,
                Err(now) => top = now,
            }
        };
        (0..taken).filter_map(move |n| NonNull::new(self.slot(top.wrapping_add(n)).load(Relaxed)))
    }

    /// Takes the oldest; anyone may, unless the owner is alone.
    pub(crate) fn steal(&self) -> Stolen<T> {
        debug_assert!(!self.alone);
        let top = self.top.load(Acquire);
        fence(SeqCst);
        if (self.bottom.load(Acquire).wrapping_sub(top) as isize) <= 0 {
            return Stolen::Nothing;
        }
        let item = self.slot(top).load(Relaxed);
        match self.top.compare_exchange(top, top.wrapping_add(1), SeqCst, Relaxed) {
            Ok(_) => NonNull::new(item).map_or(Stolen::Nothing, Stolen::Item),
            Err(_) => Stolen::Again,
        }
    }
}
