//! Which memory grows, and when it is given back. The memory of a burst of threads goes back to the
//! system within seconds.
//!
//! * *Free blocks* (`task::block_pool`) come from threads that end. Blocks that no worker has
//!   needed for an interval go back to the allocator, a little at a time.
//! * *The C library's heap* keeps what was given back to it. An idle worker has it trimmed when
//!   many blocks have gone there.
//! * *Cached stacks* (`stack::cache`) come from threads that end. A worker that has run nothing for
//!   an interval gives all of them to the arena. Any other worker gives the ones that it has not
//!   needed.
//! * *Stacks in the arena* (`stack::arena`) lose their memory a little at a time, and their
//!   addresses when none of their region is in use.
//! * *The run queue and the table of timers* grow as threads start. An idle worker makes them
//!   smaller if less than an eighth of their capacity is used.
//! * *The driver's table of sources* grows as sources are first waited for. An idle worker makes it
//!   smaller when three quarters are free.
//! * *Batches of unstarted threads* (`injector`) are freed when their threads start.
//! * Inboxes and wait queues take no memory: they are linked through the tasks and nodes in them.
//!
//! An interval lasts half a second. An idle worker that has memory to give back sleeps until the
//! end of its interval at most. So it wakes up two or three times after a burst. Then it has
//! nothing left to give back, and sleeps until there is something to do.

use core::{cell::Cell, sync::atomic::Ordering::Relaxed};

use super::policy::{TRIM_BUSY, TRIM_IDLE, TRIM_REGION_IDLE};
use crate::{
    driver::Driver,
    stack::{self, Cache},
    sys::heap,
    task::{block_pool::INTERVAL, worker_core::WorkerCore},
};

/// When a worker has last given memory back. Times are nanoseconds of its clock.
#[derive(Debug, Default)]
pub(super) struct Trim {
    trimmed_at: Cell<u64>,
    /// When its last interval ended, and how many switches the worker had made by then.
    interval_end: Cell<u64>,
    switches: Cell<u32>,
}

/// The worker's cache of stacks.
///
/// # Safety
/// The home context of the worker whose core this is runs, and the caller has no other reference to
/// its stacks.
#[expect(clippy::mut_from_ref, reason = "the worker's home context is alone with them")]
unsafe fn stacks(core: &WorkerCore) -> &mut Cache {
    // SAFETY: this is the worker's OS thread, the only one that touches them (`worker_core`,
    // invariant 2).
    unsafe { &mut *core.stacks.get() }
}

impl Trim {
    /// At a tick: ends an interval and gives a little memory back, if either is due. Returns
    /// whether it gave memory back, which takes time.
    ///
    /// # Safety
    /// The home context of the worker whose core this is runs.
    #[inline]
    pub(super) unsafe fn at_tick(&self, now: u64, core: &WorkerCore) -> bool {
        // SAFETY: this function has the same contract: home runs.
        unsafe { self.end_interval_if_due(now, core, None) };
        let trims = has_surplus(core) && self.is_due(now);
        if trims {
            self.trimmed_at.set(now);
            give_a_little_back(core, true);
        }
        trims
    }

    /// Before an idle worker sleeps: the same, but it may take more time, up to the next
    /// `deadline`. Returns whether it gave memory back. If so, something may have come meanwhile,
    /// and the worker looks again.
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
        // SAFETY: this function has the same contract: home runs.
        unsafe { self.end_interval_if_due(now, core, Some(driver)) };
        let depots = core.blocks.depots();
        (has_surplus(core) || depots.is_heap_trim_due()) && self.give_back_idle(now, deadline, core)
    }

    #[cold]
    fn give_back_idle(&self, now: u64, deadline: Option<u64>, core: &WorkerCore) -> bool {
        // A timer that becomes due in the meantime would fire late.
        let left = deadline.map_or(u64::MAX, |deadline| deadline.saturating_sub(now));
        if has_surplus(core) {
            let trims = left >= TRIM_IDLE || self.is_due(now);
            if trims {
                self.trimmed_at.set(now);
                give_a_little_back(core, left < TRIM_REGION_IDLE);
            }
            return trims;
        }
        let trims = left >= TRIM_REGION_IDLE && core.blocks.depots().take_heap_trim();
        if trims {
            heap::trim();
        }
        trims
    }

    /// Whether a busy worker has given nothing back for `TRIM_BUSY`.
    fn is_due(&self, now: u64) -> bool {
        now.saturating_sub(self.trimmed_at.get()) >= TRIM_BUSY
    }

    /// Ends an interval if it has lasted for `INTERVAL`.
    ///
    /// # Safety
    /// As for [`end_interval`](Self::end_interval).
    #[inline]
    unsafe fn end_interval_if_due(&self, now: u64, core: &WorkerCore, idle: Option<&Driver>) {
        if now.saturating_sub(self.interval_end.get()) >= INTERVAL {
            // SAFETY: this function has the same contract: home runs.
            unsafe { self.end_interval(now, core, idle) };
        }
    }

    /// Ends an interval. `idle` is the driver of an idle worker, or `None` for a busy one.
    ///
    /// # Safety
    /// The home context of the worker whose core this is runs.
    #[cold]
    unsafe fn end_interval(&self, now: u64, core: &WorkerCore, idle: Option<&Driver>) {
        self.interval_end.set(now);
        let switches = core.switches.load(Relaxed);
        let has_run = self.switches.replace(switches) != switches;
        core.blocks.depots().end_interval(now);
        // SAFETY: this function has the same contract: home runs.
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

    /// In how many nanoseconds an idle worker must wake up to end its interval. `None` if it has
    /// too little memory to give back.
    ///
    /// # Safety
    /// The home context of the worker whose core this is runs.
    pub(super) unsafe fn wake_in(&self, now: u64, core: &WorkerCore) -> Option<u64> {
        // SAFETY: this function has the same contract: home runs.
        let has_stacks = unsafe { stacks(core) }.is_worth_trimming();
        let much = has_stacks
            || core.blocks.depots().is_worth_trimming()
            || core.has_spare_capacity(core.started.get());
        much.then(|| (self.interval_end.get() + INTERVAL).saturating_sub(now))
    }
}

/// Whether there is memory to give back, of unused stacks or blocks.
fn has_surplus(core: &WorkerCore) -> bool {
    stack::has_surplus() || core.blocks.depots().has_surplus()
}

/// Gives a little of it back, in less than 100 microseconds. If the worker isn't `busy`, it gives
/// back a whole region of stacks.
fn give_a_little_back(core: &WorkerCore, busy: bool) {
    core.blocks.depots().trim();
    if stack::has_surplus() {
        stack::trim(busy);
    }
}
