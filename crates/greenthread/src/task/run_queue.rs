//! The ready threads of one worker: saved contexts in a ring buffer, first in, first out.
//!
//! It holds contexts and not threads, so that switching from one ready thread to the next touches
//! nothing but the two stacks.
//!
//! Invariants:
//! 1. Only its worker's OS thread writes to it. Another OS thread may read the length, as a hint.
//! 2. The capacity is a power of two and at least the number of the worker's started threads
//!    (`WorkerCore::reserve` comes before each start), and a thread is in the queue at most once: a
//!    push always has room.

use core::{
    cell::Cell,
    ptr,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};
use std::alloc::{Layout, alloc, dealloc};

use greenthread_context::Context;

/// The ring. See the module's invariants.
#[derive(Debug)]
pub(crate) struct RunQueue {
    slots: Cell<*mut Context>,
    mask: Cell<u32>,
    /// Positions counted without end; a slot is its position modulo the capacity.
    head: AtomicU32,
    tail: AtomicU32,
}

/// How many switches ahead a stack is fetched, so that its memory is there when it is switched to.
const AHEAD: u32 = 6;

/// The largest capacity, and so the largest number of started threads of a worker. Positions are 32
/// bits long.
const MAX_THREADS: usize = 1 << 30;

impl RunQueue {
    pub(crate) const fn new() -> Self {
        Self {
            slots: Cell::new(ptr::null_mut()),
            mask: Cell::new(0),
            head: AtomicU32::new(0),
            tail: AtomicU32::new(0),
        }
    }

    /// How many are ready. Exact for the owner, a hint for others.
    #[inline]
    pub(crate) fn len(&self) -> u32 {
        self.tail.load(Relaxed).wrapping_sub(self.head.load(Relaxed))
    }

    /// The position of the first thread, or if there is none, of the next one that is pushed.
    #[inline]
    pub(crate) fn head(&self) -> u32 {
        self.head.load(Relaxed)
    }

    /// How many threads it has room for.
    #[inline]
    pub(crate) fn capacity(&self) -> usize {
        if self.slots.get().is_null() { 0 } else { self.mask.get() as usize + 1 }
    }

    /// Changes the capacity to `capacity`. Returns `false`, and changes nothing, if there is no
    /// memory for it.
    ///
    /// # Safety
    /// Only the owner calls it. `capacity` is a power of two, and not less than the number of
    /// started threads.
    pub(crate) unsafe fn resize(&self, capacity: usize) -> bool {
        debug_assert!(capacity.is_power_of_two());
        if capacity > MAX_THREADS {
            return false;
        }
        let Ok(layout) = Layout::array::<Context>(capacity) else { return false };
        // SAFETY: the layout is not empty.
        let slots = unsafe { alloc(layout) }.cast::<Context>();
        if slots.is_null() {
            return false;
        }
        let (head, old, mask) = (self.head(), self.slots.get(), capacity as u32 - 1);
        for i in 0..self.len() {
            let position = head.wrapping_add(i);
            let (from, to) = ((position & self.mask.get()) as usize, (position & mask) as usize);
            // SAFETY: the slots from head to tail are filled, and `slots` has room for as many
            // (invariant 2). No other OS thread writes (invariant 1).
            unsafe { slots.add(to).write(old.add(from).read()) };
        }
        self.release();
        self.slots.set(slots);
        self.mask.set(mask);
        true
    }

    fn release(&self) {
        if let Ok(layout) = Layout::array::<Context>(self.capacity())
            && layout.size() != 0
        {
            // SAFETY: `slots` was allocated with this layout. The caller replaces or drops it.
            unsafe { dealloc(self.slots.get().cast(), layout) };
        }
    }

    /// Adds a place at the end, which the caller fills before the queue is used again.
    ///
    /// # Safety
    /// Only the owner calls it, for a started thread that is not in the queue (invariants 1, 2).
    #[inline]
    pub(crate) unsafe fn push(&self) -> *mut Context {
        debug_assert!((self.len() as usize) < self.capacity());
        let tail = self.tail.load(Relaxed);
        self.tail.store(tail.wrapping_add(1), Relaxed);
        // SAFETY: the masked position is inside the allocation, and free (invariant 2).
        unsafe { self.slots.get().add((tail & self.mask.get()) as usize) }
    }

    /// Takes the oldest one out.
    ///
    /// # Safety
    /// Only the owner calls it, and every pushed place is filled.
    #[inline]
    pub(crate) unsafe fn pop(&self) -> Option<Context> {
        let head = self.head.load(Relaxed);
        if head == self.tail.load(Relaxed) {
            return None;
        }
        self.head.store(head.wrapping_add(1), Relaxed);
        // SAFETY: the place at `head` was pushed and filled, and lies inside the allocation.
        Some(unsafe { self.slots.get().add((head & self.mask.get()) as usize).read() })
    }

    /// Takes the oldest one out and adds a place at the end, for a thread that yields: `pop`,
    /// `prefetch` and `push` in one.
    ///
    /// # Safety
    /// The contracts of these three.
    #[inline]
    pub(crate) unsafe fn rotate(&self, bytes: usize) -> Option<(Context, *mut Context)> {
        let (head, tail) = (self.head.load(Relaxed), self.tail.load(Relaxed));
        if head == tail {
            return None;
        }
        self.head.store(head.wrapping_add(1), Relaxed);
        self.tail.store(tail.wrapping_add(1), Relaxed);
        let (slots, mask) = (self.slots.get(), self.mask.get());
        // SAFETY: masked positions are inside the allocation; those from head to tail are filled,
        // and the one at tail is free, or will be when the one at head has been read (invariant 2).
        unsafe {
            let next = slots.add((head & mask) as usize).read();
            if tail.wrapping_sub(head) > AHEAD + 1 {
                slots.add((head.wrapping_add(AHEAD + 1) & mask) as usize).read().prefetch(bytes);
            }
            Some((next, slots.add((tail & mask) as usize)))
        }
    }

    /// Moves the newest `count` before all others, in the same order.
    ///
    /// # Safety
    /// As for [`RunQueue::pop`]; at least `count` are in the queue.
    pub(crate) unsafe fn prefer(&self, count: u32) {
        debug_assert!(count <= self.len());
        for _ in 0..count {
            let tail = self.tail.load(Relaxed).wrapping_sub(1);
            let head = self.head.load(Relaxed).wrapping_sub(1);
            let (slots, mask) = (self.slots.get(), self.mask.get());
            // SAFETY: the one before the tail was pushed and filled. The one before the head is
            // free, or, in a full ring, the same one.
            unsafe { slots.add((head & mask) as usize).write(slots.add((tail & mask) as usize).read()) };
            self.tail.store(tail, Relaxed);
            self.head.store(head, Relaxed);
        }
    }

    /// Has the processor fetch `bytes` of the stack that is `AHEAD` switches away. With many
    /// threads it is in no cache any more, and to wait for it would take longer than the rest of a
    /// switch.
    ///
    /// # Safety
    /// As for [`RunQueue::pop`].
    #[inline]
    pub(crate) unsafe fn prefetch(&self, bytes: usize) {
        let head = self.head.load(Relaxed);
        if self.tail.load(Relaxed).wrapping_sub(head) > AHEAD {
            let at = head.wrapping_add(AHEAD) & self.mask.get();
            // SAFETY: the place lies between head and tail: it was pushed and filled.
            unsafe { self.slots.get().add(at as usize).read() }.prefetch(bytes);
        }
    }
}

impl Drop for RunQueue {
    fn drop(&mut self) {
        self.release();
    }
}
