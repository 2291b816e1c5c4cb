//! What grows, and when it is given back: the memory of a burst goes back to the system within
//! seconds, by itself.
//!
//! * *Free blocks* (`task::pool`) come from threads that end. What no worker has needed for an
//!   interval goes back to the allocator, a little at a time.
//! * *The C library's heap* keeps what was given back to it. An idle worker has it trimmed when
//!   many blocks have gone there.
//! * *Stacks at hand* (`stack::cache`) come from threads that end. A worker that has run nothing
//!   for an interval gives all of them to the arena; another one, those that it has not needed.
//! * *Stacks in the arena* (`stack::arena`) lose their memory a little at a time, and their
//!   addresses when none of their region is in use.
//! * *The run queue and the table of timers* grow as threads start. An idle worker that has an
//!   eighth of the threads that there is room for makes them smaller.
//! * *The driver's table of sources* grows as sources are first waited for. An idle worker makes it
//!   smaller when three quarters are free.
//! * *Lots of unstarted threads* (`injector`) go when their threads start.
//! * Inboxes and wait queues take no memory: they are linked through what waits.
//!
//! An interval lasts half a second. An idle worker that has something of it sleeps no longer than
//! to the end of its interval, and is woken two or three times after a burst; then it has nothing
//! left, and sleeps until there is something to do.
//!
//! Invariants: those of `worker`.

use core::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::worker::Worker;
use crate::{stack, sys::heap, task::pool::INTERVAL};

/// A worker that has nothing else to do for so many nanoseconds gives some unused memory back, and
/// with a hundred times as many it takes the time for a whole region of stacks; one that is busy,
/// or soon will be, only now and then, so that it takes one or two hundredths of its time (as with
/// Go's scavenger).
const TIDY: u64 = 200_000;
const NOW_AND_THEN: u64 = 5_000_000;

/// When the worker has last given something back.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trim {
    tidied: u64,
    /// When its last interval ended, and after how many switches.
    settled: u64,
    switches: u32,
}

impl Worker {
    /// Ends an interval, if it is time.
    #[inline]
    pub(super) fn settle(&self, now: u64, idle: bool) {
        if now.saturating_sub(self.trim.get().settled) >= INTERVAL {
            self.end_interval(now, idle);
        }
    }

    #[cold]
    fn end_interval(&self, now: u64, idle: bool) {
        let last = self.trim.get();
        let switches = self.local.switches.load(Relaxed);
        self.trim.set(Trim { settled: now, switches, ..last });
        self.local.blocks.depots().settle(now);
        // SAFETY: ours (`worker`, invariant 2).
        let stacks = unsafe { &mut *self.stacks.get() };
        if idle && switches == last.switches {
            stacks.give_all();
        } else {
            stacks.settle();
        }
        if idle {
            self.local.shrink(self.started.get());
            self.driver.shrink();
        }
    }

    /// In how many nanoseconds an idle worker had better be woken to do that, if at all.
    pub(super) fn settles_in(&self, now: u64) -> Option<u64> {
        // SAFETY: ours (`worker`, invariant 2).
        let stacks = unsafe { &*self.stacks.get() };
        let much = stacks.is_full()
            || self.local.blocks.depots().is_full()
            || self.local.is_roomy(self.started.get());
        much.then(|| (self.trim.get().settled + INTERVAL).saturating_sub(now))
    }

    /// Gives something back before an idle worker sleeps; `true` if it did: then something may have
    /// come meanwhile.
    #[inline]
    pub(super) fn give_back(&self, now: u64) -> bool {
        self.settle(now, true);
        (self.is_untidy() || self.local.blocks.depots().has_returned_much()) && self.give_some_back(now)
    }

    #[cold]
    fn give_some_back(&self, now: u64) -> bool {
        if self.shared.is_ending() {
            return false;
        }
        let untidy = self.is_untidy();
        // SAFETY: ours (`worker`, invariant 2); no reference lives on.
        let deadline = unsafe { (*self.local.timers.get()).next_deadline() };
        // A timer that is due meanwhile would be late.
        let left = deadline.map_or(u64::MAX, |deadline| deadline.saturating_sub(now));
        let busy = left < 100 * TIDY;
        if untidy && (left >= TIDY || self.is_tidying_due(now)) {
            self.note_tidied(now);
            self.tidy(busy);
        } else if !untidy && !busy && self.local.blocks.depots().take_returned() {
            heap::trim();
        } else {
            return false;
        }
        self.poll(Some(Duration::ZERO));
        // What that took is no measure of how long threads run.
        self.has_looked(self.local.clock.now());
        true
    }

    /// Whether there is memory to give back, of unused stacks or blocks.
    pub(super) fn is_untidy(&self) -> bool {
        stack::is_untidy() || self.local.blocks.depots().is_untidy()
    }

    /// Gives a little of it back, in less than 100 microseconds; a whole region of stacks if not
    /// `busy`.
    pub(super) fn tidy(&self, busy: bool) {
        self.local.blocks.depots().tidy();
        if stack::is_untidy() {
            stack::tidy(busy);
        }
    }

    /// Whether that has not been done for a while.
    pub(super) fn is_tidying_due(&self, now: u64) -> bool {
        now.saturating_sub(self.trim.get().tidied) >= NOW_AND_THEN
    }

    pub(super) fn note_tidied(&self, now: u64) {
        self.trim.set(Trim { tidied: now, ..self.trim.get() });
    }
}
