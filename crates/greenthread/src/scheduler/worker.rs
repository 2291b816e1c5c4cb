//! A worker: the OS thread that green threads run on, and what they ask of it.
//!
//! A worker has two halves. The fast one, [`WorkerCore`], is what its threads touch when they
//! switch. This one has the rest. Here is what a running thread may call: to spawn, to run its
//! child inline, to find the driver. `worker_loop` is what the worker does by itself, on its home
//! context.
//!
//! Invariants:
//! 1. `core` is the first field, and the OS thread's pointer to it leads to the whole `Worker`
//!    while the loop runs (`repr(C)`).
//! 2. Everything here is touched by the worker's own OS thread only.
//! 3. On the home context no thread of this worker runs: all of its started threads are suspended,
//!    in the run queue or known to whoever will wake them. `core.ended` holds one that will never
//!    run again, so its stack is nobody's.

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
    /// It has no siblings.
    pub(super) is_alone: bool,
    /// Stacks that it may promise.
    credit: Credit,
    ids: Ids,
    /// Where the next unstarted thread comes from.
    pub(super) turns: Turns,
    /// When it looks around.
    pub(super) tick: Tick,
    /// The position in the run queue of the first thread that others have overtaken.
    pub(super) priority_end: Cell<u32>,
    /// How many more joiners may run their child before the worker has a turn.
    pub(super) inline_joins_left: Cell<u32>,
    /// How it searches for threads.
    pub(super) searcher: Searcher,
    /// It has been woken to search, and has found nothing yet.
    pub(super) woken_to_search: Cell<bool>,
    /// How long its last grace sleep was, if it has found nothing since then either.
    pub(super) grace: Cell<u64>,
    /// When threads that found no stack try again.
    pub(super) retry: Retry,
    /// When unused memory is given back.
    pub(super) trim: Trim,
    /// From this number of started threads on, so many need not be published (`LOAD_STEP`).
    load_report_at: Cell<usize>,
    /// Threads that ended while the watchdog was looking.
    kept: RefCell<Vec<BlockRef>>,
}

/// Numbers for threads: the next one, and the first that is not ours.
#[derive(Debug)]
struct Ids {
    next: Cell<u64>,
    end: Cell<u64>,
}

/// The calling OS thread's worker, if it is one.
#[inline]
pub(crate) fn current<'a>() -> Option<&'a Worker> {
    // SAFETY: null, or it points to the whole `Worker`, which lives while its OS thread runs our
    // code (invariant 1).
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
            inline_joins_left: Cell::new(0),
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

    /// As others see it.
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
        const LUMP: u64 = 1024;
        let first = id::reserve(LUMP);
        self.ids.next.set(first.get() + 1);
        self.ids.end.set(first.get() + LUMP);
        first
    }

    /// Promises a stack of `size` bytes to a thread that is about to be spawned.
    ///
    /// # Errors
    /// There will be no such stack.
    #[inline]
    pub(crate) fn promise_stack(&self, size: usize) -> io::Result<()> {
        if self.credit.take(size) { Ok(()) } else { self.credit.refill(size, self.handle().counts.alive()) }
    }

    /// Takes the promise back: there is no such thread.
    pub(crate) fn take_promise_back(&self, size: usize) {
        self.credit.give(size);
    }

    /// The worker ends: from now on its promises are the process's.
    pub(super) fn settle_promises(&self) {
        self.credit.publish(self.handle().counts.alive());
    }

    /// Queues an unstarted thread, for any worker or for this one only. A stack has been promised
    /// to it.
    #[inline]
    pub(crate) fn spawn(&self, task: NonNull<Task>, pinned: bool) {
        Counts::bump(&self.handle().counts.spawned);
        // The ready threads have their turn, then the new one.
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
        // SAFETY: unstarted, alive, and ours.
        unsafe { task.as_ref() }.owner.set(Arc::as_ptr(&self.core.handle));
        // SAFETY: alive and in no list, and this is our OS thread.
        unsafe { self.core.pinned.push(task) };
    }

    /// Puts an unstarted thread, which is ours, into the own deque.
    #[inline]
    pub(super) fn queue(&self, task: NonNull<Task>) {
        // SAFETY: this is our OS thread (invariant 2); unstarted, and ours to give.
        unsafe { self.shared.queue(self.handle(), task) };
    }

    /// Takes an unstarted thread out of the own deque again, if it is there. The caller has a
    /// reference to it.
    #[inline]
    pub(super) fn take_back(&self, task: NonNull<Task>) -> bool {
        // SAFETY: alive by the caller's reference; and our own deque.
        unsafe { self.handle().deque.take(task, task.as_ref().deque_hint.load(Relaxed) as usize) }
    }

    /// Makes a thread this worker's: it is about to run, on whichever stack.
    #[inline]
    pub(super) fn register(&self, thread: &Task) {
        if self.shared.starvation.note_stack(thread.stack_size) {
            self.retry.note_stack();
        }
        thread.owner.set(Arc::as_ptr(&self.core.handle));
    }

    /// A thread has ended, on whichever stack, or without one: the only place of death.
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
        // Another thread that starves may try.
        let starvation = &self.shared.starvation;
        if starvation.is_anyone_waiting()
            && let Some(starving) = starvation.queue.pop(0, |_| {})
        {
            self.queue(starving);
        }
    }

    /// Sees to it that a thread which has ended is not freed while the watchdog looks at it.
    fn keep_while_watched(&self, watchdog: &Watchdog, thread: &Task) {
        let mut kept = self.kept.borrow_mut();
        if watchdog.is_looking(self.index) {
            // SAFETY: alive: the caller gives a reference back later.
            kept.push(unsafe { BlockRef::share(NonNull::from(&thread.block)) });
        } else {
            // When it looks again, none of these runs.
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
        // The first one is published, and so is the last.
        let report_at =
            if started == 0 { usize::MAX / 2 } else { started.saturating_sub(LOAD_STEP / 2).max(1) };
        self.load_report_at.set(report_at);
    }
}
