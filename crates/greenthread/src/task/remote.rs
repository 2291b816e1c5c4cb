//! A worker as others see it: an inbox, whether it sleeps, and how full it is.
//!
//! Invariants:
//! 1. Whoever touches a `Remote` holds an `Arc` of it, or is a worker of the same runtime (which holds all of
//!    them), or counts one first: a woken thread may run and end its runtime while its waker is still here.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::Arc;

use crossbeam_utils::CachePadded;

use super::{block::Task, inbox::Inbox, sleep::SleepFlag};
use crate::sys::poller::Waker;

/// The shared side of a worker.
#[derive(Debug)]
pub(crate) struct Remote {
    /// Which runtime it belongs to: a number that no other runtime of the process has.
    pub(crate) runtime: usize,
    /// Threads woken from elsewhere.
    pub(crate) inbox: CachePadded<Inbox<Task>>,
    /// Whether the worker sleeps.
    pub(crate) sleep: CachePadded<SleepFlag>,
    /// How many started threads live here, about. Written by the worker, read by others to compare.
    pub(crate) load: CachePadded<AtomicUsize>,
    /// How many unstarted ones are in the inbox.
    given: AtomicUsize,
    waker: Arc<Waker>,
}

impl Remote {
    pub(crate) fn new(runtime: usize, waker: Arc<Waker>) -> Self {
        Self {
            runtime,
            inbox: CachePadded::new(Inbox::new()),
            sleep: CachePadded::new(SleepFlag::new()),
            load: CachePadded::new(AtomicUsize::new(0)),
            given: AtomicUsize::new(0),
            waker,
        }
    }

    /// Gives an unstarted thread to this worker.
    ///
    /// # Safety
    /// As for [`Remote::send`].
    pub(crate) unsafe fn give(&self, task: *mut Task) {
        self.given.fetch_add(1, Relaxed);
        // SAFETY: as the caller says.
        unsafe { self.send(task) };
    }

    /// The worker has taken such a thread out of its inbox.
    pub(crate) fn taken(&self) {
        self.given.fetch_sub(1, Relaxed);
    }

    /// Wakes the driver of a worker whose flag the caller has changed.
    pub(crate) fn rouse(&self) {
        self.waker.wake();
    }

    /// Hands a thread of this worker's back to it.
    ///
    /// # Safety
    /// The caller gives the task away; it is in no list. `self` is kept alive (invariant 1).
    pub(crate) unsafe fn send(&self, task: *mut Task) {
        // SAFETY: given away by the caller.
        if unsafe { self.inbox.push(task) } {
            self.wake();
        }
    }

    /// Wakes the worker if it sleeps. What it shall see must have been written before.
    pub(crate) fn wake(&self) -> bool {
        let asleep = self.sleep.notify();
        if asleep {
            self.rouse();
        }
        asleep
    }

    /// How many threads live here or are on their way, as of late.
    pub(crate) fn load(&self) -> usize {
        self.load.load(Relaxed) + self.given.load(Relaxed)
    }
}
