//! The part of a worker that its threads touch: the run queue, the current thread, the switch.
//!
//! A green thread that suspends itself picks the next ready one and switches straight to it. It
//! switches to the worker's home context only if none is ready, or if the round is over. The home
//! context runs on the OS thread's own stack and does everything that is slow: starting threads,
//! timers, I/O, stealing, sleeping (`scheduler::worker_loop`).
//!
//! Invariants:
//! 1. `LOCAL` points to the `WorkerCore` of the worker whose OS thread this is, for as long as its
//!    loop runs; otherwise it is null, and also in a child that a thread of the worker has forked.
//!    A started thread never changes its OS thread (decision D1 in ARCHITECTURE.md), so a reference
//!    that a thread gets from it stays valid across switches.
//! 2. Only that OS thread touches a `WorkerCore`; others may read `current`, `switches` and the
//!    length of the run queue, as hints (the watchdog does).
//! 3. While a green thread runs, `current` points to its task, which is alive; on the home context
//!    it is null.
//! 4. `home` holds the home context while a green thread runs.
//! 5. A thread is not suspended while `no_yield` is not zero. It is the number of `without_yield`s
//!    that the context is in, and one more on the home context. So it is zero only while a green
//!    thread runs.
//! 6. On the home context, and when a thread begins, std's count of panics is 0. When a suspended
//!    thread goes on, the count is what it was when the thread was suspended (`panic_count`).
//! 7. While a thread with thread-locals of its own runs (`own_tls`), the core has their base and
//!    the worker's, and `budget` and `inline_joins_left` are 0: what is left of the budget is in
//!    `own_budget`. So such a thread is suspended where a round ends, and the switches inside a
//!    round need no test. While any other context runs, the worker's base is set.

use core::{
    cell::{Cell, RefCell, UnsafeCell},
    hint::spin_loop,
    mem::MaybeUninit,
    ptr::{self, NonNull},
    sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU32, AtomicU64,
        Ordering::{Relaxed, Release},
    },
};
use std::{sync::Arc, task::Waker};

use greenthread_context::{self as context, Context};

use super::{
    block::Task,
    block_pool::{Depots, Pool},
    clock::Clock,
    panic_count::PanicCount,
    pinned_queue::PinnedQueue,
    random::{self, Random},
    run_queue::RunQueue,
    timers::Timers,
    waiter::Waiter,
    worker_handle::WorkerHandle,
};
use crate::{stack::Cache, sys::tls::Base};

/// See the module.
#[derive(Debug)]
pub(crate) struct WorkerCore {
    /// The home context, while a green thread runs: there the worker goes on when no thread is
    /// ready.
    pub(crate) home: Cell<MaybeUninit<Context>>,
    /// Memory for blocks.
    pub(crate) blocks: Pool,
    /// The ready threads.
    pub(crate) ready: RunQueue,
    /// How many direct switches are left in this round.
    pub(crate) budget: Cell<u32>,
    /// Threads have lately run for long without a switch (`scheduler::tick`).
    pub(crate) is_cpu_bound: Cell<bool>,
    /// The thread that runs; null on the home context. The worker stores it with `Release`, since
    /// the watchdog reads the task from another OS thread.
    pub(crate) current: AtomicPtr<Task>,
    /// How many more joiners may run their child before the worker has a turn.
    pub(crate) inline_joins_left: Cell<u32>,
    /// The thread-locals of the running thread, if it has its own, and those of the worker
    /// (invariant 7).
    own_tls: Cell<Option<(Base, Base)>>,
    /// What is left of `budget` while such a thread runs.
    own_budget: Cell<u32>,
    /// How often a thread was suspended or the worker came back to its home context. The number
    /// stands still while one thread keeps the worker to itself.
    pub(crate) switches: AtomicU32,
    /// The thread that has just ended, for the home context to reap.
    pub(crate) ended: Cell<Option<NonNull<Task>>>,
    /// How many units of the cooperative budget are left (`coop`).
    pub(crate) coop_budget: Cell<u32>,
    /// The depth of `without_yield`, and one more on the home context.
    pub(crate) no_yield: Cell<u32>,
    /// How many threads have started here, on stacks of their own, and not ended.
    pub(crate) started: Cell<usize>,
    /// Cached stacks.
    pub(crate) stacks: UnsafeCell<Cache>,
    /// Unstarted threads that may not start elsewhere.
    pub(crate) pinned: PinnedQueue<Task>,
    /// Moves std's count of panics at switches away from a thread that is unwinding, or in a panic
    /// hook.
    panic_count: PanicCount,
    /// How many times a thread looks before it is suspended (`linger`). Zero if looking has lately
    /// been of no use.
    pub(crate) spin_budget: Cell<u32>,
    pub(crate) timers: UnsafeCell<Timers<Waiter>>,
    /// The earliest deadline of the timers, for the watchdog to compare with `clock`.
    earliest: AtomicU64,
    pub(crate) clock: Clock,
    /// For the choices of this worker's threads.
    pub(crate) random: Random,
    /// The wakers to call once the driver has released its lock (`awaiter`).
    pub(crate) deferred: RefCell<Vec<Waker>>,
    pub(crate) handle: Arc<WorkerHandle<Task>>,
}

/// Bytes of its stack that a thread touches when it goes on after a wait. They are fetched ahead.
/// To fetch more costs more than the rest of a switch; what is not fetched is waited for.
const WAIT_PREFETCH: usize = 256;
/// The same, after a yield.
const YIELD_PREFETCH: usize = 128;

/// The largest number of times that a thread looks before it is suspended (`linger`). A look takes
/// some 20 ns, so all of them take as long as a hand-over between two workers that are awake. More
/// looks delay the siblings; with fewer, the hand-over is missed.
pub(crate) const SPIN_BUDGET: u32 = 64;

/// Units of the cooperative budget that a worker's threads have between two switches (`coop`). With
/// more, siblings wait for longer. With fewer, threads that fill and empty a channel of usual size
/// yield shortly before they would wait anyway.
pub(crate) const COOP_BUDGET: u32 = 512;

thread_local! {
    /// Invariant 1.
    static LOCAL: Cell<*const WorkerCore> = const { Cell::new(ptr::null()) };
}

/// Set when the process exits: from then on a blocking call blocks its OS thread.
static EXITING: AtomicBool = AtomicBool::new(false);

/// Called when the process exits. From then on nothing switches.
pub(crate) extern "C" fn process_exits() {
    EXITING.store(true, Relaxed);
}

/// Called in the child of a fork. From then on the thread that has forked is an ordinary OS thread,
/// since its siblings, the worker's timers and its descriptors belong to the parent.
pub(crate) fn forked() {
    LOCAL.set(ptr::null());
}

/// The pointer that `install` was given, or null. It points to the whole worker
/// (`scheduler::worker`, invariant 1).
#[inline]
pub(crate) fn raw() -> *const WorkerCore {
    LOCAL.get()
}

/// The calling OS thread's worker, if it is one.
#[inline]
pub(crate) fn get<'a>() -> Option<&'a WorkerCore> {
    // SAFETY: it is null, or valid for as long as the worker's loop runs on this OS thread
    // (invariant 1).
    unsafe { LOCAL.get().as_ref() }
}

/// The calling green thread, if it is one and may be suspended.
#[inline]
pub(crate) fn current<'a>() -> Option<(&'a WorkerCore, &'a Task)> {
    let core = get()?;
    if core.no_yield.get() != 0 || EXITING.load(Relaxed) {
        return None;
    }
    // SAFETY: a green thread runs (invariant 5), so this is its task (invariant 3).
    Some((core, unsafe { core.running().unwrap_unchecked() }))
}

/// A random number below `limit`, which is not 0, from the calling OS thread's generator.
pub(crate) fn random_below(limit: usize) -> usize {
    random::below(get().map(|core| &core.random), limit)
}

/// Called when a thread has caught its last panic, so that none is under way on this OS thread.
/// std's count may say otherwise: if a panic has come out of a panic hook, two were counted and one
/// was caught.
#[cold]
pub(crate) fn forget_panics() {
    if let Some(core) = get() {
        core.panic_count.forget();
    }
}

/// Makes a suspended thread ready.
///
/// # Safety
/// The task is a started one whose wait has just been claimed, by the caller (see `wait`).
#[inline]
pub(crate) unsafe fn schedule(task: NonNull<Task>) {
    // SAFETY: the task is parked, so it is alive. Its owner was set when it started.
    let owner = unsafe { task.as_ref() }.owner.get();
    match get() {
        Some(core) if ptr::eq(Arc::as_ptr(&core.handle), owner) => {
            // SAFETY: the task is suspended, since this is its worker's OS thread and another
            // context runs. The claim makes it the caller's to push.
            unsafe { core.push(task.as_ref()) };
        }
        // SAFETY: the caller has claimed the wait, so it may give the task away.
        elsewhere => unsafe { send(elsewhere, owner, task) },
    }
}

#[cold]
unsafe fn send(here: Option<&WorkerCore>, owner: *const WorkerHandle<Task>, task: NonNull<Task>) {
    // SAFETY: until the task is pushed it can't end, and so its runtime and worker live.
    let runtime = unsafe { (*owner).runtime };
    let sibling = here.is_some_and(|core| core.handle.runtime == runtime);
    let _keep = (!sibling).then(|| {
        // SAFETY: the handle came from an `Arc` that is alive while the task can't end, which is
        // until it is pushed. The count that is added here keeps it alive after that
        // (`worker_handle`, invariant 1).
        unsafe {
            Arc::increment_strong_count(owner);
            Arc::from_raw(owner)
        }
    });
    // SAFETY: the handle is kept alive by `_keep`, or by the runtime of which this is a worker. The
    // caller gives the task away.
    unsafe { (*owner).send(task.as_ptr()) };
}

impl WorkerCore {
    pub(crate) fn new(handle: Arc<WorkerHandle<Task>>, depots: Arc<Depots>, clock: Clock) -> Self {
        Self {
            home: Cell::new(MaybeUninit::uninit()),
            blocks: Pool::new(depots),
            ready: RunQueue::new(),
            budget: Cell::new(0),
            is_cpu_bound: Cell::new(false),
            current: AtomicPtr::new(ptr::null_mut()),
            inline_joins_left: Cell::new(0),
            own_tls: Cell::new(None),
            own_budget: Cell::new(0),
            switches: AtomicU32::new(0),
            ended: Cell::new(None),
            coop_budget: Cell::new(COOP_BUDGET),
            no_yield: Cell::new(1),
            started: Cell::new(0),
            stacks: UnsafeCell::new(Cache::new()),
            pinned: PinnedQueue::new(),
            panic_count: PanicCount::new(),
            spin_budget: Cell::new(0),
            timers: UnsafeCell::new(Timers::new()),
            earliest: AtomicU64::new(u64::MAX),
            clock,
            random: Random::new(random::seed()),
            deferred: RefCell::default(),
            handle,
        }
    }

    /// Makes `core` the calling OS thread's worker. With null, the OS thread has none any more.
    ///
    /// # Safety
    /// The core lives until this is called with null on the same OS thread (invariant 1).
    pub(crate) unsafe fn install(core: *const WorkerCore) {
        LOCAL.set(core);
    }

    /// The green thread that runs on this worker, if one does, whether or not it may be suspended.
    #[inline]
    pub(crate) fn running(&self) -> Option<&Task> {
        // SAFETY: alive while it runs (invariant 3).
        unsafe { self.current.load(Relaxed).as_ref() }
    }

    /// Makes a suspended thread of this worker ready.
    ///
    /// # Safety
    /// It belongs to this worker, is suspended, not in the run queue, and this is its worker's OS
    /// thread.
    #[inline]
    pub(crate) unsafe fn push(&self, task: &Task) {
        // SAFETY: the caller vouches that the task is suspended, so its context is saved, and that
        // it is not in the run queue.
        unsafe { self.ready.push().write(task.context.get().assume_init()) };
    }

    /// The next ready thread in this round.
    #[inline]
    fn next(&self) -> Option<Context> {
        let budget = self.budget.get();
        if budget != 0
            // SAFETY: this is the run queue's OS thread (invariant 2), and every push is followed
            // by its write.
            && let Some(next) = unsafe { self.ready.pop() }
        {
            self.budget.set(budget - 1);
            // SAFETY: every push is followed by its write.
            unsafe { self.ready.prefetch(WAIT_PREFETCH) };
            return Some(next);
        }
        None
    }

    /// Whether it is worth it to [`linger`](Self::linger).
    #[inline]
    pub(crate) fn may_linger(&self) -> bool {
        self.budget.get() != 0 && self.spin_budget.get() != 0 && self.ready.len() == 0
    }

    /// Spins until another worker has done what the thread waits for (`settled`), or for a while.
    /// To be suspended and woken would take longer. A thread lingers only if nothing is ready here,
    /// and nothing is unstarted, as there is a budget left. Lingering costs budget, so that the
    /// worker gets its tick. Returns whether it is settled.
    #[inline]
    pub(crate) fn linger(&self, settled: impl Fn() -> bool) -> bool {
        if !self.may_linger() {
            return false;
        }
        let spin_budget = self.spin_budget.get();
        for _ in 0..spin_budget {
            if settled() {
                self.budget.set(self.budget.get() - 1);
                self.switches.store(self.switches.load(Relaxed).wrapping_add(1), Relaxed);
                self.spin_budget.set(SPIN_BUDGET);
                return true;
            }
            if !self.handle.inbox.is_empty() {
                return false;
            }
            spin_loop();
        }
        self.spin_budget.set(spin_budget / 2);
        false
    }

    /// Suspends the running thread, until it is pushed again.
    // A call more would be a tenth of a wait, and its return is mispredicted (`yield_now`).
    #[inline(always)]
    pub(crate) fn suspend(&self, task: &Task) {
        self.coop_budget.set(COOP_BUDGET);
        let place = task.context.as_ptr().cast();
        // SAFETY: a context is as large as the cell's content and has its layout. `next` returns
        // one that is in no list any more, and home is saved while a green thread runs (invariant
        // 4).
        unsafe {
            let next = match (self.next(), self.own_tls.get()) {
                (Some(next), _) => next,
                (None, None) => self.home.get().assume_init(),
                (None, Some(tls)) => return self.leave_with_own_tls(task, place, false, tls),
            };
            self.leave(task, place, next);
        }
    }

    /// Suspends the running thread, until it is pushed again. At the deadline a timer claims the
    /// waiter, which is the thread's.
    // Inlined into the one function behind all waits, it would cost a wait without a deadline 15
    // instructions.
    #[inline(never)]
    pub(crate) fn suspend_until(&self, task: &Task, deadline: u64, waiter: &Waiter) {
        self.earliest.store(deadline.min(self.earliest.load(Relaxed)), Relaxed);
        // SAFETY: this is the timers' OS thread (invariant 2), and no reference to them lives
        // across a switch.
        let timer = unsafe { (*self.timers.get()).insert(waiter, ptr::from_ref(task).cast(), deadline) };
        self.suspend(task);
        // SAFETY: this is the timers' OS thread (invariant 2), and no other reference to them
        // lives.
        unsafe { (*self.timers.get()).remove(timer, waiter) };
    }

    /// Makes room for `started` started threads. Each of them is in the run queue once and sets one
    /// timer at a time. Returns `false` if there is no memory for it.
    #[inline]
    pub(crate) fn reserve(&self, started: usize) -> bool {
        started <= self.ready.capacity() || self.grow(started)
    }

    #[cold]
    fn grow(&self, started: usize) -> bool {
        let room = started.next_power_of_two().max(64);
        // SAFETY: this is the OS thread of the timers and the run queue (invariant 2). The room is
        // a power of two, and at least `started`.
        unsafe { (*self.timers.get()).reserve(room) && self.ready.resize(room) }
    }

    /// Whether the capacity is more than eight times what `started` threads need.
    pub(crate) fn has_spare_capacity(&self, started: usize) -> bool {
        self.ready.capacity() > 1024.max(8 * started)
    }

    /// Makes the run queue and the timers smaller if they have much more capacity than `started`
    /// threads need.
    pub(crate) fn shrink(&self, started: usize) {
        if self.has_spare_capacity(started) {
            let room = (2 * started).next_power_of_two().max(64);
            // SAFETY: this is the OS thread of both (invariant 2). The room is a power of two, and
            // at least `started`. No reference to the timers lives.
            unsafe {
                self.ready.resize(room);
                (*self.timers.get()).shrink(room);
            }
        }
    }

    /// Notes the next deadline, after the worker has fired its timers.
    pub(crate) fn note_deadline(&self, deadline: Option<u64>) {
        self.earliest.store(deadline.unwrap_or(u64::MAX), Relaxed);
    }

    /// Whether a timer should have fired by now. The watchdog asks.
    pub(crate) fn is_late(&self) -> bool {
        self.earliest.load(Relaxed) < self.clock.now()
    }

    /// Suspends the running thread behind all ready ones. Returns whether the worker has had its
    /// turn meanwhile.
    // After a switch the processor predicts that a return goes to the caller in the thread before.
    // Without a call there is no return.
    #[inline(always)]
    pub(crate) fn yield_now(&self, task: &Task) -> bool {
        let budget = self.budget.get();
        // SAFETY: this is the run queue's OS thread (invariant 2), and every push is followed by
        // its write. The running thread is not in the queue, and the switch fills its place.
        unsafe {
            if budget != 0
                && let Some((next, place)) = self.ready.rotate(YIELD_PREFETCH)
            {
                self.budget.set(budget - 1);
                self.leave(task, place, next);
                return false;
            }
            let place = self.ready.push();
            match self.own_tls.get() {
                None => self.leave(task, place, self.home.get().assume_init()),
                Some(tls) => self.leave_with_own_tls(task, place, true, tls),
            }
            true
        }
    }

    /// Switches from `task` to `next`, and saves the context of `task` at `place`.
    ///
    /// # Safety
    /// `task` runs on this worker. `next` is suspended on this worker and in no list. `place` is
    /// valid for the write of a context.
    #[inline(always)]
    unsafe fn leave(&self, task: &Task, place: *mut Context, next: Context) {
        self.switches.store(self.switches.load(Relaxed).wrapping_add(1), Relaxed);
        if std::thread::panicking() {
            // SAFETY: `leave_unwinding` has the same contract.
            return unsafe { self.leave_unwinding(task, place, next) };
        }
        // SAFETY: the caller vouches for `next` and `place`.
        unsafe { context::switch(place, next, 0) };
        self.current.store(ptr::from_ref(task).cast_mut(), Release);
    }

    /// Switches from a thread with thread-locals of its own to the next ready one, or home. The
    /// count of panics is one of these thread-locals.
    ///
    /// # Safety
    /// As for `leave`; `tls` is that thread's (invariant 7). `place` is the last one in the run
    /// queue if `is_queued`, and in no list otherwise.
    // The function uses no thread-local, and is not inlined into one that does.
    #[cold]
    #[inline(never)]
    unsafe fn leave_with_own_tls(
        &self,
        task: &Task,
        place: *mut Context,
        is_queued: bool,
        (own, workers): (Base, Base),
    ) {
        self.switches.store(self.switches.load(Relaxed).wrapping_add(1), Relaxed);
        self.set_own_tls(None);
        // SAFETY: these are the bases of the worker and of the running thread's block (invariant
        // 7), and no thread-local is used here. The first in the queue is not the running thread,
        // whose place is not filled yet. Home is saved (invariant 4).
        unsafe {
            let others = self.ready.len() > u32::from(is_queued);
            let next = if others { self.next() } else { None };
            workers.set();
            context::switch(place, next.unwrap_or(self.home.get().assume_init()), 0);
            own.set();
        }
        self.set_own_tls(Some((own, workers)));
        self.current.store(ptr::from_ref(task).cast_mut(), Release);
    }

    /// Whether the running thread has thread-locals of its own.
    #[inline]
    pub(crate) fn has_own_tls(&self) -> bool {
        self.own_tls.get().is_some()
    }

    /// Notes the bases of the running thread's own thread-locals and of the worker's, or that it
    /// has none of its own (invariant 7).
    pub(crate) fn set_own_tls(&self, bases: Option<(Base, Base)>) {
        // One of them is 0.
        let budget = self.budget.replace(0) + self.own_budget.replace(0);
        let kept = if bases.is_some() { &self.own_budget } else { &self.budget };
        kept.set(budget);
        self.own_tls.set(bases);
        self.inline_joins_left.set(0);
    }

    /// As `leave`, in the middle of unwinding or in a panic hook.
    ///
    /// # Safety
    /// As for `leave`.
    #[cold]
    #[inline(never)]
    unsafe fn leave_unwinding(&self, task: &Task, place: *mut Context, next: Context) {
        let panics = self.panic_count.lower();
        // SAFETY: the caller vouches for `next` and `place`.
        unsafe { context::switch(place, next, 0) };
        self.current.store(ptr::from_ref(task).cast_mut(), Release);
        self.panic_count.raise(panics);
    }

    /// Leaves the context of a thread that has ended, for ever.
    ///
    /// # Safety
    /// The running thread has ended; nothing on its stack is needed any more.
    pub(crate) unsafe fn end(&self, task: NonNull<Task>) -> ! {
        self.ended.set(Some(task));
        // SAFETY: a green thread runs, so home is saved (invariant 4).
        unsafe { context::switch_final(self.home.get().assume_init(), 0) }
    }

    /// Switches from the home context to `to`. Returns when the worker is back on its home context.
    ///
    /// # Safety
    /// The home context runs, and `to` is suspended on this worker and in no list.
    pub(crate) unsafe fn enter(&self, to: Context, argument: usize) {
        // It is lowered by one and not set to 0, since a coroutine that is suspended inside
        // `without_yield` stays counted on the home context too.
        self.no_yield.set(self.no_yield.get() - 1);
        // SAFETY: the caller vouches for `to`. The switch fills `home` before the thread runs
        // (invariant 4).
        unsafe { context::switch(self.home.as_ptr().cast(), to, argument) };
        self.no_yield.set(self.no_yield.get() + 1);
        self.current.store(ptr::null_mut(), Relaxed);
        self.switches.store(self.switches.load(Relaxed).wrapping_add(1), Relaxed);
    }
}
