//! How a worker knows when to tick, and whether its threads are CPU-bound.
//!
//! A *tick* is a look at everything that may have come from elsewhere: the inbox, the timers, the
//! kernel. A tick reads the clock. From the time that the last switches took it computes after how
//! many switches the next tick is due.

use core::cell::Cell;

use super::policy::{CPU_BOUND, MAX_TICK_SWITCHES, OLDEST_DUE, POLL, TICK, long_run};

/// A worker's record of its last ticks. Times are nanoseconds of its clock.
#[derive(Debug, Default)]
pub(super) struct Tick {
    /// When the last tick was, and how many switches had been made by then.
    at: Cell<u64>,
    switches: Cell<u32>,
    /// After how many switches the next one is due.
    after: Cell<u32>,
    /// When the kernel was last asked.
    polled: Cell<u64>,
    /// When a long run last ended.
    long_run: Cell<Option<u64>>,
    /// Until when the worker counts as CPU-bound.
    cpu_bound_until: Cell<u64>,
    /// The position of the oldest thread of the deque, and since when that has been the oldest.
    oldest: Cell<usize>,
    oldest_since: Cell<u64>,
}

impl Tick {
    /// After how many switches a tick is due.
    #[inline]
    pub(super) fn after(&self) -> u32 {
        self.after.get().max(1)
    }

    /// Whether a tick is due after so many switches.
    #[inline]
    pub(super) fn is_due(&self, switches: u32, cpu_bound: bool) -> bool {
        let made = switches.wrapping_sub(self.switches.get());
        made >= if cpu_bound { 1 } else { self.after.get() }
    }

    /// A tick begins. Takes account of how long threads have run since the last one. Returns
    /// whether the worker is CPU-bound now.
    pub(super) fn begin(&self, now: u64, switches: u32, was_cpu_bound: bool) -> bool {
        let last = self.at.replace(now);
        let made = u64::from(switches.wrapping_sub(self.switches.replace(switches))).max(1);
        let took = now.saturating_sub(last).max(1);
        // Where threads are CPU-bound there is a tick after each of them.
        let run = if was_cpu_bound { took } else { took / made };
        if run >= long_run() {
            if self.long_run.get().is_some_and(|long| last.saturating_sub(long) < CPU_BOUND) {
                self.cpu_bound_until.set(now + CPU_BOUND);
            }
            self.long_run.set(Some(now));
        }
        // A start takes as long as a hundred switches, so a tick after starts computes too small a
        // number. From there it at most doubles at each tick.
        let after = (made * TICK / took).clamp(1, MAX_TICK_SWITCHES) as u32;
        self.after.set(after.min(2 * self.after()));
        now < self.cpu_bound_until.get()
    }

    /// Whether it is time to ask the kernel; then it counts as asked.
    pub(super) fn polls(&self, now: u64) -> bool {
        let polls = now.saturating_sub(self.polled.get()) >= POLL;
        if polls {
            self.polled.set(now);
        }
        polls
    }

    /// Whether the oldest thread of the deque, at position `oldest`, is due to start. If so, its
    /// time begins anew.
    pub(super) fn is_oldest_due(&self, now: u64, oldest: usize) -> bool {
        if self.oldest.replace(oldest) != oldest {
            self.oldest_since.set(now);
        }
        let due = now.saturating_sub(self.oldest_since.get()) >= OLDEST_DUE;
        if due {
            self.oldest_since.set(now);
        }
        due
    }

    /// Excludes the time until now from the threads' run time: the worker did something by itself.
    pub(super) fn exclude(&self, now: u64) {
        self.at.set(now);
    }

    /// Excludes the time from `begin`, which is after the last tick, to `end`.
    #[inline]
    pub(super) fn exclude_span(&self, begin: u64, end: u64) {
        self.at.set(self.at.get() + end.saturating_sub(begin));
    }

    /// The worker has slept, and looked at everything meanwhile.
    pub(super) fn woke(&self, now: u64, switches: u32) {
        self.at.set(now);
        self.polled.set(now);
        self.switches.set(switches);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_tick_comes_after_as_many_switches_as_the_last_ones_took() {
        let tick = Tick::default();
        // The first one comes at once.
        assert!(tick.is_due(0, false) && !tick.begin(0, 0, false));
        let (mut now, mut switches) = (0, 0);
        for _ in 0..20 {
            (now, switches) = (now + u64::from(tick.after()) * 1000, switches + tick.after());
            assert!(tick.is_due(switches, false) && !tick.is_due(switches - 1, false));
            assert!(!tick.begin(now, switches, false));
        }
        assert_eq!(tick.after(), 100, "of a microsecond each");
    }

    #[test]
    fn two_long_runs_make_it_cpu_bound_for_a_while_and_one_does_not() {
        let tick = Tick::default();
        let long = long_run();
        assert!(!tick.begin(long, 1, false));
        assert!(tick.begin(2 * long, 2, false));
        assert!(tick.is_due(3, true));
        assert!(tick.begin(2 * long + CPU_BOUND - 2, 1000, true), "one more long run");
        assert!(!tick.begin(5 * CPU_BOUND, 1_000_000, false));
        // One now and then.
        assert!(!tick.begin(10 * CPU_BOUND, 1_000_001, false));
        assert!(!tick.begin(20 * CPU_BOUND, 2_000_000, false));
        assert!(!tick.begin(21 * CPU_BOUND, 2_000_001, false));
    }

    #[test]
    fn the_oldest_has_its_turn_when_it_has_been_the_oldest_for_long() {
        let tick = Tick::default();
        assert!(!tick.is_oldest_due(1, 7));
        assert!(!tick.is_oldest_due(OLDEST_DUE, 7));
        assert!(tick.is_oldest_due(OLDEST_DUE + 1, 7));
        assert!(!tick.is_oldest_due(OLDEST_DUE + 2, 7), "it has had it");
        assert!(!tick.is_oldest_due(3 * OLDEST_DUE, 8), "another one");
    }
}
