//! Messages that nobody has received yet: first in, first out.
//!
//! Plain data behind the channel's lock, so nothing in here allocates or frees: blocks are brought
//! and taken away by the caller, who does that without the lock.
//!
//! Invariants:
//! 1. Ring: the `len` slots from `head` on, modulo the capacity, are filled; the others are not.
//!    `len` and `kept` together are at most the capacity.
//! 2. Blocks: `head` is the oldest block and `tail` the newest, linked by `next`; both are null, or
//!    neither. The filled slots are those from `taken` in the head block to `filled` in the tail
//!    block, `len` in all. Each block has one at least, unless it is the only one.
//! 3. Each block in the list came from `Box::into_raw`, and the list owns it. So does `spare`.

use core::{
    mem::{self, MaybeUninit, needs_drop},
    ptr,
};

/// The buffer of a channel.
pub(super) enum Buffer<T> {
    Ring(Ring<T>),
    Blocks(Blocks<T>),
}

/// What a push came to.
pub(super) enum Pushed<T> {
    Done,
    /// It is done, and is the first of so many messages of one time around the buffer.
    Lap(u32),
    /// The ring is full.
    Full(T),
    /// There is no block to put it in: bring one with `supply`.
    NoBlock(T),
}

/// What a pop leaves.
pub(super) enum Popped<T> {
    Rest,
    /// That was the last of so many messages of one time around the buffer. A block that has become
    /// free is for the caller to drop.
    Lap(u32, Option<Box<Block<T>>>),
}

impl<T> Buffer<T> {
    /// For `capacity` messages. Allocates for all of them: panics if that exceeds `isize::MAX`
    /// bytes.
    pub(super) fn bounded(capacity: usize) -> Self {
        Buffer::Ring(Ring { slots: Box::new_uninit_slice(capacity), head: 0, len: 0, kept: 0 })
    }

    /// For any number of messages.
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

    /// The oldest message.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<(T, Popped<T>)> {
        match self {
            Buffer::Ring(ring) => ring.pop(),
            Buffer::Blocks(blocks) => blocks.pop(),
        }
    }

    /// How many messages there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Buffer::Ring(ring) => ring.len,
            Buffer::Blocks(blocks) => blocks.len,
        }
    }

    /// Whether there is room for one more.
    pub(super) fn has_room(&self) -> bool {
        match self {
            Buffer::Ring(ring) => ring.len + ring.kept < ring.slots.len(),
            Buffer::Blocks(_) => true,
        }
    }

    /// Keeps room for a message that comes later; there must be some.
    pub(super) fn keep(&mut self) {
        debug_assert!(self.has_room());
        if let Buffer::Ring(ring) = self {
            ring.kept += 1;
        }
    }

    /// Ends a `keep`: now the message is pushed, or there will be none.
    pub(super) fn release(&mut self) {
        if let Buffer::Ring(ring) = self {
            ring.kept -= 1;
        }
    }

    /// Brings a block for the next push; back comes what isn't needed.
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

/// See invariant 1.
pub(super) struct Ring<T> {
    slots: Box<[MaybeUninit<T>]>,
    head: usize,
    len: usize,
    /// How many of the free slots are kept for messages to come.
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

    /// How many messages there are in one time around.
    fn lap(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    #[inline]
    fn pop(&mut self) -> Option<(T, Popped<T>)> {
        if self.len == 0 {
            return None;
        }
        // SAFETY: the slot at `head` is filled, and from here on it isn't (invariant 1).
        let message = unsafe { self.slots[self.head].assume_init_read() };
        self.len -= 1;
        // An empty ring starts over: a channel that is mostly empty stays in one cache line.
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

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        // One by one, and not as a slice: of that the others would be dropped while the first panic
        // unwinds, and a second one aborts. As in std, the first panic is let out, and the other
        // messages are leaked.
        while needs_drop::<T>()
            && let Some((message, _)) = self.pop()
        {
            drop(message);
        }
    }
}

/// Messages per block.
const PER_BLOCK: usize = 31;

/// One piece of an unbounded buffer.
pub(super) struct Block<T> {
    next: *mut Block<T>,
    slots: [MaybeUninit<T>; PER_BLOCK],
}

impl<T> Block<T> {
    /// An empty block, made in place: it may be larger than the stack.
    pub(super) fn new() -> Box<Self> {
        let mut block = Box::<Self>::new_uninit();
        // SAFETY: `next` is a field of our own allocation; after this all is initialised that must
        // be.
        unsafe {
            (&raw mut (*block.as_mut_ptr()).next).write(ptr::null_mut());
            block.assume_init()
        }
    }
}

/// See invariants 2 and 3.
pub(super) struct Blocks<T> {
    head: *mut Block<T>,
    tail: *mut Block<T>,
    taken: usize,
    filled: usize,
    len: usize,
    spare: Option<Box<Block<T>>>,
}

// SAFETY: it owns its blocks (invariant 3), and they hold nothing but messages.
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
        // SAFETY: `tail` is a block of ours (invariants 2, 3), with a slot that isn't filled.
        unsafe { (&mut (*self.tail).slots)[self.filled].write(message) };
        self.filled += 1;
        self.len += 1;
        pushed
    }

    fn link(&mut self, block: Box<Block<T>>) {
        let block = Box::into_raw(block);
        if self.tail.is_null() {
            self.head = block;
            self.taken = 0;
        } else {
            // SAFETY: `tail` is a block of ours.
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
        // SAFETY: the slot at `taken` in the head block is filled, and from here on it isn't
        // (invariant 2).
        let message = unsafe { (&(*self.head).slots)[self.taken].assume_init_read() };
        self.taken += 1;
        self.len -= 1;
        let mut rest = Popped::Rest;
        if self.len == 0 {
            // Start over in the one block there is (invariant 2): a channel that is mostly empty
            // stays in one cache line.
            self.taken = 0;
            self.filled = 0;
        } else if self.taken == PER_BLOCK {
            rest = Popped::Lap(PER_BLOCK as u32, self.unlink());
        }
        Some((message, rest))
    }

    /// Takes the head block out, which is emptied; there is another.
    fn unlink(&mut self) -> Option<Box<Block<T>>> {
        // SAFETY: the head block is ours (invariant 3), and leaves the list here.
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
        // As in a ring, a message whose drop panics leaks the others; here with their blocks.
        while let Some((message, free)) = self.pop() {
            drop(message);
            drop(free);
        }
        if !self.head.is_null() {
            // SAFETY: an empty list has one block left, or none.
            drop(unsafe { Box::from_raw(self.head) });
        }
    }
}
