//! How long a worker with nothing to do stays awake before it sleeps: learned from how that has
//! lately ended.
//!
//! Another worker's message often comes within microseconds, and to sleep and be woken costs both
//! sides ten or more. But where the other one has no processor of its own, its message comes only
//! after this one has gone to sleep: then each moment awake is wasted, and delays the message. From
//! one message alone the two can't be told apart: either way it came just after the worker had gone
//! to sleep.
//!
//! * A search that brings something is worth it: the next one is whole.
//! * A search that brings nothing is half as long the next time.
//! * A sleep so short that it hardly was one asks for a *trial*, a whole search next time; a longer
//!   one, if such searches have lately been in vain.
//! * If the search before such a sleep was whole, and in vain, a trial would have been of no use.
//!   When that happens twice in a row, some such sleeps pass before the next trial, and twice as
//!   many each further time; and a trial in vain makes the next search as short as can be.

use core::cell::Cell;

/// How often a searcher looks everywhere before it sleeps, at most: some 20 microseconds.
pub(super) const WHOLE: u32 = 100;
/// And at least: as long as an answer takes from one who is awake.
const LEAST: u32 = 8;
/// A trial is longer: the other one sleeps as well by then, and wakes meanwhile.
const TRIAL: u32 = 4 * WHOLE;
/// After so many short sleeps there is a trial, however many were in vain. That makes the time
/// spent on them a few hundredths of what the hand-overs cost in between, and the time until
/// it is noticed that a processor has come free some milliseconds.
const LONGEST_GAP: u32 = 127;

/// See the module.
#[derive(Debug)]
pub(super) struct Awake {
    rounds: Cell<u32>,
    /// The last search was whole, and in vain.
    wasted: Cell<bool>,
    /// How many short sleeps there are between two trials, and how many are left.
    gap: Cell<u32>,
    left: Cell<u32>,
}

impl Awake {
    pub(super) const fn new() -> Self {
        Self { rounds: Cell::new(WHOLE), wasted: Cell::new(false), gap: Cell::new(0), left: Cell::new(0) }
    }

    /// A search begins, of so many rounds.
    pub(super) fn begin(&self) -> u32 {
        self.wasted.set(false);
        self.rounds.get()
    }

    /// A message came during the search.
    pub(super) fn paid_off(&self) {
        self.rounds.set(WHOLE);
        self.gap.set(self.gap.get() / 2);
        self.left.set(0);
    }

    /// All rounds of the search have passed, and brought nothing.
    pub(super) fn in_vain(&self) {
        let rounds = self.rounds.get();
        self.wasted.set(rounds >= WHOLE);
        let trial = rounds >= WHOLE && self.gap.get() > 0;
        self.rounds.set(if trial { LEAST } else { (rounds / 2).max(LEAST) });
    }

    /// A message ended a sleep that had hardly begun.
    pub(super) fn slept_briefly(&self) {
        if self.wasted.take() {
            let gap = self.gap.replace((2 * self.gap.get() + 1).min(LONGEST_GAP));
            if gap == 0 {
                // One alone may be chance: a neighbour had the processor for a moment.
                self.rounds.set(WHOLE);
            } else {
                self.left.set(self.gap.get());
            }
        } else if self.left.get() > 0 {
            self.left.set(self.left.get() - 1);
        } else {
            self.rounds.set(if self.gap.get() > 0 { TRIAL } else { WHOLE });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many rounds so many hand-overs take, each of which comes within `quick` rounds, or else
    /// during a short sleep.
    fn rounds(awake: &Awake, hand_overs: u32, quick: u32) -> u32 {
        let step = |_| {
            let rounds = awake.begin();
            if rounds >= quick {
                awake.paid_off();
                return quick;
            }
            awake.in_vain();
            awake.slept_briefly();
            rounds
        };
        (0..hand_overs).map(step).sum()
    }

    #[test]
    fn where_it_is_of_no_use_it_ends_and_where_it_is_it_comes_back() {
        let awake = Awake::new();
        assert_eq!(rounds(&awake, 1000, 20), 20_000);
        // One that is late changes nothing.
        rounds(&awake, 1, u32::MAX);
        assert_eq!(rounds(&awake, 1000, 20), 20_000);
        rounds(&awake, 1000, u32::MAX);
        let wasted = rounds(&awake, 10_000, u32::MAX);
        assert!(wasted < 12 * 10_000, "{wasted}");
        // As soon as a trial finds something.
        rounds(&awake, 2 * LONGEST_GAP, 20);
        assert_eq!(rounds(&awake, 1000, 20), 20_000);
    }
}
