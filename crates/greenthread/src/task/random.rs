//! Random numbers, for choices that shall be fair. Each worker has a state of its own, and so has
//! each OS thread.

use core::cell::Cell;
use std::hash::{BuildHasher, RandomState};

/// The state of a generator (splitmix64: Steele, Lea, Flood 2014).
#[derive(Debug)]
pub(crate) struct Random(Cell<u64>);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    /// A number below `limit`, which is neither 0 nor more than 2^32.
    #[inline]
    pub(crate) fn below(&self, limit: usize) -> usize {
        // The upper half of the product of a fraction and the limit.
        (((self.next() >> 32) * limit as u64) >> 32) as usize
    }

    fn next(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.0.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

/// A seed that differs from run to run.
pub(crate) fn seed() -> u64 {
    RandomState::new().hash_one(0)
}

/// A number below `limit`, which is not 0. It comes from the given worker's generator, or without
/// one from the OS thread's.
pub(crate) fn below(worker: Option<&Random>, limit: usize) -> usize {
    thread_local! {
        /// The generator of an OS thread that is no worker. Its state is 0 until it has a seed.
        static RANDOM: Random = const { Random::new(0) };
    }
    match worker {
        Some(random) => random.below(limit),
        None => RANDOM.with(|random| {
            if random.0.get() == 0 {
                random.0.set(seed());
            }
            random.below(limit)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::below;

    #[test]
    fn all_numbers_come_up_and_no_others() {
        let mut counts = [0; 7];
        (0..7000).for_each(|_| counts[below(None, 7)] += 1);
        assert!(counts.iter().all(|count| *count > 700), "{counts:?}");
    }
}
