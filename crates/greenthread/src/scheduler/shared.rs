//! What the workers of one runtime share, and how a runtime ends.
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
    ptr::NonNull,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use super::{
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
        !self.inbox.is_empty()
    }

    fn has_unstarted(&self) -> bool {
        !self.deque.is_empty()
    }
}

/// Is told of every thread of a runtime. Called on whichever OS thread the thread is born or dies
/// on.
pub(crate) trait Observer: fmt::Debug + Sync {
    /// It has been made, and is about to be queued.
    fn born(&self, thread: &Task);

    /// It has ended; its result is there.
    fn died(&self, thread: &Task);
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Of the process whose threads its workers are.
    generation: u32,
    pub(crate) name: String,
    /// What a thread's stack is when it doesn't say.
    pub(crate) stack_size: usize,
    pub(crate) workers: Box<[Arc<WorkerHandle<Task>>]>,
    pub(crate) injector: Injector,
    /// Free memory for blocks.
    pub(crate) depots: Arc<Depots>,
    pub(crate) idle: Idle,
    /// Threads that no stack could be had for.
    pub(crate) starvation: Starvation,
    /// Told of births and deaths.
    observer: OnceLock<&'static dyn Observer>,
    /// Somebody has to be told of births or deaths: an observer, the watchdog, or threads that have
    /// starved. One flag for all, so that a death looks at one thing.
    has_listeners: AtomicBool,
    pub(crate) pool: Pool,
    pub(crate) watchdog: Option<Watchdog>,
    /// What its workers' clocks show.
    pub(super) clock: Clock,
    /// Spawned by OS threads.
    spawned: AtomicUsize,
    closing: AtomicBool,
    stopped: AtomicBool,
    /// How many workers run, and who waits for them to end.
    running: Mutex<Running>,
}

#[derive(Debug)]
struct Running {
    count: usize,
    closer: Option<*const Waiter>,
}

// SAFETY: the pointer is to a waiter whose owner takes it back under the lock before it goes
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
            has_listeners: AtomicBool::new(watchdog.is_some()),
            pool,
            watchdog,
            spawned: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
        }
    }

    /// Whether it is of another process, which has forked this one: here it has no workers.
    pub(crate) fn is_foreign(&self) -> bool {
        self.generation != generation()
    }

    /// Queues an unstarted thread that an OS thread has spawned. The caller has taken its credit.
    pub(crate) fn inject(&self, task: NonNull<Task>) {
        self.spawned.fetch_add(1, Relaxed);
        // SAFETY: new, and given to us.
        unsafe { self.injector.push(task) };
        self.wake_searcher(false);
    }

    /// Puts an unstarted thread into a worker's own deque; if that is full, the older half of it
    /// and this thread become everybody's.
    ///
    /// # Safety
    /// The caller is the worker whose handle this is, and gives the thread away.
    #[inline]
    pub(super) unsafe fn queue(&self, own: &WorkerHandle<Task>, task: NonNull<Task>) {
        // SAFETY: alive: unstarted, and the caller's until it is pushed.
        let note = |place| unsafe { task.as_ref() }.deque_hint.store(place as u32, Relaxed);
        // SAFETY: the caller owns the deque, and gives the task away.
        if !unsafe { own.deque.push(task, note) } {
            // SAFETY: the same.
            unsafe { self.spill(own, task) };
        }
    }

    #[cold]
    unsafe fn spill(&self, own: &WorkerHandle<Task>, newest: NonNull<Task>) {
        // SAFETY: the caller owns the deque; all of these are unstarted, and its to give.
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
        // No more than there is room for: `spill` would want the injector's lock again.
        let more = more.min(DEQUE_CAPACITY - own.deque.len());
        // SAFETY: the caller owns the deque, and what the injector hands out is ours to give.
        self.injector.pop(more, |task| unsafe { self.queue(own, task) })
    }

    /// Wakes a worker to search for an unstarted thread that has just been queued, the `only` one
    /// there or not, if one is needed.
    #[inline]
    pub(crate) fn wake_searcher(&self, only: bool) {
        if let Some(worker) = self.idle.wake_searcher(&self.workers, only) {
            worker.wake_driver();
        }
    }

    /// Whether somebody has to be told of births or deaths. One load.
    #[inline]
    pub(crate) fn has_listeners(&self) -> bool {
        self.has_listeners.load(Relaxed)
    }

    /// From now on somebody has.
    pub(super) fn listen(&self) {
        self.has_listeners.store(true, Relaxed);
    }

    /// Tells the observer, if there is one, of a thread that has been made and is about to be
    /// queued.
    #[cold]
    pub(crate) fn tell_birth(&self, thread: &Task) {
        if let Some(observer) = self.observer.get() {
            observer.born(thread);
        }
    }

    /// Tells the observer, if there is one, of a thread that has ended.
    pub(super) fn tell_death(&self, thread: &Task) {
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

    /// How many started threads there are, as of late.
    pub(crate) fn started(&self) -> usize {
        self.workers.iter().map(|worker| worker.load()).sum()
    }

    /// How many threads there are, unstarted ones too; 0 is no hint, but true of the time of the
    /// fence.
    pub(crate) fn alive(&self) -> usize {
        let ended =
            self.workers.iter().map(|worker| worker.counts.ended.load(Acquire)).fold(0, usize::wrapping_add);
        fence(SeqCst);
        let spawned = self.workers.iter().map(|worker| worker.counts.spawned.load(Acquire));
        spawned.fold(self.spawned.load(Acquire), usize::wrapping_add).wrapping_sub(ended)
    }

    /// No thread will be spawned from outside any more; when the last has ended, the workers stop.
    pub(crate) fn close(&self) {
        self.closing.store(true, Relaxed);
        self.wake_all();
    }

    /// Makes every worker that sleeps look around.
    pub(crate) fn wake_all(&self) {
        // Each wake begins with a fence (`task::sleep_flag`): a worker sees what was written
        // before, or is woken.
        self.workers.iter().for_each(|worker| {
            worker.wake();
        });
    }

    /// Whether it is about to stop; a hint.
    pub(crate) fn is_ending(&self) -> bool {
        self.closing.load(Relaxed) && self.alive() == 0
    }

    /// A worker, after the fence of its last look: whether it shall stop.
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

    /// A worker has left its loop.
    pub(crate) fn worker_stopped(&self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.count -= 1;
        if running.count == 0 {
            // No green thread is left, and so no call.
            self.pool.close();
            if let Some(watchdog) = &self.watchdog {
                watchdog.stop();
            }
            let wake = running.closer.take().map(|closer| {
                // SAFETY: it is still registered, and we hold the lock under which it would take
                // itself back.
                unsafe { Waiter::claim(closer, Outcome::Woken) }
            });
            drop(running);
            if let Some(Claim::Won(Some(wake))) = wake {
                wake.fire();
            }
        }
    }

    /// Waits until all workers have stopped; `false` if the deadline came first.
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
