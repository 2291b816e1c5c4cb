//! One worker's timers: a hierarchical timing wheel (Varghese and Lauck 1987), for any number of them.
//!
//! A tick is 1024 ns. Level 0 has a slot for each of 64 ticks, a slot of level 1 stands for 64 slots of
//! level 0, and so on; nine levels of six bits hold every `u64`. A timer lies on the level of the highest
//! digit, in base 64, in which its tick differs from the wheel's position. So all of one level comes
//! before all of the next one, and inside a level the slots come in order: the first timer of all is in
//! the first slot of the lowest level that holds anything, and two bitmaps find it in a few instructions.
//!
//! A slot remembers the earliest deadline in it, so that the worker wakes for a deadline and not for the
//! wheel. The position moves on as time does, but enters a slot above level 0 only when that deadline
//! has come; then the slot's timers are dealt out to lower levels. A timer that is taken out in time, as
//! most time limits are, is thus seldom dealt out at all, and every operation is constant time, or nine
//! moves at most in a timer's whole life.
//!
//! The nodes live on the waiting threads' stacks: a timer allocates nothing. Lists are first in, first
//! out, and so equal deadlines fire in the order of their insertion.
//!
//! Invariants:
//! 1. A linked timer is alive, doesn't move, and is in one list: that of `slot`. Its links and those of
//!    its neighbours agree; the links of an unlinked timer mean nothing.
//! 2. A linked timer is in the slot that `place` gives for it, whatever the position was at its insertion.
//!    (Outside `deal_out`.) So the position never passes a timer, and enters a slot above level 0 only when
//!    that is dealt out at once.
//! 3. `occupied` has a bit for each slot, `levels` one for each level, that is not empty.
//! 4. `earliest` of an occupied slot is at most the least deadline in it, and no earlier than the slot or a
//!    timer that was late when it came. It is exact, unless that timer was removed and left several others.
//! 5. Timers and their nodes are touched on their worker's OS thread only, and only by way of `Cell`s.

use core::{
    cell::Cell,
    marker::PhantomPinned,
    ptr::{self, NonNull},
};

use super::wait::Waiter;

/// Nanoseconds in a tick, as a power of two.
const TICK_BITS: u32 = 10;
/// Slots of a level, as a power of two.
const DIGIT_BITS: u32 = 6;
const SLOTS: usize = 1 << DIGIT_BITS;
const LEVELS: usize = (u64::BITS - TICK_BITS).div_ceil(DIGIT_BITS) as usize;

/// In `Timer::slot`: in none.
const UNLINKED: u16 = u16::MAX;

/// A deadline, and the wait that it ends.
#[derive(Debug)]
pub(crate) struct Timer {
    deadline: u64,
    waiter: *const Waiter,
    /// The slot, counted through all levels.
    slot: Cell<u16>,
    next: Cell<*const Timer>,
    previous: Cell<*const Timer>,
    _pinned: PhantomPinned,
}

impl Timer {
    /// A timer in no wheel; `deadline` as the worker's clock counts.
    pub(crate) fn new(waiter: *const Waiter, deadline: u64) -> Self {
        Self {
            deadline,
            waiter,
            slot: Cell::new(UNLINKED),
            next: Cell::new(ptr::null()),
            previous: Cell::new(ptr::null()),
            _pinned: PhantomPinned,
        }
    }

    /// Whether it has yet to fire, or to be removed.
    pub(crate) fn is_linked(&self) -> bool {
        self.slot.get() != UNLINKED
    }

    /// The wait that it ends.
    pub(crate) fn waiter(&self) -> *const Waiter {
        self.waiter
    }

    fn tick(&self) -> u64 {
        self.deadline >> TICK_BITS
    }
}

/// A list of timers.
#[derive(Clone, Copy, Debug)]
struct Slot {
    first: *const Timer,
    last: *const Timer,
    /// Invariant 4. Means nothing in an empty slot.
    earliest: u64,
}

/// The wheel. See the module.
#[derive(Debug)]
pub(crate) struct Timers {
    /// The position: no timer has a tick before it, but for those that were late when they came.
    position: u64,
    levels: u16,
    occupied: [u64; LEVELS],
    slots: [Slot; LEVELS * SLOTS],
}

impl Timers {
    pub(crate) const fn new() -> Self {
        let empty = Slot { first: ptr::null(), last: ptr::null(), earliest: u64::MAX };
        Self { position: 0, levels: 0, occupied: [0; LEVELS], slots: [empty; LEVELS * SLOTS] }
    }

    /// Whether there is no timer.
    pub(crate) fn is_empty(&self) -> bool {
        self.levels == 0
    }

    /// When to call `expire` next; sooner is no use. Never later than the first deadline; earlier only if a
    /// timer was removed that had a slot's earliest, and then that slot's next `expire` puts it right.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.first_slot().map(|slot| self.slots[slot].earliest)
    }

    /// Adds a timer. One that is late already fires at the next `expire`.
    ///
    /// # Safety
    /// The timer is in no wheel. It stays alive and where it is until it has fired or was removed
    /// (invariant 1), and was made on this OS thread (invariant 5).
    pub(crate) unsafe fn insert(&mut self, timer: NonNull<Timer>) {
        // SAFETY: alive, says the caller (invariant 1).
        let timer = unsafe { timer.as_ref() };
        debug_assert!(!timer.is_linked());
        self.link(self.place(timer), timer);
    }

    /// Takes a timer out before it fires.
    ///
    /// # Safety
    /// The timer is linked, in this wheel.
    pub(crate) unsafe fn remove(&mut self, timer: NonNull<Timer>) {
        // SAFETY: linked, hence alive (invariant 1).
        let timer = unsafe { timer.as_ref() };
        let slot = usize::from(timer.slot.get());
        debug_assert_eq!(slot, self.place(timer));
        self.unlink(timer);
        // The earliest may have gone. Looking for the new one could take long; one alone is at hand.
        let Slot { first, last, .. } = self.slots[slot];
        if first == last {
            // SAFETY: null, or linked and so alive (invariant 1).
            if let Some(only) = unsafe { first.as_ref() } {
                self.slots[slot].earliest = only.deadline;
            }
        }
    }

    /// Fires all timers with a deadline up to `now`: takes each out, then calls `fire`. Ticks come in
    /// order; in a tick, the order is that of insertion.
    pub(crate) fn expire(&mut self, now: u64, mut fire: impl FnMut(NonNull<Timer>)) {
        while let Some(slot) = self.first_slot()
            && self.slots[slot].earliest <= now
        {
            // Into the slot, and up to its first timer: there is none before it.
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
    fn fire_slot(&mut self, slot: usize, now: u64, fire: &mut impl FnMut(NonNull<Timer>)) {
        let last = self.slots[slot].last;
        let mut earliest = u64::MAX;
        // One at a time, and what is not due once round to the end: whatever `fire` does, even panic, the
        // list is whole.
        loop {
            // SAFETY: we stop at the last one, so there is a first, and it is alive (invariant 1).
            let timer = unsafe { &*self.slots[slot].first };
            let done = ptr::eq(timer, last);
            self.unlink(timer);
            if timer.deadline <= now {
                fire(NonNull::from(timer));
            } else {
                earliest = earliest.min(timer.deadline);
                self.link(self.place(timer), timer);
            }
            if done {
                break;
            }
        }
        self.slots[slot].earliest = earliest;
    }

    /// Moves a slot's timers to lower levels, now that the position has entered it.
    fn deal_out(&mut self, slot: usize) {
        let mut next = self.slots[slot].first;
        self.clear(slot);
        // SAFETY: null, or a timer of the slot's, alive (invariant 1).
        while let Some(timer) = unsafe { next.as_ref() } {
            next = timer.next.get();
            let place = self.place(timer);
            debug_assert!(place / SLOTS < slot / SLOTS);
            self.link(place, timer);
        }
    }

    /// Moves the position on to `tick`, or as far as no timer needs to be moved for it.
    fn advance(&mut self, tick: u64) {
        let tick = match self.first_slot() {
            None => tick,
            Some(slot) if slot < SLOTS => tick.min(self.start(slot)),
            Some(slot) => tick.min(self.start(slot) - 1),
        };
        self.position = self.position.max(tick);
    }

    /// The first slot that holds anything, counted through all levels.
    #[inline]
    fn first_slot(&self) -> Option<usize> {
        if self.is_empty() {
            return None;
        }
        let level = self.levels.trailing_zeros() as usize;
        Some(level * SLOTS + self.occupied[level].trailing_zeros() as usize)
    }

    /// The first tick of an occupied slot: the position's digits above its level, then its own, then zeros.
    fn start(&self, slot: usize) -> u64 {
        let shift = DIGIT_BITS * (slot / SLOTS) as u32;
        let above = self.position >> shift >> DIGIT_BITS << DIGIT_BITS;
        (above | (slot % SLOTS) as u64) << shift
    }

    /// The slot that a timer belongs to.
    #[inline]
    fn place(&self, timer: &Timer) -> usize {
        let tick = timer.tick().max(self.position);
        let differs = (tick ^ self.position) | 1;
        let level = differs.ilog2() / DIGIT_BITS;
        let digit = (tick >> (DIGIT_BITS * level)) as usize % SLOTS;
        level as usize * SLOTS + digit
    }

    /// Puts an unlinked timer at the end of a slot.
    #[inline]
    fn link(&mut self, slot: usize, timer: &Timer) {
        let Slot { first, last, earliest } = &mut self.slots[slot];
        timer.slot.set(slot as u16);
        timer.next.set(ptr::null());
        timer.previous.set(*last);
        // SAFETY: null, or linked and so alive (invariant 1).
        match unsafe { last.as_ref() } {
            Some(last) => {
                last.next.set(timer);
                *earliest = timer.deadline.min(*earliest);
            }
            None => {
                *first = timer;
                *earliest = timer.deadline;
                self.occupied[slot / SLOTS] |= 1 << (slot % SLOTS);
                self.levels |= 1 << (slot / SLOTS);
            }
        }
        *last = timer;
    }

    /// Takes a linked timer out of its list.
    #[inline]
    fn unlink(&mut self, timer: &Timer) {
        let slot = usize::from(timer.slot.replace(UNLINKED));
        let (next, previous) = (timer.next.get(), timer.previous.get());
        // SAFETY: null, or a neighbour, linked and so alive (invariant 1). The same for `previous`.
        match unsafe { next.as_ref() } {
            Some(next) => next.previous.set(previous),
            None => self.slots[slot].last = previous,
        }
        // SAFETY: as above.
        match unsafe { previous.as_ref() } {
            Some(previous) => previous.next.set(next),
            None => self.slots[slot].first = next,
        }
        if self.slots[slot].first.is_null() {
            self.clear(slot);
        }
    }

    fn clear(&mut self, slot: usize) {
        let level = slot / SLOTS;
        self.slots[slot].first = ptr::null();
        self.slots[slot].last = ptr::null();
        self.occupied[level] &= !(1 << (slot % SLOTS));
        if self.occupied[level] == 0 {
            self.levels &= !(1 << level);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{boxed::Box, collections::BTreeMap, vec::Vec};

    use super::*;

    const TICK: u64 = 1 << TICK_BITS;

    /// SplitMix64.
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }

        fn below(&mut self, bound: u64) -> u64 {
            self.next() % bound
        }

        /// All magnitudes alike, from nothing up to 2^`bits`.
        fn spread(&mut self, bits: u64) -> u64 {
            let bits = self.below(bits + 1);
            self.next() & 1u64.checked_shl(bits as u32).map_or(u64::MAX, |bit| bit - 1)
        }
    }

    fn timer(deadline: u64) -> Box<Timer> {
        Box::new(Timer::new(ptr::null(), deadline))
    }

    /// A wheel, and beside it the plain truth. Timers have numbers, in the order of their insertion.
    struct Model {
        wheel: Timers,
        now: u64,
        inserted: u64,
        /// By deadline and number.
        linked: BTreeMap<(u64, u64), Box<Timer>>,
    }

    impl Model {
        fn new(now: u64) -> Self {
            Self { wheel: Timers::new(), now, inserted: 0, linked: BTreeMap::new() }
        }

        fn insert(&mut self, timer: Box<Timer>) {
            let pointer = NonNull::from(&*timer);
            self.linked.insert((timer.deadline, self.inserted), timer);
            self.inserted += 1;
            // SAFETY: unlinked, and boxed until it is out again.
            unsafe { self.wheel.insert(pointer) };
            self.check();
        }

        fn remove(&mut self, index: usize) -> Box<Timer> {
            let key = *self.linked.keys().nth(index).expect("an index within");
            let timer = self.linked.remove(&key).expect("there, we saw it");
            // SAFETY: linked.
            unsafe { self.wheel.remove(NonNull::from(&*timer)) };
            assert!(!timer.is_linked());
            self.check();
            timer
        }

        /// Expires at `now`; gives back the timers that fired, in the order in which they did.
        #[allow(clippy::vec_box, reason = "a linked timer doesn't move")]
        fn expire(&mut self, now: u64) -> Vec<Box<Timer>> {
            let position = self.wheel.position;
            self.now = now;
            let mut fired = Vec::new();
            self.wheel.expire(now, |timer| fired.push(timer));
            let due: Vec<_> =
                self.linked.keys().copied().take_while(|(deadline, _)| *deadline <= now).collect();
            let mut due: Vec<_> =
                due.into_iter().map(|key| (key, self.linked.remove(&key).expect("its key"))).collect();
            // By tick, the late ones as in the position's; within a tick by insertion.
            due.sort_by_key(|((deadline, number), _)| ((deadline >> TICK_BITS).max(position), *number));
            assert!(due.iter().map(|(_, timer)| NonNull::from(&**timer)).eq(fired));
            assert!(due.iter().all(|(_, timer)| !timer.is_linked()));
            self.check();
            due.into_iter().map(|(_, timer)| timer).collect()
        }

        /// What must be true at all times.
        fn check(&self) {
            assert_eq!(self.wheel.is_empty(), self.linked.is_empty());
            let first = self.linked.keys().next().map(|(deadline, _)| *deadline);
            match self.wheel.next_deadline() {
                None => assert_eq!(first, None),
                Some(next) => assert!(next <= first.expect("a timer")),
            }
        }

        /// The invariants, slot by slot.
        fn check_deeply(&self) {
            let mut found = 0;
            for (number, slot) in self.wheel.slots.iter().enumerate() {
                let bit = self.wheel.occupied[number / SLOTS] >> (number % SLOTS) & 1;
                assert_eq!(bit == 1, !slot.first.is_null());
                let (mut previous, mut next) = (ptr::null(), slot.first);
                // SAFETY: the model keeps linked timers alive.
                while let Some(timer) = unsafe { next.as_ref() } {
                    assert_eq!(usize::from(timer.slot.get()), number);
                    assert_eq!(self.wheel.place(timer), number);
                    assert_eq!(timer.previous.get(), previous);
                    assert!(slot.earliest <= timer.deadline);
                    assert!(slot.earliest >> TICK_BITS >= self.wheel.start(number) || number < SLOTS);
                    found += 1;
                    (previous, next) = (next, timer.next.get());
                }
                assert_eq!(slot.last, previous);
            }
            assert_eq!(found, self.linked.len());
            for (level, slots) in self.wheel.occupied.iter().enumerate() {
                assert_eq!(self.wheel.levels >> level & 1 == 1, *slots != 0);
            }
        }
    }

    #[test]
    fn agrees_with_a_map() {
        for seed in 0..40 {
            let mut random = Random(seed);
            let origin = random.spread(63);
            let mut model = Model::new(origin);
            let mut spare = Vec::new();
            let reach = [12, 20, 32, 44, 64][seed as usize % 5];
            for step in 0..1500 {
                match random.below(8) {
                    0..=3 => {
                        // Sometimes late, sometimes together with another, sometimes one used before.
                        let deadline = match random.below(8) {
                            0 => model.now.saturating_sub(random.spread(20)),
                            1 if !model.linked.is_empty() => {
                                let index = random.below(model.linked.len() as u64) as usize;
                                model.linked.keys().nth(index).expect("an index within").0
                            }
                            2 => u64::MAX - random.spread(11),
                            _ => model.now.saturating_add(random.spread(reach)),
                        };
                        let mut new = spare.pop().unwrap_or_else(|| timer(0));
                        new.deadline = deadline;
                        model.insert(new);
                    }
                    4 | 5 if !model.linked.is_empty() => {
                        let index = random.below(model.linked.len() as u64) as usize;
                        spare.push(model.remove(index));
                    }
                    6 => {
                        if let Some(next) = model.wheel.next_deadline() {
                            let now = next.max(model.now);
                            spare.extend(model.expire(now));
                        }
                    }
                    _ => {
                        let now = model.now.saturating_add(random.spread(reach - 2));
                        spare.extend(model.expire(now));
                    }
                }
                if step % 50 == 0 {
                    model.check_deeply();
                }
            }
            model.expire(u64::MAX);
            assert!(model.wheel.is_empty());
        }
    }

    #[test]
    fn sleeping_until_the_next_deadline_makes_progress() {
        for seed in 0..20 {
            let mut random = Random(seed);
            let mut model = Model::new(random.spread(40));
            for _ in 0..300 {
                let deadline = model.now.saturating_add(random.spread(64));
                model.insert(timer(deadline));
            }
            for _ in 0..150 {
                let index = random.below(model.linked.len() as u64) as usize;
                model.remove(index);
            }
            let mut idle = 0;
            while let Some(next) = model.wheel.next_deadline() {
                idle += u32::from(model.expire(next).is_empty());
                assert!(model.wheel.next_deadline().is_none_or(|later| later > next));
            }
            // Each removal costs at most one wake-up for nothing.
            assert!(idle <= 150, "{idle} wake-ups for nothing");
        }
    }

    #[test]
    fn a_lone_sleep_is_one_wake_up() {
        let mut random = Random(7);
        let mut model = Model::new(0);
        for bits in 0..64 {
            let deadline = model.now.saturating_add(random.spread(bits));
            model.insert(timer(deadline));
            assert_eq!(model.wheel.next_deadline(), Some(deadline));
            // Neither looking in between nor a time limit that is never reached changes that.
            for _ in 0..10 {
                let now = model.now + random.below(deadline.saturating_sub(model.now).max(1));
                if now < deadline {
                    assert!(model.expire(now).is_empty());
                }
                let limit = now.saturating_add(random.spread(64));
                model.insert(timer(limit));
                let index = usize::from(deadline <= limit);
                model.remove(index);
                assert_eq!(model.wheel.next_deadline(), Some(deadline));
            }
            if deadline > 0 {
                assert!(model.expire(deadline - 1).is_empty());
            }
            assert_eq!(model.expire(deadline).len(), 1);
            if deadline > 1 << 60 {
                model = Model::new(0);
            }
        }
    }

    #[test]
    fn without_removals_no_wake_up_is_for_nothing() {
        let mut random = Random(11);
        let mut model = Model::new(0);
        for _ in 0..2000 {
            model.insert(timer(random.spread(50)));
        }
        while let Some(next) = model.wheel.next_deadline() {
            let fired = model.expire(next);
            assert!(!fired.is_empty());
            for mut timer in fired {
                if random.below(3) != 0 {
                    continue;
                }
                timer.deadline = model.now + random.spread(50);
                model.insert(timer);
            }
        }
    }

    #[test]
    fn equal_deadlines_fire_in_order_of_insertion() {
        let mut model = Model::new(0);
        let deadline = 3_600_000_000_123;
        for step in 0..100 {
            model.insert(timer(deadline));
            model.expire(deadline / 100 * step);
        }
        // `expire` compares the order.
        assert_eq!(model.expire(deadline).len(), 100);
    }

    #[test]
    fn hours_pass_at_once() {
        let hour = 3_600_000_000_000;
        let mut model = Model::new(0);
        for i in 0..1000 {
            model.insert(timer(i * hour / 100));
        }
        model.expire(5 * hour);
        model.check_deeply();
        assert_eq!(model.linked.len(), 499);
        model.insert(timer(5 * hour + 1));
        assert_eq!(model.wheel.next_deadline(), Some(5 * hour + 1));
        assert_eq!(model.expire(20 * hour).len(), 500);
    }

    #[test]
    fn late_ones_fire_next_and_the_far_future_never() {
        let mut model = Model::new(0);
        model.expire(1_000_000_000);
        model.insert(timer(u64::MAX));
        model.insert(timer(5));
        model.insert(timer(1_000_000_000));
        model.insert(timer(1_000_000_001));
        assert_eq!(model.wheel.next_deadline(), Some(5));
        assert_eq!(model.expire(1_000_000_000).len(), 2);
        assert_eq!(model.expire(1_000_000_001).len(), 1);
        assert!(model.expire(u64::MAX - 1).is_empty());
        assert_eq!(model.wheel.next_deadline(), Some(u64::MAX));
        assert_eq!(model.expire(u64::MAX).len(), 1);
    }

    #[test]
    fn a_clock_that_goes_back_fires_nothing_early() {
        let mut model = Model::new(0);
        model.expire(10 * TICK);
        model.insert(timer(8 * TICK));
        model.insert(timer(20 * TICK));
        assert!(model.expire(7 * TICK).is_empty());
        model.check_deeply();
        assert_eq!(model.expire(20 * TICK).len(), 2);
    }

    #[test]
    fn a_panic_while_firing_loses_nothing() {
        let mut model = Model::new(0);
        for _ in 0..3 {
            model.insert(timer(100));
        }
        model.insert(timer(200));
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            model.wheel.expire(150, |_| panic!("while firing"));
        }));
        assert!(panic.is_err());
        model.linked.pop_first();
        model.check_deeply();
        assert_eq!(model.expire(150).len(), 2);
        assert_eq!(model.expire(200).len(), 1);
    }
}
