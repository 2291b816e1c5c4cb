//! What the workers of one runtime share, and how a runtime ends.
//!
//! The end: `closing` is set and every worker woken. A worker that is about to sleep, and sees `closing`, adds up the
//! counts; if as many threads have ended as were spawned, it sets `stopped` and wakes the others. Each worker
//! writes its own counts, so the common path shares nothing. Reading the ended ones first and the spawned ones
//! after makes the sum safe: spawned counts only grow, so equal sums mean that at the time of the first
//! reading nothing was alive, and once `closing` is set nobody but a live thread can spawn.
//!
//! Invariants:
//! 1. Every worker's OS thread holds an `Arc<Shared>` until it has left its loop.

use core::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
    fence,
};
use std::{
    io,
    ops::Deref,
    ptr::NonNull,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use super::{
    blocking::Pool,
    deque::Deque,
    idle::{Idle, Sleeper},
    injector::Injector,
};
use crate::task::{
    block::Task,
    pool::Depots,
    remote::Remote,
    sleep::SleepFlag,
    wait::{Claim, Outcome, Reason, Waiter},
};
use crate::{
    stack,
    sys::{memory::exhausted, process::generation},
};

/// More unstarted threads than this go to the injector.
pub(crate) const OWN_QUEUE: usize = 256;

/// A worker's own unstarted threads.
#[derive(Debug)]
pub(crate) struct Queue(Deque<Task, OWN_QUEUE>);

// SAFETY: unstarted tasks may move between OS threads: their closures are `Send`, or they are never put in here. What
// only the owner may do is unsafe.
unsafe impl Send for Queue {}
// SAFETY: as above.
unsafe impl Sync for Queue {}

impl Queue {
    /// Of a worker that is `alone`, or not.
    pub(crate) fn new(alone: bool) -> Self {
        Self(Deque::new(alone))
    }
}

impl Deref for Queue {
    type Target = Deque<Task, OWN_QUEUE>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// One worker, as its siblings see it.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) remote: Arc<Remote>,
    /// Its own unstarted threads.
    pub(crate) queue: Queue,
    pub(crate) counts: crossbeam_utils::CachePadded<Counts>,
}

/// How many threads a worker has spawned and buried, ever. It alone writes them.
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
}

impl Sleeper for Arc<Seat> {
    fn flag(&self) -> &SleepFlag {
        &self.remote.sleep
    }

    fn fullness(&self) -> usize {
        self.remote.load()
    }

    fn has_mail(&self) -> bool {
        !self.remote.inbox.is_empty()
    }

    fn has_unstarted(&self) -> bool {
        !self.queue.is_empty()
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Of the process whose threads its workers are.
    generation: u32,
    pub(crate) name: String,
    /// What a thread's stack is when it doesn't say.
    pub(crate) stack_size: usize,
    pub(crate) seats: Box<[Arc<Seat>]>,
    pub(crate) injector: Injector,
    /// Free memory for blocks.
    pub(crate) depots: Arc<Depots>,
    pub(crate) idle: Idle,
    /// Threads that no stack could be had for.
    pub(crate) starved: Injector,
    refusal: Refusal,
    pub(crate) pool: Pool,
    pub(crate) watchdog: Option<super::watchdog::Watchdog>,
    /// Spawned by OS threads.
    spawned: AtomicUsize,
    closing: AtomicBool,
    stopped: AtomicBool,
    /// How many workers run, and who waits for them to end.
    workers: Mutex<Running>,
}

/// Since when threads wait for a stack, in nanoseconds from `origin` and never 0, or 0; and for one of which size.
#[derive(Debug)]
struct Refusal {
    origin: Instant,
    since: AtomicU64,
    size: AtomicUsize,
    reported: AtomicBool,
}

/// When they have waited for so many nanoseconds, spawning more is refused: the siblings that sleep on unused stacks have
/// had the time to give them up.
const REFUSES_AFTER: u64 = 2_000_000;
/// When they have waited for so many nanoseconds, and nobody has got a stack meanwhile, it is reported, once.
pub(super) const REPORTS_AFTER: u64 = 1_000_000_000;

#[derive(Debug)]
struct Running {
    count: usize,
    closer: Option<*const Waiter>,
}

// SAFETY: the pointer is to a waiter whose owner takes it back under the lock before it goes (`wait_stopped`).
unsafe impl Send for Running {}

impl Shared {
    pub(crate) fn new(
        name: String,
        stack_size: usize,
        seats: Box<[Arc<Seat>]>,
        pool: Pool,
        watchdog: Option<super::watchdog::Watchdog>,
    ) -> Self {
        Self {
            generation: generation(),
            name,
            stack_size,
            workers: Mutex::new(Running { count: seats.len(), closer: None }),
            seats,
            injector: Injector::new(),
            depots: Arc::new(Depots::new()),
            idle: Idle::new(),
            starved: Injector::new(),
            refusal: Refusal {
                origin: Instant::now(),
                since: AtomicU64::new(0),
                size: AtomicUsize::new(0),
                reported: AtomicBool::new(false),
            },
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

    /// Queues an unstarted thread from outside. The caller has taken its credit.
    pub(crate) fn inject(&self, task: NonNull<Task>) {
        self.spawned.fetch_add(1, Relaxed);
        // SAFETY: new, and given to us.
        unsafe { self.injector.push(task) };
        self.call(false);
    }

    /// Wakes a worker for an unstarted thread that has just been queued, the `only` one there or not, if one is needed.
    #[inline]
    pub(crate) fn call(&self, only: bool) {
        if let Some(seat) = self.idle.call(&self.seats, only) {
            seat.remote.rouse();
        }
    }

    /// How many started threads there are, as of late.
    pub(crate) fn started(&self) -> usize {
        self.seats.iter().map(|seat| seat.remote.load()).sum()
    }

    /// How many threads there are, unstarted ones too; 0 is no hint, but true of the time of the fence.
    pub(crate) fn alive(&self) -> usize {
        let ended =
            self.seats.iter().map(|seat| seat.counts.ended.load(Acquire)).fold(0, usize::wrapping_add);
        fence(SeqCst);
        let spawned = self.seats.iter().map(|seat| seat.counts.spawned.load(Acquire));
        spawned.fold(self.spawned.load(Acquire), usize::wrapping_add).wrapping_sub(ended)
    }

    /// A thread is going to wait for a stack of this size. Whether the caller shall report it.
    pub(crate) fn note_refusal(&self, stack_size: usize) -> bool {
        self.refusal.size.store(stack_size, Relaxed);
        let now = self.refusal.origin.elapsed().as_nanos() as u64 + 1;
        match self.refusal.since.compare_exchange(0, now, Relaxed, Relaxed) {
            Ok(_) => false,
            Err(since) => {
                now.saturating_sub(since) >= REPORTS_AFTER && !self.refusal.reported.swap(true, Relaxed)
            }
        }
    }

    /// A thread has got one. Whether others have waited for that.
    #[inline]
    pub(crate) fn note_stack(&self, stack_size: usize) -> bool {
        let waited = self.refusal.since.load(Relaxed) != 0 && stack_size >= self.refusal.size.load(Relaxed);
        if waited {
            self.forget_refusal();
        }
        waited
    }

    /// Nobody waits for one in vain any more.
    #[cold]
    pub(crate) fn forget_refusal(&self) {
        self.refusal.since.store(0, Relaxed);
        if self.starved.len() == 0 {
            self.refusal.reported.store(false, Relaxed);
        }
    }

    /// Why a thread with such a stack had better not be spawned now, if so.
    #[inline]
    pub(crate) fn refusal(&self, stack_size: usize) -> Option<io::Error> {
        let since = self.refusal.since.load(Relaxed);
        if since != 0 && stack_size >= self.refusal.size.load(Relaxed) {
            self.refuse(stack_size, since)
        } else {
            None
        }
    }

    #[cold]
    fn refuse(&self, stack_size: usize, since: u64) -> Option<io::Error> {
        let now = self.refusal.origin.elapsed().as_nanos() as u64;
        (now.saturating_sub(since) >= REFUSES_AFTER).then(|| {
            stack::last_refusal().unwrap_or_else(|| {
                let waiting = self.starved.len();
                exhausted(format_args!(
                    "no stack of {stack_size} bytes: {waiting} green threads wait for one to come free; use smaller \
                     stacks (thread::Builder::stack_size, GREENTHREAD_STACK_SIZE) or fewer threads, or raise the limit of \
                     the process's memory"
                ))
            })
        })
    }

    /// No thread will be spawned from outside any more; when the last has ended, the workers stop.
    pub(crate) fn close(&self) {
        self.closing.store(true, Relaxed);
        self.wake_all();
    }

    /// Makes every worker that sleeps look around.
    pub(crate) fn wake_all(&self) {
        // Each wake begins with a fence (`task::sleep`): a worker sees what was written before, or is woken.
        self.seats.iter().for_each(|seat| {
            seat.remote.wake();
        });
    }

    /// Whether it is about to stop; a hint.
    pub(crate) fn is_ending(&self) -> bool {
        self.closing.load(Relaxed) && self.alive() == 0
    }

    /// A worker, after the fence of its last look: whether it shall stop.
    pub(crate) fn over(&self) -> bool {
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
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.count -= 1;
        if workers.count == 0 {
            // No green thread is left, and so no call.
            self.pool.close();
            if let Some(watchdog) = &self.watchdog {
                watchdog.stop();
            }
            let wake = workers.closer.take().map(|closer| {
                // SAFETY: it is still registered, and we hold the lock under which it would take itself back.
                unsafe { Waiter::claim(closer, Outcome::Woken) }
            });
            drop(workers);
            if let Some(Claim::Won(Some(wake))) = wake {
                wake.fire();
            }
        }
    }

    /// Waits until all workers have stopped; `false` if the deadline came first.
    pub(crate) fn wait_stopped(&self, deadline: Option<std::time::Instant>) -> bool {
        let waiter = Waiter::new();
        {
            let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
            if workers.count == 0 {
                return true;
            }
            workers.closer = Some(&raw const waiter);
        }
        if waiter.wait(Reason::Join, deadline) == Outcome::Woken {
            return true;
        }
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).closer = None;
        false
    }
}
