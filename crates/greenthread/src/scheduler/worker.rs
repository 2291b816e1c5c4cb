//! A worker: an OS thread that runs green threads, and what these ask of it.
//!
//! A worker has two halves. The fast half, [`WorkerCore`], is what its threads touch when they
//! switch. [`Worker`] has the rest. This file has what a running thread calls: to spawn, to run its
//! child inline, to find the driver. `worker_loop` is what the worker does by itself, on its home
//! context.
//!
//! Invariants:
//! 1. `core` is the first field, and the OS thread's pointer to it leads to the whole `Worker`
//!    while the loop runs (`repr(C)`).
//! 2. Everything here is touched by the worker's own OS thread only.
//! 3. On the home context no thread of this worker runs: all of its started threads are suspended,
//!    in the run queue or known to what will wake them. `core.ended` holds a thread that will never
//!    run again, so its stack is not in use.

use core::{
    cell::{Cell, RefCell},
    ptr::{self, NonNull},
    sync::atomic::Ordering::Relaxed,
};
use std::{io, num::NonZeroU64, sync::Arc};

use super::{
    policy::{LOAD_STEP, Turns},
    shared::Shared,
    starvation::Retry,
    steal::Searcher,
    tick::Tick,
    trim::Trim,
    watchdog::Watchdog,
};
use crate::{
    driver::Driver,
    stack::credit::Credit,
    task::{
        block::{BlockRef, Task},
        id,
        worker_core::{self, WorkerCore},
        worker_handle::{Counts, WorkerHandle},
    },
};

/// See the module.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) core: WorkerCore,
    pub(crate) shared: Arc<Shared>,
    pub(crate) driver: Driver,
    /// Its number among the workers of its runtime.
    pub(super) index: usize,
    /// Whether it has no siblings.
    pub(super) is_alone: bool,
    /// The address space for stacks that it may promise to new threads.
    credit: Credit,
    ids: Ids,
    /// Where the next unstarted thread comes from.
    pub(super) turns: Turns,
    /// When the next tick is due.
    pub(super) tick: Tick,
    /// The position in the run queue of the first thread that others have overtaken.
    pub(super) priority_end: Cell<u32>,
    /// How it searches for threads.
    pub(super) searcher: Searcher,
    /// Whether it was woken to search and has found nothing yet.
    pub(super) woken_to_search: Cell<bool>,
    /// The length of its last grace sleep in nanoseconds. 0 if it has found something since then.
    pub(super) grace: Cell<u64>,
    /// When threads that found no stack try again.
    pub(super) retry: Retry,
    /// When unused memory is given back.
    pub(super) trim: Trim,
    /// The load is published when the number of started threads is less than this, or at least
    /// `LOAD_STEP` more.
    load_report_at: Cell<usize>,
    /// Threads that ended while the watchdog was looking.
    kept: RefCell<Vec<BlockRef>>,
}

/// The thread numbers that the worker has reserved: the next one, and the first one behind them.
#[derive(Debug)]
struct Ids {
    next: Cell<u64>,
    end: Cell<u64>,
}

/// The calling OS thread's worker, if it is one.
#[inline]
pub(crate) fn current<'a>() -> Option<&'a Worker> {
    // SAFETY: the pointer is null, or it points to the whole `Worker`, which lives while its loop
    // runs on this OS thread (invariant 1).
    unsafe { worker_core::raw().cast::<Worker>().as_ref() }
}

/// The calling green thread and its worker, if it is one and may be suspended.
#[inline]
pub(crate) fn running<'a>() -> Option<(&'a Worker, &'a Task)> {
    let (core, task) = worker_core::current()?;
    // SAFETY: `core` is the first field of a `Worker` (invariant 1).
    Some((unsafe { &*ptr::from_ref(core).cast::<Worker>() }, task))
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>, index: usize, driver: Driver) -> Self {
        let workers = shared.workers.len();
        Self {
            core: WorkerCore::new(
                shared.workers[index].clone(),
                shared.depots.clone(),
                shared.clock.restart(),
            ),
            driver,
            index,
            is_alone: workers == 1,
            credit: Credit::new(),
            ids: Ids { next: Cell::new(0), end: Cell::new(0) },
            turns: Turns::new(),
            tick: Tick::default(),
            priority_end: Cell::new(u32::MAX),
            searcher: Searcher::new(index, workers),
            woken_to_search: Cell::new(false),
            grace: Cell::new(0),
            retry: Retry::new(),
            trim: Trim::default(),
            load_report_at: Cell::new(usize::MAX / 2),
            kept: RefCell::new(Vec::new()),
            shared,
        }
    }

    /// The part of it that other OS threads see.
    #[inline]
    pub(super) fn handle(&self) -> &WorkerHandle<Task> {
        &self.core.handle
    }

    /// A number for a new thread.
    #[inline]
    pub(crate) fn next_id(&self) -> NonZeroU64 {
        let next = self.ids.next.get();
        if next == self.ids.end.get() {
            return self.more_ids();
        }
        self.ids.next.set(next + 1);
        NonZeroU64::new(next).expect("reserved numbers are not 0")
    }

    #[cold]
    fn more_ids(&self) -> NonZeroU64 {
        /// How many numbers a worker takes at a time.
        const BATCH: u64 = 1024;
        let first = id::reserve(BATCH);
        self.ids.next.set(first.get() + 1);
        self.ids.end.set(first.get() + BATCH);
        first
    }

    /// Promises a stack of `size` bytes to a thread that is about to be spawned.
    ///
    /// # Errors
    /// The process has no address space for the stack.
    #[inline]
    pub(crate) fn promise_stack(&self, size: usize) -> io::Result<()> {
        if self.credit.take(size) { Ok(()) } else { self.credit.refill(size, self.handle().counts.alive()) }
    }

    /// Takes a promise back, since the thread was not spawned.
    pub(crate) fn take_promise_back(&self, size: usize) {
        self.credit.give(size);
    }

    /// Called when the worker ends: publishes how many of its promises are still in use, by threads
    /// that now live on other workers.
    pub(super) fn publish_promises(&self) {
        self.credit.publish(self.handle().counts.alive());
    }

    /// Queues an unstarted thread that was promised a stack. If it is `pinned`, it may start on
    /// this worker only.
    #[inline]
    pub(crate) fn spawn(&self, task: NonNull<Task>, pinned: bool) {
        Counts::bump(&self.handle().counts.spawned);
        // The round ends when each thread that is ready now has run. Then the new thread may start.
        let budget = &self.core.budget;
        budget.set(budget.get().min(self.core.ready.len()));
        if pinned {
            return self.pin(task);
        }
        self.queue(task);
        if !self.is_alone {
            self.shared.wake_searcher(self.handle().deque.len() == 1);
        }
    }

    #[cold]
    fn pin(&self, task: NonNull<Task>) {
        // SAFETY: the task is unstarted and alive, and this worker owns it.
        unsafe { task.as_ref() }.owner.set(Arc::as_ptr(&self.core.handle));
        // SAFETY: the task is alive and in no list, and this is the queue's OS thread.
        unsafe { self.core.pinned.push(task) };
    }

    /// Puts an unstarted thread, which this worker owns, into the deque.
    #[inline]
    pub(super) fn queue(&self, task: NonNull<Task>) {
        // SAFETY: this is the deque's OS thread (invariant 2). The task is unstarted, and this
        // worker owns it.
        unsafe { self.shared.queue(self.handle(), task) };
    }

    /// Takes an unstarted thread out of the deque again, and returns whether it was there. The
    /// caller has a reference to its block.
    #[inline]
    pub(super) fn take_back(&self, task: NonNull<Task>) -> bool {
        // SAFETY: the task is alive by the caller's reference, and this worker owns the deque.
        unsafe { self.handle().deque.take(task, task.as_ref().deque_hint.load(Relaxed) as usize) }
    }

    /// Makes this worker the owner of a thread that is about to run, on a stack of its own or its
    /// joiner's.
    #[inline]
    pub(super) fn register(&self, thread: &Task) {
        if self.shared.starvation.note_stack(thread.stack_size) {
            self.retry.note_stack();
        }
        thread.owner.set(Arc::as_ptr(&self.core.handle));
    }

    /// Called for each thread that has ended, on its own stack, on its joiner's or without one. No
    /// other function counts deaths.
    #[inline]
    pub(super) fn unregister(&self, thread: &Task) {
        if self.credit.give(thread.stack_size) {
            self.credit.give_back(self.handle().counts.alive());
        }
        if self.shared.has_listeners() {
            self.tell_death(thread);
        }
        Counts::bump(&self.handle().counts.ended);
    }

    #[cold]
    fn tell_death(&self, thread: &Task) {
        self.shared.tell_death(thread);
        if let Some(watchdog) = &self.shared.watchdog {
            self.keep_while_watched(watchdog, thread);
        }
        // Another starving thread may try to start.
        let starvation = &self.shared.starvation;
        if starvation.is_anyone_waiting()
            && let Some(starving) = starvation.queue.pop(0, |_| {})
        {
            self.queue(starving);
        }
    }

    /// Keeps a reference to a thread that has ended while the watchdog may look at it, so that it
    /// is not freed.
    fn keep_while_watched(&self, watchdog: &Watchdog, thread: &Task) {
        let mut kept = self.kept.borrow_mut();
        if watchdog.is_looking(self.index) {
            // SAFETY: the thread is alive, since the caller gives its reference back later.
            kept.push(unsafe { BlockRef::share(NonNull::from(&thread.block)) });
        } else {
            // The watchdog does not look now, and when it looks again none of these is the current
            // thread.
            kept.clear();
        }
    }

    #[inline]
    pub(super) fn set_started(&self, started: usize) {
        self.core.started.set(started);
        if started.wrapping_sub(self.load_report_at.get()) >= LOAD_STEP {
            self.publish_load();
        }
    }

    pub(super) fn publish_load(&self) {
        let started = self.core.started.get();
        self.handle().load.store(started, Relaxed);
        // So the change from 0 to 1 is published, and the change from 1 to 0.
        let report_at =
            if started == 0 { usize::MAX / 2 } else { started.saturating_sub(LOAD_STEP / 2).max(1) };
        self.load_report_at.set(report_at);
    }
}
