//! A worker as other OS threads see it: its inbox, whether it sleeps, how full it is, and its
//! unstarted threads.
//!
//! Invariants:
//! 1. A thread that touches a handle holds an `Arc` of it, or runs on a worker of the same runtime
//!    (which holds all of them), or counts one first: a woken thread may run and end its runtime
//!    while its waker is still here.

use core::sync::atomic::{
    AtomicUsize,
    Ordering::{Relaxed, Release},
};
use std::sync::Arc;

use crossbeam_utils::CachePadded;

use super::{
    deque::Deque,
    inbox::{Inbox, Linked},
    sleep_flag::SleepFlag,
};
use crate::sys::poller::Waker;

/// How many unstarted threads a worker keeps for itself. More than this go to the runtime's
/// injector, where anyone may take them.
pub(crate) const DEQUE_CAPACITY: usize = 256;

/// See the module. `T` is a thread's record.
#[derive(Debug)]
pub(crate) struct WorkerHandle<T: Linked> {
    /// Which runtime it belongs to: a number that no other runtime of the process has.
    pub(crate) runtime: usize,
    /// Threads woken from elsewhere, and unstarted ones that were given to it.
    pub(crate) inbox: CachePadded<Inbox<T>>,
    /// Whether the worker sleeps.
    pub(crate) sleep: CachePadded<SleepFlag>,
    /// How many started threads live here, about. Written by the worker, read by others to compare.
    pub(crate) load: CachePadded<AtomicUsize>,
    /// How many unstarted ones are in the inbox.
    given: AtomicUsize,
    waker: Arc<Waker>,
    /// Its own unstarted threads.
    pub(crate) deque: Deque<T, DEQUE_CAPACITY>,
    pub(crate) counts: CachePadded<Counts>,
}

/// How many threads a worker has spawned and reaped, ever. It alone writes them.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) spawned: AtomicUsize,
    pub(crate) ended: AtomicUsize,
}

impl Counts {
    /// The worker's own: one more.
    #[inline]
    pub(crate) fn bump(count: &AtomicUsize) {
        count.store(count.load(Relaxed).wrapping_add(1), Release);
    }

    /// How many more were spawned than have ended here: less than nothing, if others' have.
    pub(crate) fn alive(&self) -> usize {
        self.spawned.load(Relaxed).wrapping_sub(self.ended.load(Relaxed))
    }
}

impl<T: Linked> WorkerHandle<T> {
    /// Of a worker that is `alone` in its runtime, or not.
    pub(crate) fn new(runtime: usize, alone: bool, waker: Arc<Waker>) -> Self {
        Self {
            runtime,
            inbox: CachePadded::new(Inbox::new()),
            sleep: CachePadded::new(SleepFlag::new()),
            load: CachePadded::new(AtomicUsize::new(0)),
            given: AtomicUsize::new(0),
            waker,
            deque: Deque::new(alone),
            counts: CachePadded::new(Counts::default()),
        }
    }

    /// Gives an unstarted thread to this worker.
    ///
    /// # Safety
    /// As for [`send`](Self::send).
    pub(crate) unsafe fn give(&self, task: *mut T) {
        self.given.fetch_add(1, Relaxed);
        // SAFETY: the caller gives the task away, as `send` asks.
        unsafe { self.send(task) };
    }

    /// The worker has taken such a thread out of its inbox.
    pub(crate) fn taken(&self) {
        self.given.fetch_sub(1, Relaxed);
    }

    /// Wakes the driver of a worker whose flag the caller has changed.
    pub(crate) fn wake_driver(&self) {
        self.waker.wake();
    }

    /// Hands a thread of this worker's back to it.
    ///
    /// # Safety
    /// The caller gives the task away; it is in no list. `self` is kept alive (invariant 1).
    pub(crate) unsafe fn send(&self, task: *mut T) {
        // SAFETY: the caller gives the task away.
        if unsafe { self.inbox.push(task) } {
            self.wake();
        }
    }

    /// Wakes the worker if it sleeps. The caller has written what the worker is to see.
    pub(crate) fn wake(&self) -> bool {
        let asleep = self.sleep.notify();
        if asleep {
            self.wake_driver();
        }
        asleep
    }

    /// How many threads live here or are on their way, as of late.
    pub(crate) fn load(&self) -> usize {
        self.load.load(Relaxed) + self.given.load(Relaxed)
    }
}
