//! How long a worker with nothing to do searches before it sleeps. The budget is learned from how
//! searches have lately ended.
//!
//! A sibling's message often comes within microseconds, while sleeping and being woken costs both
//! sides ten or more. But if the sibling has no processor of its own, its message comes only after
//! this worker has gone to sleep. Then each moment awake is wasted, and delays the message. One
//! message alone does not tell the two cases apart. In both, it came just after the worker had gone
//! to sleep.
//!
//! * A search that brings something was worth it: the next one has all rounds.
//! * A search that brings nothing is half as long the next time.
//! * A sleep so short that it hardly was one asks for a *trial*: a whole search the next time, or a
//!   longer one if such searches have lately been in vain.
//! * If the search before such a sleep was whole and in vain, a trial would have been of no use.
//!   When that happens twice in a row, some such sleeps pass before the next trial, and twice as
//!   many each further time. A trial in vain makes the next search as short as can be.

use core::cell::Cell;

use super::policy::{MAX_TRIAL_GAP, MIN_SEARCH_ROUNDS, SEARCH_ROUNDS, TRIAL_ROUNDS};

/// See the module.
#[derive(Debug)]
pub(super) struct SpinBudget {
    rounds: Cell<u32>,
    /// Whether the last search was whole and in vain.
    wasted: Cell<bool>,
    /// How many short sleeps there are between two trials, and how many are left.
    gap: Cell<u32>,
    left: Cell<u32>,
}

impl SpinBudget {
    pub(super) const fn new() -> Self {
        Self {
            rounds: Cell::new(SEARCH_ROUNDS),
            wasted: Cell::new(false),
            gap: Cell::new(0),
            left: Cell::new(0),
        }
    }

    /// A search begins, of so many rounds.
    pub(super) fn begin(&self) -> u32 {
        self.wasted.set(false);
        self.rounds.get()
    }

    /// A message came during the search.
    pub(super) fn paid_off(&self) {
        self.rounds.set(SEARCH_ROUNDS);
        self.gap.set(self.gap.get() / 2);
        self.left.set(0);
    }

    /// All rounds of the search have passed, and brought nothing.
    pub(super) fn in_vain(&self) {
        let rounds = self.rounds.get();
        self.wasted.set(rounds >= SEARCH_ROUNDS);
        let trial = rounds >= SEARCH_ROUNDS && self.gap.get() > 0;
        self.rounds.set(if trial { MIN_SEARCH_ROUNDS } else { (rounds / 2).max(MIN_SEARCH_ROUNDS) });
    }

    /// A message ended a sleep that had hardly begun.
    pub(super) fn slept_briefly(&self) {
        if self.wasted.take() {
            let gap = self.gap.replace((2 * self.gap.get() + 1).min(MAX_TRIAL_GAP));
            if gap == 0 {
                // A single one may be chance: another process had the processor for a moment.
                self.rounds.set(SEARCH_ROUNDS);
            } else {
                self.left.set(self.gap.get());
            }
        } else if self.left.get() > 0 {
            self.left.set(self.left.get() - 1);
        } else {
            self.rounds.set(if self.gap.get() > 0 { TRIAL_ROUNDS } else { SEARCH_ROUNDS });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many rounds so many hand-overs take, each of which comes within `quick` rounds, or else
    /// during a short sleep.
    fn rounds(budget: &SpinBudget, hand_overs: u32, quick: u32) -> u32 {
        let step = |_| {
            let rounds = budget.begin();
            if rounds >= quick {
                budget.paid_off();
                return quick;
            }
            budget.in_vain();
            budget.slept_briefly();
            rounds
        };
        (0..hand_overs).map(step).sum()
    }

    #[test]
    fn where_it_is_of_no_use_it_ends_and_where_it_is_it_comes_back() {
        let budget = SpinBudget::new();
        assert_eq!(rounds(&budget, 1000, 20), 20_000);
        // One that is late changes nothing.
        rounds(&budget, 1, u32::MAX);
        assert_eq!(rounds(&budget, 1000, 20), 20_000);
        rounds(&budget, 1000, u32::MAX);
        let wasted = rounds(&budget, 10_000, u32::MAX);
        assert!(wasted < 12 * 10_000, "{wasted}");
        // As soon as a trial finds something.
        rounds(&budget, 2 * MAX_TRIAL_GAP, 20);
        assert_eq!(rounds(&budget, 1000, 20), 20_000);
    }
}
