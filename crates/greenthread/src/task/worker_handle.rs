//! A worker as other OS threads see it: its inbox, whether it sleeps, how full it is, and its
//! unstarted threads.
//!
//! Invariants:
//! 1. A thread that touches a handle holds an `Arc` of it, or runs on a worker of the same runtime,
//!    which holds all of them. Otherwise it adds a count of its own first, since a thread that it
//!    wakes may run and end its runtime while the waker still uses the handle.
//! 2. A [`Noted`] owns a counted reference to its task, which its `release` gives back.

use core::{
    ptr::NonNull,
    sync::atomic::{
        AtomicBool, AtomicUsize,
        Ordering::{Acquire, Relaxed, Release},
    },
};
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_utils::CachePadded;

use super::{
    deque::Deque,
    inbox::{Inbox, Linked},
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
    cancelled: Mutex<Vec<Noted<T>>>,
    has_cancelled: AtomicBool,
}

/// A thread that shall look whether it is cancelled.
#[derive(Debug)]
pub(crate) struct Noted<T> {
    pub(crate) task: NonNull<T>,
    /// Whether it was cancelled by its handle, so that the threads of its scopes are, too.
    pub(crate) by_handle: bool,
    release: unsafe fn(NonNull<T>),
}

// SAFETY: the task is handed on from the canceller to the worker, and its reference with it. Such
// references may be given back on any OS thread.
unsafe impl<T> Send for Noted<T> {}

impl<T> Noted<T> {
    /// # Safety
    /// The caller owns a counted reference to the task, gives it away, and `release` gives it back.
    pub(crate) unsafe fn new(task: NonNull<T>, by_handle: bool, release: unsafe fn(NonNull<T>)) -> Self {
        Self { task, by_handle, release }
    }
}

impl<T> Drop for Noted<T> {
    fn drop(&mut self) {
        // SAFETY: the reference is owned, and given back once (invariant 2).
        unsafe { (self.release)(self.task) };
    }
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
            cancelled: Mutex::new(Vec::new()),
            has_cancelled: AtomicBool::new(false),
        }
    }

    /// Has a thread look whether it is cancelled, and wakes the worker if it sleeps. If there is no
    /// memory for the note, waits until the worker has read others.
    pub(crate) fn note_cancelled(&self, thread: Noted<T>) {
        loop {
            let mut cancelled = self.cancelled.lock().unwrap_or_else(PoisonError::into_inner);
            if cancelled.try_reserve(1).is_ok() {
                cancelled.push(thread);
                self.has_cancelled.store(true, Release);
                break;
            }
            drop(cancelled);
            std::thread::yield_now();
        }
        self.wake();
    }

    /// Whether there is a note.
    #[inline]
    pub(crate) fn has_cancelled(&self) -> bool {
        self.has_cancelled.load(Acquire)
    }

    /// Takes a note out.
    pub(crate) fn take_cancelled(&self) -> Option<Noted<T>> {
        let mut cancelled = self.cancelled.lock().unwrap_or_else(PoisonError::into_inner);
        let thread = cancelled.pop();
        if cancelled.is_empty() {
            self.has_cancelled.store(false, Relaxed);
        }
        thread
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
