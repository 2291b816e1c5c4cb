use std::{collections::BTreeMap, vec::Vec};

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

    /// A number below 2^`bits`, of all magnitudes alike.
    fn spread(&mut self, bits: u64) -> u64 {
        let bits = self.below(bits + 1);
        self.next() & 1u64.checked_shl(bits as u32).map_or(u64::MAX, |bit| bit - 1)
    }
}

/// A wheel, and beside it a map that says what the wheel must do. Timers have numbers, in the order
/// of their insertion.
struct Model {
    wheel: Timers<u64>,
    now: u64,
    inserted: u64,
    /// By deadline and number.
    linked: BTreeMap<(u64, u64), Number>,
    /// Timers that have fired or were removed.
    gone: Vec<(u64, Number)>,
}

/// The waiter of the timer with this number: an address of its own, which is never read.
fn waiter(number: u64) -> *const u64 {
    ptr::without_provenance((number as usize + 1) * align_of::<u64>())
}

impl Model {
    fn new(now: u64) -> Self {
        Self { wheel: Timers::new(), now, inserted: 0, linked: BTreeMap::new(), gone: Vec::new() }
    }

    fn insert(&mut self, deadline: u64) {
        assert!(self.wheel.reserve(self.linked.len() + 1));
        let room = self.wheel.table.capacity();
        let place = self.wheel.insert(waiter(self.inserted), core::ptr::null(), deadline);
        assert_eq!(self.wheel.table.capacity(), room, "an insertion has allocated");
        self.linked.insert((deadline, self.inserted), place);
        self.inserted += 1;
        self.check();
    }

    fn remove(&mut self, index: usize) {
        let key = *self.linked.keys().nth(index).expect("an index within");
        let place = self.linked.remove(&key).expect("there, we saw it");
        self.wheel.remove(place, waiter(key.1));
        self.gone.push((key.1, place));
        self.check();
    }

    /// Removes a timer that has fired or was removed. Another timer may have its place.
    fn remove_in_vain(&mut self, index: usize) {
        let (number, place) = self.gone[index];
        self.wheel.remove(place, waiter(number));
        self.check();
    }

    /// Expires at `now`. Returns how many timers fired.
    fn expire(&mut self, now: u64) -> usize {
        let position = self.wheel.position;
        self.now = now;
        let mut fired = Vec::new();
        self.wheel.expire(now, |waiter| fired.push(waiter));
        let mut due: Vec<_> =
            self.linked.keys().copied().take_while(|(deadline, _)| *deadline <= now).collect();
        for key in &due {
            let place = self.linked.remove(key).expect("its key");
            self.gone.push((key.1, place));
        }
        // In the order of ticks, where late timers count as of the position's tick; within a tick
        // by insertion.
        due.sort_by_key(|(deadline, number)| ((deadline >> TICK_BITS).max(position), *number));
        assert!(due.iter().map(|(_, number)| waiter(*number)).eq(fired));
        self.check();
        due.len()
    }

    /// Checks what must be true at all times.
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
        let table = &self.wheel.table;
        let mut found = 0;
        for (number, slot) in self.wheel.slots.iter().enumerate() {
            let bit = self.wheel.occupied[number / SLOTS] >> (number % SLOTS) & 1;
            assert_eq!(bit == 1, slot.first != NONE);
            let (mut previous, mut next) = (NONE, slot.first);
            while next != NONE {
                let timer = &table[next as usize];
                assert!(!timer.waiter.is_null());
                assert_eq!(self.wheel.place(timer), number);
                assert_eq!(timer.previous, previous);
                assert!(slot.earliest <= timer.deadline);
                assert!(slot.earliest >> TICK_BITS >= self.wheel.start(number) || number < SLOTS);
                found += 1;
                (previous, next) = (next, timer.next);
            }
            assert_eq!(slot.last, previous);
        }
        assert_eq!(found, self.linked.len());
        for (level, slots) in self.wheel.occupied.iter().enumerate() {
            assert_eq!(self.wheel.levels >> level & 1 == 1, *slots != 0);
        }
        let mut free = self.wheel.free;
        while free != NONE {
            assert!(table[free as usize].waiter.is_null());
            found += 1;
            free = table[free as usize].next;
        }
        assert_eq!(found, table.len());
    }
}

#[test]
fn agrees_with_a_map() {
    for seed in 0..40 {
        let mut random = Random(seed);
        let origin = random.spread(63);
        let mut model = Model::new(origin);
        let reach = [12, 20, 32, 44, 64][seed as usize % 5];
        for step in 0..1500 {
            match random.below(9) {
                0..=3 => {
                    // Sometimes late, sometimes together with another.
                    let deadline = match random.below(8) {
                        0 => model.now.saturating_sub(random.spread(20)),
                        1 if !model.linked.is_empty() => {
                            let index = random.below(model.linked.len() as u64) as usize;
                            model.linked.keys().nth(index).expect("an index within").0
                        }
                        2 => u64::MAX - random.spread(11),
                        _ => model.now.saturating_add(random.spread(reach)),
                    };
                    model.insert(deadline);
                }
                4 | 5 if !model.linked.is_empty() => {
                    let index = random.below(model.linked.len() as u64) as usize;
                    model.remove(index);
                }
                6 => {
                    if let Some(next) = model.wheel.next_deadline() {
                        let now = next.max(model.now);
                        model.expire(now);
                    }
                }
                7 if !model.gone.is_empty() => {
                    model.remove_in_vain(random.below(model.gone.len() as u64) as usize);
                }
                _ => {
                    let now = model.now.saturating_add(random.spread(reach - 2));
                    model.expire(now);
                }
            }
            if step % 50 == 0 {
                model.check_deeply();
            }
            if step % 170 == 0 {
                model.wheel.shrink(model.linked.len());
                model.check_deeply();
            }
        }
        model.expire(u64::MAX);
        assert!(model.wheel.is_empty());
    }
}

#[test]
fn room_that_is_not_needed_goes() {
    let mut model = Model::new(0);
    assert!(model.wheel.reserve(1 << 12));
    (0..1 << 12).for_each(|n| model.insert(1000 + n));
    // The 100 that lie first in the table stay, then none.
    (0..(1 << 12) - 100).for_each(|_| model.remove(100));
    model.wheel.shrink(128);
    model.check_deeply();
    assert_eq!((model.wheel.table.len(), model.wheel.table.capacity()), (100, 128));
    model.expire(u64::MAX);
    model.wheel.shrink(16);
    assert_eq!((model.wheel.table.len(), model.wheel.table.capacity()), (0, 16));
    (0..model.gone.len()).for_each(|index| model.remove_in_vain(index));
    model.insert(5);
    model.check_deeply();
}

#[test]
fn sleeping_until_the_next_deadline_makes_progress() {
    for seed in 0..20 {
        let mut random = Random(seed);
        let mut model = Model::new(random.spread(40));
        for _ in 0..300 {
            let deadline = model.now.saturating_add(random.spread(64));
            model.insert(deadline);
        }
        for _ in 0..150 {
            let index = random.below(model.linked.len() as u64) as usize;
            model.remove(index);
        }
        let mut idle = 0;
        while let Some(next) = model.wheel.next_deadline() {
            idle += u32::from(model.expire(next) == 0);
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
        model.insert(deadline);
        assert_eq!(model.wheel.next_deadline(), Some(deadline));
        // Neither looking in between nor a time limit that is never reached changes that.
        for _ in 0..10 {
            let now = model.now + random.below(deadline.saturating_sub(model.now).max(1));
            if now < deadline {
                assert_eq!(model.expire(now), 0);
            }
            let limit = now.saturating_add(random.spread(64));
            model.insert(limit);
            let index = usize::from(deadline <= limit);
            model.remove(index);
            assert_eq!(model.wheel.next_deadline(), Some(deadline));
        }
        if deadline > 0 {
            assert_eq!(model.expire(deadline - 1), 0);
        }
        assert_eq!(model.expire(deadline), 1);
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
        model.insert(random.spread(50));
    }
    while let Some(next) = model.wheel.next_deadline() {
        let fired = model.expire(next);
        assert_ne!(fired, 0);
        for _ in 0..fired {
            if random.below(3) == 0 {
                model.insert(model.now + random.spread(50));
            }
        }
    }
}

#[test]
fn equal_deadlines_fire_in_order_of_insertion() {
    let mut model = Model::new(0);
    let deadline = 3_600_000_000_123;
    for step in 0..100 {
        model.insert(deadline);
        model.expire(deadline / 100 * step);
    }
    // `expire` compares the order.
    assert_eq!(model.expire(deadline), 100);
}

#[test]
fn hours_pass_at_once() {
    let hour = 3_600_000_000_000;
    let mut model = Model::new(0);
    for i in 0..1000 {
        model.insert(i * hour / 100);
    }
    model.expire(5 * hour);
    model.check_deeply();
    assert_eq!(model.linked.len(), 499);
    model.insert(5 * hour + 1);
    assert_eq!(model.wheel.next_deadline(), Some(5 * hour + 1));
    assert_eq!(model.expire(20 * hour), 500);
}

#[test]
fn late_ones_fire_next_and_the_far_future_never() {
    let mut model = Model::new(0);
    model.expire(1_000_000_000);
    model.insert(u64::MAX);
    model.insert(5);
    model.insert(1_000_000_000);
    model.insert(1_000_000_001);
    assert_eq!(model.wheel.next_deadline(), Some(5));
    assert_eq!(model.expire(1_000_000_000), 2);
    assert_eq!(model.expire(1_000_000_001), 1);
    assert_eq!(model.expire(u64::MAX - 1), 0);
    assert_eq!(model.wheel.next_deadline(), Some(u64::MAX));
    assert_eq!(model.expire(u64::MAX), 1);
}

#[test]
fn a_clock_that_goes_back_fires_nothing_early() {
    let mut model = Model::new(0);
    model.expire(10 * TICK);
    model.insert(8 * TICK);
    model.insert(20 * TICK);
    assert_eq!(model.expire(7 * TICK), 0);
    model.check_deeply();
    assert_eq!(model.expire(20 * TICK), 2);
}

#[test]
fn a_panic_while_firing_loses_nothing() {
    let mut model = Model::new(0);
    for _ in 0..3 {
        model.insert(100);
    }
    model.insert(200);
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        model.wheel.expire(150, |_| panic!("while firing"));
    }));
    assert!(panic.is_err());
    model.linked.pop_first();
    model.check_deeply();
    assert_eq!(model.expire(150), 2);
    assert_eq!(model.expire(200), 1);
}
