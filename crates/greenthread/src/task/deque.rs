//! A worker's own unstarted threads: it puts them in and takes them out at one end, newest first,
//! and others steal them at the other, oldest first.
//!
//! ```text
//!   thieves: steal ──▶ top                                  bottom ◀──▶ owner: push, pop
//!                       ▼                                     ▼
//!               …  taken │ oldest │ … │ tomb │ … │ … │ newest │ free …
//!                                        └── owner: take
//! ```
//!
//! The queue of Chase and Lev (2005), with the orderings of Lê, Pop, Cohen and Zappa Nardelli
//! (2013), but of a fixed size: then queueing can't fail for want of memory, and a thief can't look
//! at an array that has gone.
//!
//! Owner and thieves compete only for the last item. It belongs to the one that moves `top`. The
//! owner takes any other item by moving `bottom` alone. A thief that still tries to take that item
//! has seen the old `top`, because of the fence, and loses.
//!
//! The owner also takes an item out of the middle (`take`). It marks the slot RESERVED, makes a
//! fence, and looks how far the thieves are:
//!
//! * Not there yet: they will see the mark, and the slot becomes a TOMBSTONE.
//! * Just there: owner and thief compete for `top`, as ever.
//! * Beyond it: the item was stolen before, since no thief passes a RESERVED slot.
//!
//! A TOMBSTONE is removed by the owner when it takes the item above it, or by the thief that
//! reaches it from the other side.
//!
//! Invariants:
//! 1. Positions are counted without end; a slot is its position modulo `N`. `top` only grows, by
//!    exchanges: by one, or by more if the owner takes the oldest items.
//! 2. Only the owner writes `bottom` and the slots. It puts a new item in no slot whose position is
//!    less than `N` above a `top` that it has seen. So a thief that has read a slot which was
//!    written anew holds an old `top`, and its exchange fails.
//! 3. An item is handed out once, by `pop`, `take`, `shift` or one `steal`, and then belongs to the
//!    caller.
//! 4. If the owner is `alone`, there are no thieves: other OS threads only read the length.
//! 5. The newest slot is never a TOMBSTONE.

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

/// TOMBSTONE, in place of an item: it has been taken out.
const fn tombstone<T>() -> *mut T {
    ptr::null_mut()
}

/// RESERVED, in place of an item: the owner is about to take it out.
const fn reserved<T>() -> *mut T {
    ptr::without_provenance_mut(1)
}

/// The queue, for up to `N` items, a power of two.
#[derive(Debug)]
pub(crate) struct Deque<T, const N: usize> {
    top: CachePadded<AtomicUsize>,
    bottom: CachePadded<AtomicUsize>,
    slots: Box<[AtomicPtr<T>; N]>,
    alone: bool,
}

/// The result of a steal.
#[derive(Debug)]
pub(crate) enum Stolen<T> {
    /// The oldest.
    Item(NonNull<T>),
    /// There is none.
    Nothing,
    /// Another thread was faster. There may be more items.
    Again,
}

impl<T, const N: usize> Deque<T, N> {
    /// An empty deque. `alone` says that there will be no thieves (invariant 4).
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

    /// The number of items, tombstones included. For the owner it is never too small; for others it
    /// is a hint.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        let top = self.top.load(Relaxed);
        // `bottom` may be older than `top`, and while the owner takes the last item it is one too
        // low.
        (self.bottom.load(Relaxed).wrapping_sub(top) as isize).max(0) as usize
    }

    /// Whether it is empty. For other threads than the owner, the answer after a fence is no older
    /// than the fence.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The position of the oldest item.
    pub(crate) fn first(&self) -> usize {
        self.top.load(Relaxed)
    }

    /// Adds an item. Returns `false` if the deque is full. Before any thief can see the item,
    /// `note` is told its slot, for [`take`](Self::take).
    ///
    /// # Safety
    /// Only the owner calls it. It gives the item away (invariant 3).
    #[inline]
    pub(crate) unsafe fn push(&self, item: NonNull<T>, note: impl FnOnce(usize)) -> bool {
        let bottom = self.bottom.load(Relaxed);
        if bottom.wrapping_sub(self.top.load(Acquire)) >= N {
            return false;
        }
        note(bottom % N);
        self.slot(bottom).store(item.as_ptr(), Relaxed);
        self.bottom.store(bottom.wrapping_add(1), Release);
        true
    }

    /// Takes the newest.
    ///
    /// # Safety
    /// Only the owner calls it.
    #[inline]
    pub(crate) unsafe fn pop(&self) -> Option<NonNull<T>> {
        let end = self.bottom.load(Relaxed);
        let newest = end.wrapping_sub(1);
        let top = self.top.load(Relaxed);
        // Only the owner adds items, so there is none.
        if top == end {
            return None;
        }
        // The tombstones right below the newest item are removed with it.
        let mut low = newest;
        while low != top && self.slot(low.wrapping_sub(1)).load(Relaxed) == tombstone() {
            low = low.wrapping_sub(1);
        }
        if self.alone {
            self.bottom.store(low, Relaxed);
            return NonNull::new(self.slot(newest).load(Relaxed));
        }
        if low == top {
            return self.pop_last(top);
        }
        // Release: a thief that reads this `bottom` takes an item below it, and must see that item.
        self.bottom.store(low, Release);
        fence(SeqCst);
        let top = self.top.load(Relaxed);
        if (low.wrapping_sub(top) as isize) > 0 {
            return NonNull::new(self.slot(newest).load(Relaxed));
        }
        // The items may be taken by thieves again. The fence above has released them.
        self.bottom.store(end, Relaxed);
        self.pop_last(top)
    }

    /// Takes the last item, by moving `top` as a thief does. A thief may be faster.
    fn pop_last(&self, mut top: usize) -> Option<NonNull<T>> {
        let end = self.bottom.load(Relaxed);
        while top != end {
            match self.top.compare_exchange(top, end, SeqCst, Relaxed) {
                Ok(_) => return NonNull::new(self.slot(end.wrapping_sub(1)).load(Relaxed)),
                Err(now) => top = now,
            }
        }
        None
    }

    /// Takes `item`, which `push` put into the slot `place`. Returns `false` if it isn't there any
    /// more.
    ///
    /// # Safety
    /// Only the owner calls it.
    #[inline]
    pub(crate) unsafe fn take(&self, item: NonNull<T>, place: usize) -> bool {
        let newest = self.bottom.load(Relaxed).wrapping_sub(1);
        let below = newest.wrapping_sub(place) % N;
        let position = newest.wrapping_sub(below);
        let slot = self.slot(position);
        if slot.load(Relaxed) != item.as_ptr() || (position.wrapping_sub(self.top.load(Relaxed)) as isize) < 0
        {
            return false;
        }
        if below == 0 {
            // SAFETY: the caller is the owner.
            return unsafe { self.pop() }.is_some();
        }
        if !self.alone {
            slot.store(reserved(), Relaxed);
            fence(SeqCst);
            let top = self.top.load(Relaxed);
            match position.wrapping_sub(top) as isize {
                1.. => {}
                0 => return self.top.compare_exchange(top, top.wrapping_add(1), SeqCst, Relaxed).is_ok(),
                _ => return false,
            }
        }
        slot.store(tombstone(), Relaxed);
        true
    }

    /// Takes up to `count` of the oldest items at once. They belong to the caller from this call
    /// on, and the iterator gives them out.
    ///
    /// # Safety
    /// Only the owner calls it. It adds no item before the iterator is dropped.
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

    /// Takes the oldest item. Any thread may call it, unless the owner is alone.
    pub(crate) fn steal(&self) -> Stolen<T> {
        debug_assert!(!self.alone);
        let mut top = self.top.load(Acquire);
        loop {
            fence(SeqCst);
            if (self.bottom.load(Acquire).wrapping_sub(top) as isize) <= 0 {
                return Stolen::Nothing;
            }
            let item = self.slot(top).load(Relaxed);
            let next = top.wrapping_add(1);
            if item == reserved() || self.top.compare_exchange(top, next, SeqCst, Relaxed).is_err() {
                return Stolen::Again;
            }
            match NonNull::new(item) {
                Some(item) => return Stolen::Item(item),
                None => top = next,
            }
        }
    }
}
