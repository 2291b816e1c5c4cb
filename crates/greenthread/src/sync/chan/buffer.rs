//! The messages that have been sent and not received yet, first in, first out.
//!
//! This is plain data behind the channel's lock. The functions that run under the lock allocate and
//! free nothing: the caller brings blocks, and takes them away, without the lock.
//!
//! Invariants:
//! 1. Ring: the `len` slots from `head` on, modulo the capacity, are filled; the others are not.
//!    The sum of `len` and `kept` is at most the capacity.
//! 2. Blocks: `head` is the oldest block and `tail` the newest, linked by `next`; either both are
//!    null or neither is. The filled slots are those from `taken` in the head block to `filled` in
//!    the tail block, `len` in all. Each block has at least one filled slot, unless it is the only
//!    block.
//! 3. Each block in the list came from `Box::into_raw`, and the list owns it. It owns `spare` too.

use core::{
    mem::{self, MaybeUninit, needs_drop},
    ptr,
};

/// The buffer of a channel.
pub(super) enum Buffer<T> {
    Ring(Ring<T>),
    Blocks(Blocks<T>),
}

/// The outcome of a push.
pub(super) enum Pushed<T> {
    Done,
    /// It is done, and it began a new lap: this is the number of messages that go once around the
    /// ring, or into one block. The caller spends that much of its cooperative budget.
    Lap(u32),
    /// The ring is full.
    Full(T),
    /// There is no free block. The caller brings one with `supply`, and pushes again.
    NoBlock(T),
}

/// What the caller of a pop has to do afterwards.
pub(super) enum Popped<T> {
    Rest,
    /// It ended a lap of that many messages: the caller spends that much of its cooperative budget.
    /// A block that has become free is the caller's to drop, without the lock.
    Lap(u32, Option<Box<Block<T>>>),
}

impl<T> Buffer<T> {
    /// A ring for `capacity` messages. Allocates memory for all of them; panics if that is more
    /// than `isize::MAX` bytes.
    pub(super) fn bounded(capacity: usize) -> Self {
        Buffer::Ring(Ring { slots: Box::new_uninit_slice(capacity), head: 0, len: 0, kept: 0 })
    }

    /// Blocks for any number of messages.
    pub(super) const fn unbounded() -> Self {
        Buffer::Blocks(Blocks {
            head: ptr::null_mut(),
            tail: ptr::null_mut(),
            taken: 0,
            filled: 0,
            len: 0,
            spare: None,
        })
    }

    #[inline]
    pub(super) fn push(&mut self, message: T) -> Pushed<T> {
        match self {
            Buffer::Ring(ring) => ring.push(message),
            Buffer::Blocks(blocks) => blocks.push(message),
        }
    }

    /// Takes the oldest message.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<(T, Popped<T>)> {
        match self {
            Buffer::Ring(ring) => ring.pop(),
            Buffer::Blocks(blocks) => blocks.pop(),
        }
    }

    /// Puts a message back that was the oldest one. If a ring is full, returns the message that is
    /// the newest then: it has no place any more.
    pub(super) fn put_back(&mut self, message: T) -> Pushed<T> {
        match self {
            Buffer::Ring(ring) => ring.put_back(message),
            Buffer::Blocks(blocks) => blocks.put_back(message),
        }
    }

    /// The number of messages.
    pub(super) fn len(&self) -> usize {
        match self {
            Buffer::Ring(ring) => ring.len,
            Buffer::Blocks(blocks) => blocks.len,
        }
    }

    /// Whether there is a slot that is neither filled nor reserved.
    pub(super) fn has_room(&self) -> bool {
        match self {
            Buffer::Ring(ring) => ring.len + ring.kept < ring.slots.len(),
            Buffer::Blocks(_) => true,
        }
    }

    /// Reserves a slot for a message that comes later. There must be a free one.
    pub(super) fn keep(&mut self) {
        debug_assert!(self.has_room());
        if let Buffer::Ring(ring) = self {
            ring.kept += 1;
        }
    }

    /// Ends a reservation: the caller pushes the message now, or there will be none.
    pub(super) fn release(&mut self) {
        if let Buffer::Ring(ring) = self {
            ring.kept -= 1;
        }
    }

    /// Brings a block for the next push. Returns it if it is not needed.
    pub(super) fn supply(&mut self, block: Box<Block<T>>) -> Option<Box<Block<T>>> {
        match self {
            Buffer::Blocks(blocks) if blocks.spare.is_none() => {
                blocks.spare = Some(block);
                None
            }
            _ => Some(block),
        }
    }
}

/// The buffer of a bounded channel (invariant 1).
pub(super) struct Ring<T> {
    slots: Box<[MaybeUninit<T>]>,
    head: usize,
    len: usize,
    /// The number of free slots that are reserved for messages to come.
    kept: usize,
}

impl<T> Ring<T> {
    #[inline]
    fn push(&mut self, message: T) -> Pushed<T> {
        let capacity = self.slots.len();
        if self.len + self.kept == capacity {
            return Pushed::Full(message);
        }
        let end = self.head + self.len;
        self.len += 1;
        if end < capacity {
            self.slots[end].write(message);
            return Pushed::Done;
        }
        self.slots[end - capacity].write(message);
        if end == capacity { Pushed::Lap(self.lap()) } else { Pushed::Done }
    }

    /// The number of messages in one lap.
    fn lap(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    #[inline]
    fn pop(&mut self) -> Option<(T, Popped<T>)> {
        if self.len == 0 {
            return None;
        }
        // SAFETY: the slot at `head` is filled, and counts as free from here on (invariant 1).
        let message = unsafe { self.slots[self.head].assume_init_read() };
        self.len -= 1;
        // An empty ring starts again at its first slot: a channel that is mostly empty uses one
        // cache line.
        self.head += 1;
        let mut rest = Popped::Rest;
        if self.len == 0 {
            self.head = 0;
        } else if self.head == self.slots.len() {
            self.head = 0;
            rest = Popped::Lap(self.lap(), None);
        }
        Some((message, rest))
    }
}

impl<T> Ring<T> {
    #[cold]
    fn put_back(&mut self, message: T) -> Pushed<T> {
        let capacity = self.slots.len();
        let newest = if self.len + self.kept < capacity {
            None
        } else if self.len == 0 {
            return Pushed::Full(message);
        } else {
            self.len -= 1;
            // SAFETY: the last of the filled slots, which counts as free from here on (invariant
            // 1).
            Some(unsafe { self.slots[(self.head + self.len) % capacity].assume_init_read() })
        };
        self.head = self.head.checked_sub(1).unwrap_or(capacity - 1);
        self.len += 1;
        self.slots[self.head].write(message);
        newest.map_or(Pushed::Done, Pushed::Full)
    }
}

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        // The messages are dropped one by one. If they were dropped as a slice and one panicked,
        // the rest would be dropped during unwinding, where a second panic aborts. Here the first
        // panic leaves the loop, as in std, and the remaining messages are leaked.
        while needs_drop::<T>()
            && let Some((message, _)) = self.pop()
        {
            drop(message);
        }
    }
}

/// The number of messages in a block. With the `next` pointer, a block of one-word messages is 32
/// words long. A larger block wastes memory in a channel with few messages; a smaller one needs
/// more frequent allocations.
const PER_BLOCK: usize = 31;

/// One block of an unbounded buffer.
pub(super) struct Block<T> {
    next: *mut Block<T>,
    slots: [MaybeUninit<T>; PER_BLOCK],
}

impl<T> Block<T> {
    /// An empty block. It is made in place on the heap, since it may be larger than the stack.
    pub(super) fn new() -> Box<Self> {
        let mut block = Box::<Self>::new_uninit();
        // SAFETY: `next` is a field of the new allocation. With it written the block is
        // initialised: the slots are `MaybeUninit`.
        unsafe {
            (&raw mut (*block.as_mut_ptr()).next).write(ptr::null_mut());
            block.assume_init()
        }
    }
}

/// The buffer of an unbounded channel (invariants 2, 3).
pub(super) struct Blocks<T> {
    head: *mut Block<T>,
    tail: *mut Block<T>,
    taken: usize,
    filled: usize,
    len: usize,
    spare: Option<Box<Block<T>>>,
}

// SAFETY: it owns its blocks (invariant 3), and they contain only messages, which are `Send`.
unsafe impl<T: Send> Send for Blocks<T> {}

impl<T> Blocks<T> {
    #[inline]
    fn push(&mut self, message: T) -> Pushed<T> {
        let mut pushed = Pushed::Done;
        if self.tail.is_null() || self.filled == PER_BLOCK {
            let Some(block) = self.spare.take() else { return Pushed::NoBlock(message) };
            self.link(block);
            pushed = Pushed::Lap(PER_BLOCK as u32);
        }
        // SAFETY: `tail` is a block that the list owns (invariants 2, 3), and its slot at `filled`
        // is free.
        unsafe { (&mut (*self.tail).slots)[self.filled].write(message) };
        self.filled += 1;
        self.len += 1;
        pushed
    }

    #[cold]
    fn put_back(&mut self, message: T) -> Pushed<T> {
        if self.len == 0 {
            return self.push(message);
        }
        if self.taken == 0 {
            let Some(mut block) = self.spare.take() else { return Pushed::NoBlock(message) };
            block.next = self.head;
            self.head = Box::into_raw(block);
            self.taken = PER_BLOCK;
        }
        self.taken -= 1;
        self.len += 1;
        // SAFETY: `head` is a block that the list owns (invariants 2, 3), and its slot at `taken`
        // is free.
        unsafe { (&mut (*self.head).slots)[self.taken].write(message) };
        Pushed::Done
    }

    fn link(&mut self, block: Box<Block<T>>) {
        let block = Box::into_raw(block);
        if self.tail.is_null() {
            self.head = block;
            self.taken = 0;
        } else {
            // SAFETY: `tail` is a block that the list owns (invariants 2, 3).
            unsafe { (*self.tail).next = block };
        }
        self.tail = block;
        self.filled = 0;
    }

    #[inline]
    fn pop(&mut self) -> Option<(T, Popped<T>)> {
        if self.len == 0 {
            return None;
        }
        // SAFETY: the slot at `taken` in the head block is filled, and counts as free from here on
        // (invariant 2).
        let message = unsafe { (&(*self.head).slots)[self.taken].assume_init_read() };
        self.taken += 1;
        self.len -= 1;
        let mut rest = Popped::Rest;
        if self.len == 0 {
            // Only one block is left (invariant 2); start again at its first slot: a channel that
            // is mostly empty uses one cache line.
            self.taken = 0;
            self.filled = 0;
        } else if self.taken == PER_BLOCK {
            rest = Popped::Lap(PER_BLOCK as u32, self.unlink());
        }
        Some((message, rest))
    }

    /// Takes the emptied head block out of the list. There is another block. Returns it unless it
    /// becomes the spare one.
    fn unlink(&mut self) -> Option<Box<Block<T>>> {
        // SAFETY: the list owns the head block (invariant 3), which leaves the list here.
        let mut block = unsafe { Box::from_raw(self.head) };
        self.head = mem::replace(&mut block.next, ptr::null_mut());
        self.taken = 0;
        if self.spare.is_some() {
            return Some(block);
        }
        self.spare = Some(block);
        None
    }
}

impl<T> Drop for Blocks<T> {
    fn drop(&mut self) {
        // As in a ring, a message whose drop panics leaks the remaining ones, here together with
        // their blocks.
        while let Some((message, free)) = self.pop() {
            drop(message);
            drop(free);
        }
        if !self.head.is_null() {
            // SAFETY: an empty list has at most one block (invariant 2), which it owns (3).
            drop(unsafe { Box::from_raw(self.head) });
        }
    }
}
