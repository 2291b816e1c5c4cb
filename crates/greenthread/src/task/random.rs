//! Small random numbers, for choices that shall be fair. Each worker has a state of its own, and so has each OS thread.

use core::cell::Cell;
use std::hash::{BuildHasher, RandomState};

use super::local;

/// The state of a generator (splitmix64: Steele, Lea, Flood 2014).
#[derive(Debug)]
pub(crate) struct Random(Cell<u64>);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
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

/// A number below `limit`, which is not 0.
pub(crate) fn below(limit: u32) -> u32 {
    thread_local! {
        /// Of an OS thread that is no worker; 0 as long as it has no seed.
        static RANDOM: Random = const { Random::new(0) };
    }
    let random = match local::get() {
        Some(local) => local.random.next(),
        None => RANDOM.with(|random| {
            if random.0.get() == 0 {
                random.0.set(seed());
            }
            random.next()
        }),
    };
    // The upper half of the product of a fraction and the limit.
    let random = random >> 32;
    u32::try_from((random * u64::from(limit)) >> 32).expect("it is below a u32")
}

#[cfg(test)]
mod tests {
    use super::below;

    #[test]
    fn all_numbers_come_up_and_no_others() {
        let mut counts = [0; 7];
        (0..7000).for_each(|_| counts[below(7) as usize] += 1);
        assert!(counts.iter().all(|count| *count > 700), "{counts:?}");
    }
}
