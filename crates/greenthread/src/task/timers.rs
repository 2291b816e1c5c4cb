//! One worker's timers: a hierarchical timing wheel (Varghese and Lauck 1987).
//!
//! A tick is 1024 ns. Level 0 has a slot for each of 64 ticks, a slot of level 1 stands for 64
//! slots of level 0, and so on; nine levels of six bits hold every `u64`. A timer lies on the level
//! of the highest digit, in base 64, in which its tick differs from the wheel's position. So all
//! timers of a level come before all timers of the next level, and inside a level the slots come in
//! order. The first timer of all is in the first occupied slot of the lowest occupied level, which
//! two bitmaps find in a few instructions.
//!
//! A slot remembers the earliest deadline in it, so that the worker wakes for a deadline and not
//! for the wheel. The position moves on with the time. It enters a slot above level 0 only when the
//! earliest deadline there has come; then the slot's timers are dealt out to lower levels. So a
//! timer that is removed in time, as most time limits are, is seldom dealt out. Every operation
//! takes constant time, except for the moves to lower levels, of which a timer has nine at most in
//! its life.
//!
//! All timers lie side by side in one table, and lists are linked through it by number. (Rejected:
//! to keep them on the waiting threads' stacks. Dealing out thousands of them walks through as many
//! pages, and each step waits for memory.) A thread sets one timer at a time, and the table grows
//! when a thread starts, so a timer allocates nothing. Lists are first in, first out, and so equal
//! deadlines fire in the order of their insertion.
//!
//! Invariants:
//! 1. An entry of the table is a linked timer, with a waiter, and in one list, that of its slot; or
//!    it is free, with no waiter, and in the list of free ones. An entry's links and those of its
//!    neighbours agree.
//! 2. A linked timer is in the slot that `place` gives for it, whatever the position was at its
//!    insertion. (Outside `deal_out`.) So the position never passes a timer, and enters a slot
//!    above level 0 only when that is dealt out at once.
//! 3. `occupied` has a bit for each slot, `levels` one for each level, that is not empty.
//! 4. `earliest` of an occupied slot is at most the least deadline in it. It is no earlier than the
//!    slot itself, except for a timer that was late when it came. It is exact, unless the timer
//!    with the least deadline was removed and left several others.

use core::ptr;
use std::vec::Vec;

use greenthread_context::prefetch;

#[cfg(test)]
mod tests;

/// Nanoseconds in a tick, as an exponent of two.
const TICK_BITS: u32 = 10;
/// Slots of a level, as an exponent of two.
const DIGIT_BITS: u32 = 6;
const SLOTS: usize = 1 << DIGIT_BITS;
const LEVELS: usize = (u64::BITS - TICK_BITS).div_ceil(DIGIT_BITS) as usize;

/// The number of no entry: the end of a list.
const NONE: u32 = u32::MAX;

/// A timer's place in the table. It says nothing of whether that timer is still there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number(u32);

/// A deadline, and the wait that it ends.
#[derive(Debug)]
struct Timer<T> {
    deadline: u64,
    /// Null if the entry is free.
    waiter: *const T,
    /// The block of the waiting thread, to be fetched ahead. It is never read here.
    block: *const u8,
    next: u32,
    previous: u32,
}

impl<T> Clone for Timer<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Timer<T> {}

impl<T> Timer<T> {
    fn tick(&self) -> u64 {
        self.deadline >> TICK_BITS
    }
}

/// A list of timers.
#[derive(Clone, Copy, Debug)]
struct Slot {
    first: u32,
    last: u32,
    /// See invariant 4. In an empty slot it means nothing.
    earliest: u64,
}

/// The wheel. See the module.
#[derive(Debug)]
pub(crate) struct Timers<T> {
    /// The position, a tick. No timer's tick is before it, except for timers that were late when
    /// they came.
    position: u64,
    levels: u16,
    /// The first free entry of the table.
    free: u32,
    table: Vec<Timer<T>>,
    occupied: [u64; LEVELS],
    slots: [Slot; LEVELS * SLOTS],
}

impl<T> Timers<T> {
    pub(crate) const fn new() -> Self {
        let empty = Slot { first: NONE, last: NONE, earliest: u64::MAX };
        Self {
            position: 0,
            levels: 0,
            free: NONE,
            table: Vec::new(),
            occupied: [0; LEVELS],
            slots: [empty; LEVELS * SLOTS],
        }
    }

    /// Makes room for `timers` timers in all. Returns `false` if there is no memory for it.
    pub(crate) fn reserve(&mut self, timers: usize) -> bool {
        timers < NONE as usize
            && self.table.try_reserve_exact(timers.saturating_sub(self.table.len())).is_ok()
    }

    /// Makes the table smaller, to a room for `timers` timers. Timers stay where they are, so it
    /// stays as large as they need.
    pub(crate) fn shrink(&mut self, timers: usize) {
        let used = self.table.iter().rposition(|timer| !timer.waiter.is_null()).map_or(0, |last| last + 1);
        if used.max(timers) > self.table.capacity() / 2 {
            return;
        }
        self.table.truncate(used);
        self.table.shrink_to(timers);
        self.free = NONE;
        for (number, timer) in self.table.iter_mut().enumerate().rev() {
            if timer.waiter.is_null() {
                timer.next = self.free;
                self.free = number as u32;
            }
        }
    }

    /// Whether there is no timer.
    pub(crate) fn is_empty(&self) -> bool {
        self.levels == 0
    }

    /// When to call `expire` next. It is never later than the first deadline. It is earlier only if
    /// the timer with a slot's earliest deadline was removed; the `expire` at that time makes the
    /// slot's `earliest` exact again.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.first_slot().map(|slot| self.slots[slot].earliest)
    }

    /// Adds a timer for a waiter that has none here. `block` is the block of its thread. If it is
    /// late already, it fires at the next `expire`.
    #[inline]
    pub(crate) fn insert(&mut self, waiter: *const T, block: *const u8, deadline: u64) -> Number {
        let timer = Timer { deadline, waiter, block, next: NONE, previous: NONE };
        let number = self.free;
        let number = if number == NONE {
            // The table has room: the caller has called `reserve`.
            self.table.push(timer);
            self.table.len() as u32 - 1
        } else {
            self.free = self.table[number as usize].next;
            self.table[number as usize] = timer;
            number
        };
        self.link(self.place(&timer), number);
        Number(number)
    }

    /// Takes a timer out, unless it has fired.
    #[inline]
    pub(crate) fn remove(&mut self, Number(number): Number, waiter: *const T) {
        // If the timer has fired, the entry is free, or belongs to another wait, or is not there
        // any more.
        let timer = match self.table.get(number as usize) {
            Some(&timer) if timer.waiter == waiter => timer,
            _ => return,
        };
        let slot = self.place(&timer);
        self.unlink(slot, number);
        self.release(number);
        // The removed timer may have had the earliest deadline. To look for the new one could take
        // long, except if one timer is left.
        let Slot { first, last, .. } = self.slots[slot];
        if first == last && first != NONE {
            self.slots[slot].earliest = self.table[first as usize].deadline;
        }
    }

    /// Fires all timers with a deadline up to `now`: takes each out, then calls `fire` with its
    /// waiter. Ticks come in order; in a tick, the order is that of insertion.
    #[inline]
    pub(crate) fn expire(&mut self, now: u64, mut fire: impl FnMut(*const T)) {
        while let Some(slot) = self.first_slot()
            && self.slots[slot].earliest <= now
        {
            // The position enters the slot and moves up to its first timer, as there is none before
            // it.
            self.position = self.position.max(self.slots[slot].earliest >> TICK_BITS);
            let Slot { first, last, .. } = self.slots[slot];
            if slot < SLOTS || first == last {
                self.fire_slot(slot, now, &mut fire);
            } else {
                self.deal_out(slot);
            }
        }
        self.advance(now >> TICK_BITS);
    }

    /// Fires what is due in a slot.
    // Each sleep goes through this and `unlink`. Out of line the two take 60 of a sleep's 850
    // instructions.
    #[inline(always)]
    fn fire_slot(&mut self, slot: usize, now: u64, fire: &mut impl FnMut(*const T)) {
        let last = self.slots[slot].last;
        let mut earliest = u64::MAX;
        // It takes timers out one at a time, and moves a timer that is not due to the end of the
        // list. So the list is whole when `fire` is called, even if that panics.
        loop {
            let number = self.slots[slot].first;
            let timer = self.table[number as usize];
            self.unlink(slot, number);
            if timer.deadline <= now {
                self.release(number);
                fire(timer.waiter);
            } else {
                earliest = earliest.min(timer.deadline);
                self.link(self.place(&timer), number);
            }
            if number == last {
                break;
            }
        }
        self.slots[slot].earliest = earliest;
    }

    /// Moves a slot's timers to lower levels, now that the position has entered it.
    fn deal_out(&mut self, slot: usize) {
        let mut number = self.slots[slot].first;
        self.clear(slot);
        while number != NONE {
            let timer = self.table[number as usize];
            let place = self.place(&timer);
            debug_assert!(place / SLOTS < slot / SLOTS);
            if place < SLOTS {
                // The timer fires within 64 ticks. Waiter and block may not have been touched for
                // long, so they are fetched now.
                prefetch(timer.waiter.cast(), 64);
                prefetch(timer.block, 128);
            }
            self.link(place, number);
            number = timer.next;
        }
    }

    /// Moves the position on to `tick`, or as far as it can go without entering an occupied slot
    /// above level 0.
    fn advance(&mut self, tick: u64) {
        let tick = match self.first_slot() {
            None => tick,
            Some(slot) if slot < SLOTS => tick.min(self.start(slot)),
            Some(slot) => tick.min(self.start(slot) - 1),
        };
        self.position = self.position.max(tick);
    }

    /// The number of the first occupied slot, counted through all levels.
    #[inline]
    fn first_slot(&self) -> Option<usize> {
        if self.is_empty() {
            return None;
        }
        let level = self.levels.trailing_zeros() as usize;
        Some(level * SLOTS + self.occupied[level].trailing_zeros() as usize)
    }

    /// The first tick of an occupied slot: the position's digits above its level, then its own,
    /// then zeros.
    fn start(&self, slot: usize) -> u64 {
        let shift = DIGIT_BITS * (slot / SLOTS) as u32;
        let above = self.position >> shift >> DIGIT_BITS << DIGIT_BITS;
        (above | (slot % SLOTS) as u64) << shift
    }

    /// The slot that a timer belongs to.
    #[inline]
    fn place(&self, timer: &Timer<T>) -> usize {
        let tick = timer.tick().max(self.position);
        let differs = (tick ^ self.position) | 1;
        let level = differs.ilog2() / DIGIT_BITS;
        let digit = (tick >> (DIGIT_BITS * level)) as usize % SLOTS;
        level as usize * SLOTS + digit
    }

    /// Puts an unlinked timer at the end of a slot.
    #[inline]
    fn link(&mut self, slot: usize, number: u32) {
        let Slot { first, last, earliest } = &mut self.slots[slot];
        let timer = &mut self.table[number as usize];
        timer.next = NONE;
        timer.previous = *last;
        let deadline = timer.deadline;
        if *last == NONE {
            *first = number;
            *earliest = deadline;
            self.occupied[slot / SLOTS] |= 1 << (slot % SLOTS);
            self.levels |= 1 << (slot / SLOTS);
        } else {
            self.table[*last as usize].next = number;
            *earliest = deadline.min(*earliest);
        }
        *last = number;
    }

    /// Takes a linked timer out of its list, which is that of `slot`.
    #[inline(always)]
    fn unlink(&mut self, slot: usize, number: u32) {
        let Timer { next, previous, .. } = self.table[number as usize];
        match next {
            NONE => self.slots[slot].last = previous,
            next => self.table[next as usize].previous = previous,
        }
        match previous {
            NONE => self.slots[slot].first = next,
            previous => self.table[previous as usize].next = next,
        }
        if self.slots[slot].first == NONE {
            self.clear(slot);
        }
    }

    /// Makes an unlinked entry a free one.
    #[inline]
    fn release(&mut self, number: u32) {
        let entry = &mut self.table[number as usize];
        entry.waiter = ptr::null();
        entry.next = self.free;
        self.free = number;
    }

    fn clear(&mut self, slot: usize) {
        let level = slot / SLOTS;
        self.slots[slot].first = NONE;
        self.slots[slot].last = NONE;
        self.occupied[level] &= !(1 << (slot % SLOTS));
        if self.occupied[level] == 0 {
            self.levels &= !(1 << level);
        }
    }
}
