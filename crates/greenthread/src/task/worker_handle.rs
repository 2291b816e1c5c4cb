//! A worker as other OS threads see it: its inbox, whether it sleeps, how full it is, and its
//! unstarted threads.
//!
//! Invariants:
//! 1. A thread that touches a handle holds an `Arc` of it, or runs on a worker of the same runtime,
//!    which holds all of them. Otherwise it adds a count of its own first, since a thread that it
//!    wakes may run and end its runtime while the waker still uses the handle.

use core::sync::atomic::{
    AtomicUsize,
    Ordering::{Relaxed, Release},
};
use std::sync::Arc;

use crossbeam_utils::CachePadded;

use super::{
    deque::Deque,
    inbox::{Inbox, Linked},
    notes::{Noted, Notes},
    sleep_flag::SleepFlag,
};
use crate::sys::poller::Waker;

/// The largest number of unstarted threads in a worker's deque. When it is full, the older half
/// goes to the runtime's injector, where every worker takes them. With a larger deque idle siblings
/// have to steal more; with a smaller one more threads go through the injector's lock.
pub(crate) const DEQUE_CAPACITY: usize = 256;

/// See the module. `T` is a thread's record.
#[derive(Debug)]
pub(crate) struct WorkerHandle<T: Linked> {
    /// The number of its runtime, which no other runtime of the process has.
    pub(crate) runtime: usize,
    /// Threads woken from elsewhere, and unstarted ones that were given to it.
    pub(crate) inbox: CachePadded<Inbox<T>>,
    /// Whether the worker sleeps.
    pub(crate) sleep: CachePadded<SleepFlag>,
    /// About how many started threads live on the worker. The worker writes it; others read it to
    /// compare.
    pub(crate) load: CachePadded<AtomicUsize>,
    /// How many unstarted ones are in the inbox.
    given: AtomicUsize,
    waker: Arc<Waker>,
    /// Its own unstarted threads.
    pub(crate) deque: Deque<T, DEQUE_CAPACITY>,
    pub(crate) counts: CachePadded<Counts>,
    /// Threads that shall look whether they are cancelled.
    notes: Notes<T>,
}

/// How many threads a worker has spawned and reaped, ever. It alone writes them.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) spawned: AtomicUsize,
    pub(crate) ended: AtomicUsize,
}

impl Counts {
    /// Adds one. Only the worker itself calls it.
    #[inline]
    pub(crate) fn bump(count: &AtomicUsize) {
        count.store(count.load(Relaxed).wrapping_add(1), Release);
    }

    /// How many more threads were spawned on this worker than have ended on it. It wraps below zero
    /// if threads of other workers have ended here.
    pub(crate) fn alive(&self) -> usize {
        self.spawned.load(Relaxed).wrapping_sub(self.ended.load(Relaxed))
    }
}

impl<T: Linked> WorkerHandle<T> {
    /// The handle of a worker. `alone` says that its runtime has no other worker.
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
            notes: Notes::new(),
        }
    }

    /// Has a thread look whether it is cancelled, and wakes the worker if it sleeps.
    pub(crate) fn note_cancelled(&self, thread: Noted<T>) {
        self.notes.leave(thread);
        self.wake();
    }

    /// Whether there is a note.
    #[inline]
    pub(crate) fn has_cancelled(&self) -> bool {
        !self.notes.is_empty()
    }

    /// Takes a note out.
    pub(crate) fn take_cancelled(&self) -> Option<Noted<T>> {
        self.notes.take()
    }

    /// Gives an unstarted thread to this worker.
    ///
    /// # Safety
    /// As for [`send`](Self::send).
    pub(crate) unsafe fn give(&self, task: *mut T) {
        self.given.fetch_add(1, Relaxed);
        // SAFETY: this function has the contract of `send`.
        unsafe { self.send(task) };
    }

    /// Notes that the worker has taken such a thread out of its inbox.
    pub(crate) fn taken(&self) {
        self.given.fetch_sub(1, Relaxed);
    }

    /// Wakes the driver of a worker whose flag the caller has changed.
    pub(crate) fn wake_driver(&self) {
        self.waker.wake();
    }

    /// Puts a thread into this worker's inbox, and wakes the worker if it sleeps.
    ///
    /// # Safety
    /// The caller gives the task away; it is in no list. `self` is kept alive (invariant 1).
    pub(crate) unsafe fn send(&self, task: *mut T) {
        // SAFETY: the task is alive and in no list, and the caller gives it away.
        if unsafe { self.inbox.push(task) } {
            self.wake();
        }
    }

    /// Wakes the worker if it sleeps, and returns whether it slept. The caller has written before
    /// what the worker is to see.
    pub(crate) fn wake(&self) -> bool {
        let asleep = self.sleep.notify();
        if asleep {
            self.wake_driver();
        }
        asleep
    }

    /// About how many started threads live on the worker, and unstarted ones are in its inbox.
    pub(crate) fn load(&self) -> usize {
        self.load.load(Relaxed) + self.given.load(Relaxed)
    }
}
