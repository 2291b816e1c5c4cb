//! Memory that grows, and when it is given back. The memory of a burst goes back to the system
//! within seconds, by itself.
//!
//! * *Free blocks* (`task::block_pool`) come from threads that end. Blocks that no worker has
//!   needed for an interval goes back to the allocator, a little at a time.
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

use core::{cell::Cell, sync::atomic::Ordering::Relaxed};

use super::policy::{TRIM_BUSY, TRIM_IDLE, TRIM_REGION_IDLE};
use crate::{
    driver::Driver,
    stack::{self, Cache},
    sys::heap,
    task::{block_pool::INTERVAL, worker_core::WorkerCore},
};

/// When a worker has last given something back. Times are nanoseconds of its clock.
#[derive(Debug, Default)]
pub(super) struct Trim {
    trimmed_at: Cell<u64>,
    /// When its last interval ended, and after how many switches.
    interval_end: Cell<u64>,
    switches: Cell<u32>,
}

/// # Safety
/// The home context of the worker whose core this is runs, and the caller has no other reference to
/// its stacks.
#[expect(clippy::mut_from_ref, reason = "the worker's home context is alone with them")]
unsafe fn stacks(core: &WorkerCore) -> &mut Cache {
    // SAFETY: on the worker's OS thread nobody else touches them (`worker_core`, invariant 2).
    unsafe { &mut *core.stacks.get() }
}

impl Trim {
    /// At a tick: ends an interval, and gives a little back, if it is time for either. Whether it
    /// took time.
    ///
    /// # Safety
    /// The home context of the worker whose core this is runs.
    #[inline]
    pub(super) unsafe fn at_tick(&self, now: u64, core: &WorkerCore) -> bool {
        if now.saturating_sub(self.interval_end.get()) >= INTERVAL {
            // SAFETY: the caller vouches that home runs.
            unsafe { self.end_interval(now, core, None) };
        }
        let trims = has_surplus(core) && self.is_due(now);
        if trims {
            self.trimmed_at.set(now);
            give_a_little_back(core, true);
        }
        trims
    }

    /// Before an idle worker sleeps: the same, with more time for it, up to the next `deadline`.
    /// Whether it took time: then something may have come meanwhile.
    ///
    /// # Safety
    /// The home context of the worker whose core and driver these are runs.
    #[inline]
    pub(super) unsafe fn before_sleep(
        &self,
        now: u64,
        deadline: Option<u64>,
        core: &WorkerCore,
        driver: &Driver,
    ) -> bool {
        if now.saturating_sub(self.interval_end.get()) >= INTERVAL {
            // SAFETY: the caller vouches that home runs.
            unsafe { self.end_interval(now, core, Some(driver)) };
        }
        let depots = core.blocks.depots();
        (has_surplus(core) || depots.has_returned_much()) && self.give_back_idle(now, deadline, core)
    }

    #[cold]
    fn give_back_idle(&self, now: u64, deadline: Option<u64>, core: &WorkerCore) -> bool {
        // A timer that is due meanwhile would be late.
        let left = deadline.map_or(u64::MAX, |deadline| deadline.saturating_sub(now));
        if has_surplus(core) {
            let trims = left >= TRIM_IDLE || self.is_due(now);
            if trims {
                self.trimmed_at.set(now);
                give_a_little_back(core, left < TRIM_REGION_IDLE);
            }
            return trims;
        }
        let trims = left >= TRIM_REGION_IDLE && core.blocks.depots().take_returned();
        if trims {
            heap::trim();
        }
        trims
    }

    /// Whether a busy worker has given nothing back for a while.
    fn is_due(&self, now: u64) -> bool {
        now.saturating_sub(self.trimmed_at.get()) >= TRIM_BUSY
    }

    /// Ends an interval; of an idle worker, whose driver this is, or of a busy one.
    ///
    /// # Safety
    /// The home context of the worker whose core this is runs.
    #[cold]
    unsafe fn end_interval(&self, now: u64, core: &WorkerCore, idle: Option<&Driver>) {
        self.interval_end.set(now);
        let switches = core.switches.load(Relaxed);
        let has_run = self.switches.replace(switches) != switches;
        core.blocks.depots().settle(now);
        // SAFETY: the caller vouches that home runs.
        let stacks = unsafe { stacks(core) };
        if idle.is_some() && !has_run {
            stacks.flush();
        } else {
            stacks.end_interval();
        }
        if let Some(driver) = idle {
            core.shrink(core.started.get());
            driver.shrink();
        }
    }

    /// In how many nanoseconds an idle worker had better be woken to end its interval, if at all.
    ///
    /// # Safety
    /// The home context of the worker whose core this is runs.
    pub(super) unsafe fn wake_in(&self, now: u64, core: &WorkerCore) -> Option<u64> {
        // SAFETY: the caller vouches that home runs.
        let has_stacks = unsafe { stacks(core) }.is_worth_trimming();
        let much = has_stacks || core.blocks.depots().is_full() || core.is_roomy(core.started.get());
        much.then(|| (self.interval_end.get() + INTERVAL).saturating_sub(now))
    }
}

/// Whether there is memory to give back, of unused stacks or blocks.
fn has_surplus(core: &WorkerCore) -> bool {
    stack::has_surplus() || core.blocks.depots().is_untidy()
}

/// Gives a little of it back, in less than 100 microseconds; a whole region of stacks if the worker
/// isn't `busy`.
fn give_a_little_back(core: &WorkerCore, busy: bool) {
    core.blocks.depots().tidy();
    if stack::has_surplus() {
        stack::trim(busy);
    }
}
