//! The part of a runtime that its workers share, and how a runtime ends.
//!
//! How it ends: `closing` is set, and every worker is woken. A worker that is about to sleep, and
//! sees `closing`, adds up the counts. If as many threads have ended as were spawned, it sets
//! `stopped` and wakes the others. Each worker writes its own counts, so spawning shares nothing.
//!
//! Why the sum is right: the worker reads the counts of ended threads first, and those of spawned
//! ones after. Counts only grow. So equal sums mean that nothing was alive at the time of the first
//! reading; and once `closing` is set, only a thread that is alive can spawn.
//!
//! Invariants:
//! 1. Every worker's OS thread holds an `Arc<Shared>` until it has left its loop.

use core::{
    fmt,
    sync::atomic::{
        AtomicBool, AtomicUsize,
        Ordering::{Acquire, Relaxed, SeqCst},
        fence,
    },
};
use std::{
    io,
    ptr::NonNull,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use super::{
    census::{Admission, Census},
    idle::{Idle, Sleeper},
    injector::Injector,
    policy::INJECTOR_BATCH,
    starvation::Starvation,
    watchdog::Watchdog,
};
use crate::{
    blocking::Pool,
    sys::process::generation,
    task::{
        block::Task,
        block_pool::Depots,
        clock::Clock,
        sleep_flag::SleepFlag,
        wait::{Claim, Outcome, Reason, Waiter},
        worker_handle::{DEQUE_CAPACITY, WorkerHandle},
    },
};

impl Sleeper for Arc<WorkerHandle<Task>> {
    fn flag(&self) -> &SleepFlag {
        &self.sleep
    }

    fn fullness(&self) -> usize {
        self.load()
    }

    fn has_mail(&self) -> bool {
        !self.inbox.is_empty() || self.has_cancelled()
    }

    fn has_unstarted(&self) -> bool {
        !self.deque.is_empty()
    }
}

/// An observer is told of every birth and death of a thread in a runtime. It is called on the OS
/// thread where that happens.
pub(crate) trait Observer: fmt::Debug + Sync {
    /// Called when a thread has been made and is about to be queued.
    fn born(&self, thread: &Task);

    /// Called when a thread has ended and its result is there.
    fn died(&self, thread: &Task);
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The generation of the process in which its workers run (`sys::process`).
    generation: u32,
    pub(crate) name: String,
    /// The size of the stack of a thread that asks for none.
    pub(crate) stack_size: usize,
    pub(crate) workers: Box<[Arc<WorkerHandle<Task>>]>,
    pub(crate) injector: Injector,
    /// Free memory for blocks.
    pub(crate) depots: Arc<Depots>,
    pub(crate) idle: Idle,
    /// Threads that no stack could be had for.
    pub(crate) starvation: Starvation,
    /// Its limit of threads, and the list of them.
    pub(crate) census: Census,
    /// Told of births and deaths.
    observer: OnceLock<&'static dyn Observer>,
    /// Whether births or deaths have to be told: to the census, an observer, the watchdog, or
    /// starving threads. It is one flag for all of them, so that each looks at one flag.
    has_listeners: AtomicBool,
    pub(crate) pool: Pool,
    pub(crate) watchdog: Option<Watchdog>,
    /// The clock from which its workers' clocks are made.
    pub(super) clock: Clock,
    /// The number of threads that OS threads have spawned.
    spawned: AtomicUsize,
    closing: AtomicBool,
    stopped: AtomicBool,
    /// How many workers run, and the thread that waits for them to end.
    running: Mutex<Running>,
}

#[derive(Debug)]
struct Running {
    count: usize,
    closer: Option<*const Waiter>,
}

// SAFETY: the pointer is to a waiter that its owner takes back under the lock before it drops it
// (`wait_stopped`).
unsafe impl Send for Running {}

impl Shared {
    pub(crate) fn new(
        name: String,
        stack_size: usize,
        workers: Box<[Arc<WorkerHandle<Task>>]>,
        pool: Pool,
        watchdog: Option<Watchdog>,
        clock: Clock,
        census: Census,
    ) -> Self {
        Self {
            generation: generation(),
            name,
            stack_size,
            running: Mutex::new(Running { count: workers.len(), closer: None }),
            workers,
            injector: Injector::new(),
            depots: Arc::new(Depots::new()),
            idle: Idle::new(),
            starvation: Starvation::new(clock.clone()),
            clock,
            observer: OnceLock::new(),
            has_listeners: AtomicBool::new(watchdog.is_some() || census.listens()),
            census,
            pool,
            watchdog,
            spawned: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
        }
    }

    /// Whether it belongs to a process that has forked this one. Then it has no workers here.
    pub(crate) fn is_foreign(&self) -> bool {
        self.generation != generation()
    }

    /// Queues an unstarted thread that an OS thread has spawned. A stack was promised to it.
    pub(crate) fn inject(&self, task: NonNull<Task>) {
        self.spawned.fetch_add(1, Relaxed);
        // SAFETY: the task is new, and the caller gives it away.
        unsafe { self.injector.push(task) };
        self.wake_searcher(false);
    }

    /// Puts an unstarted thread into a worker's own deque. If that is full, its older half and this
    /// thread go to the injector.
    ///
    /// # Safety
    /// The caller is the worker whose handle this is, and gives the thread away.
    #[inline]
    pub(super) unsafe fn queue(&self, own: &WorkerHandle<Task>, task: NonNull<Task>) {
        // SAFETY: the task is unstarted, and the caller owns it until it is pushed. So it is alive.
        let note = |place| unsafe { task.as_ref() }.deque_hint.store(place as u32, Relaxed);
        // SAFETY: the caller owns the deque, and gives the task away.
        if !unsafe { own.deque.push(task, note) } {
            // SAFETY: the caller owns the deque, and the task was not pushed.
            unsafe { self.spill(own, task) };
        }
    }

    #[cold]
    unsafe fn spill(&self, own: &WorkerHandle<Task>, newest: NonNull<Task>) {
        // SAFETY: the caller owns the deque. All of these threads are unstarted, and the caller
        // owns them.
        unsafe {
            let older = own.deque.shift(INJECTOR_BATCH);
            self.injector.push_batch(INJECTOR_BATCH + 1, older.chain([newest]));
        }
    }

    /// Takes one of the injector's threads, and up to `more` into the worker's own deque.
    ///
    /// # Safety
    /// The caller is the worker whose handle this is.
    pub(super) unsafe fn take_injected(
        &self,
        own: &WorkerHandle<Task>,
        more: usize,
    ) -> Option<NonNull<Task>> {
        // No more than the deque has room for: `spill` would take the injector's lock again.
        let more = more.min(DEQUE_CAPACITY - own.deque.len());
        // SAFETY: the caller owns the deque, and the threads that the injector hands out.
        self.injector.pop(more, |task| unsafe { self.queue(own, task) })
    }

    /// Wakes a worker, if one is needed, to search for an unstarted thread that has just been
    /// queued. `only` says that it is the only one in its queue.
    #[inline]
    pub(crate) fn wake_searcher(&self, only: bool) {
        if let Some(worker) = self.idle.wake_searcher(&self.workers, only) {
            worker.wake_driver();
        }
    }

    /// Whether births or deaths have to be told. One relaxed load.
    #[inline]
    pub(crate) fn has_listeners(&self) -> bool {
        self.has_listeners.load(Relaxed)
    }

    /// From now on births and deaths have to be told.
    pub(super) fn listen(&self) {
        self.has_listeners.store(true, Relaxed);
    }

    /// Called before a thread is made. It may wait: see `Census::admit`.
    pub(crate) fn admit(&self, is_own: bool) -> io::Result<Admission<'_>> {
        self.census.admit(is_own)
    }

    /// Tells of a thread that has been made and is about to be queued.
    pub(crate) fn tell_birth(&self, admission: Admission<'_>, thread: &Task) {
        self.census.born(admission, thread);
        if let Some(observer) = self.observer.get() {
            observer.born(thread);
        }
    }

    /// Tells of a thread that has ended.
    pub(super) fn tell_death(&self, thread: &Task) {
        self.census.died(thread);
        if let Some(observer) = self.observer.get() {
            observer.died(thread);
        }
    }

    /// Has an observer told of each birth and death from now on; once in a runtime's life.
    #[cfg(test)]
    pub(crate) fn observe(&self, observer: &'static dyn Observer) {
        assert!(self.observer.set(observer).is_ok(), "a runtime has one observer");
        self.listen();
    }

    /// About how many started threads there are.
    pub(crate) fn started(&self) -> usize {
        self.workers.iter().map(|worker| worker.load()).sum()
    }

    /// How many threads there are, unstarted ones included. It is a hint, except for 0, which was
    /// true at the time of the fence.
    pub(crate) fn alive(&self) -> usize {
        let ended =
            self.workers.iter().map(|worker| worker.counts.ended.load(Acquire)).fold(0, usize::wrapping_add);
        fence(SeqCst);
        let spawned = self.workers.iter().map(|worker| worker.counts.spawned.load(Acquire));
        spawned.fold(self.spawned.load(Acquire), usize::wrapping_add).wrapping_sub(ended)
    }

    /// From now on no thread is spawned from outside. When the last thread has ended, the workers
    /// stop.
    pub(crate) fn close(&self) {
        self.closing.store(true, Relaxed);
        self.wake_all();
    }

    /// Cancels all threads, those that live and those that will be born, if the census has them.
    pub(crate) fn cancel_all(&self) {
        self.census.cancel_all(&self.workers);
    }

    /// Wakes every worker that sleeps.
    pub(crate) fn wake_all(&self) {
        // Each wake begins with a fence (`task::sleep_flag`): a worker sees what was written
        // before, or is woken.
        self.workers.iter().for_each(|worker| {
            worker.wake();
        });
    }

    /// Whether the runtime is about to stop. A hint.
    pub(crate) fn is_ending(&self) -> bool {
        self.closing.load(Relaxed) && self.alive() == 0
    }

    /// Whether a worker must stop. The worker asks after the fence of its last look.
    pub(crate) fn is_over(&self) -> bool {
        if !self.closing.load(Relaxed) {
            return false;
        }
        if self.stopped.load(Relaxed) {
            return true;
        }
        if self.alive() != 0 {
            return false;
        }
        self.stopped.store(true, Relaxed);
        self.wake_all();
        true
    }

    /// Called when a worker has left its loop.
    pub(crate) fn worker_stopped(&self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.count -= 1;
        if running.count == 0 {
            // No green thread is left, so no blocking call is left.
            self.pool.close();
            if let Some(watchdog) = &self.watchdog {
                watchdog.stop();
            }
            let wake = running.closer.take().map(|closer| {
                // SAFETY: the waiter is still registered, and this holds the lock under which its
                // owner would take it back.
                unsafe { Waiter::claim(closer, Outcome::Woken) }
            });
            drop(running);
            if let Some(Claim::Won(Some(wake))) = wake {
                wake.fire();
            }
        }
    }

    /// Waits until all workers have stopped. Returns `false` if the deadline came first.
    pub(crate) fn wait_stopped(&self, deadline: Option<std::time::Instant>) -> bool {
        let waiter = Waiter::new();
        {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            if running.count == 0 {
                return true;
            }
            running.closer = Some(&raw const waiter);
        }
        if waiter.wait(Reason::Join, deadline) {
            return true;
        }
        self.running.lock().unwrap_or_else(PoisonError::into_inner).closer = None;
        false
    }
}
