//! A worker: one OS thread's loop on its home context, which does everything that is slow. What is fast, the
//! switch from one ready thread to the next, the threads do by themselves (`task::local`).
//!
//! In what order things get their turn:
//!
//! * A *round* is as many direct switches as there are ready threads (256 at most, and 64 at least if there is
//!   nothing to start; fewer if the next look around is due sooner). After it unstarted threads have theirs: one, and one
//!   more for each 16 ready ones. Where threads compute for long, the two take turns one by one.
//! * Every 100 microseconds or so the worker looks at its inbox, its timers and its driver (`look`). So neither a thread
//!   that only yields nor one that only spawns keeps anybody from going on; and where threads compute for long, those
//!   that wait for I/O go before them.
//! * With nothing ready, it starts threads, newest first (that keeps few stacks in use), now and then the oldest (so that
//!   none waits for ever); then searches for a while what others have (`idle`); then sleeps in its driver.
//!
//! Invariants:
//! 1. `local` is the first field, and `LOCAL` points to the whole `Worker` while `run` runs (`repr(C)`).
//! 2. Everything here is touched by the worker's own OS thread only.
//! 3. On the home context no thread of this worker runs: all of its started threads are suspended, in the ring or
//!    known to whoever will wake them. `ended` holds one that will never run again, so its stack is nobody's.

use core::{
    cell::{Cell, RefCell, UnsafeCell},
    ptr::{self, NonNull},
    sync::atomic::Ordering::Relaxed,
};
use std::{num::NonZeroU64, sync::Arc, time::Duration};

use greenthread_context::Context;

use super::{
    awake::Awake,
    credit::Store,
    injector::Injector,
    look::Look,
    placement::{elsewhere, is_crowded},
    shared::{self, Counts, Seat, Shared},
    trim::Trim,
};
use crate::{
    driver::PollDriver,
    stack::Cache,
    task::{
        block::{BlockRef, Task},
        id,
        local::{self, Local},
    },
};

/// How many are taken from the injector at once, into an empty queue; and how many go there when the queue is full.
pub(super) const BATCH: usize = shared::OWN_QUEUE / 2;
/// How many threads are started between two looks at how full the others are.
const CROWDED_FOR: usize = 16;
/// After how long a thread that found no stack tries again, in nanoseconds, at first and at most, if none of its siblings has
/// ended: another runtime's may have. The one case in which a worker wakes up to look.
pub(super) const RETRY: u64 = 20_000_000;
pub(super) const MOST_RETRY: u64 = 5_000_000_000;
/// How many joiners may run their child between two visits home (`lend`), at most.
const LENDS: u32 = 64;
/// Half as many threads more or less are news to the siblings, and whether there are any. Anything less isn't worth the cache
/// line's way to them and back.
const NEWS: usize = 32;
/// Who is called for nothing naps, for so many nanoseconds at first, and at most: a thread that is spawned alone calls
/// nobody meanwhile. Its spawner may be about to join it, and to wake a sleeper takes it ten microseconds.
const NAP: u64 = 64_000;
const MOST_NAP: u64 = 256_000;
/// A sleep of so many nanoseconds was no sleep: waking up takes as long.
const SHORT_SLEEP: u64 = 50_000;

/// See the module.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) local: Local,
    pub(crate) shared: Arc<Shared>,
    pub(crate) driver: PollDriver,
    pub(crate) index: usize,
    pub(super) seat: Arc<Seat>,
    /// Unstarted threads that may not start elsewhere.
    pub(super) pinned: Injector,
    /// When one of these last found no stack: they wait for a sibling to end, or for a while.
    pub(super) held: Cell<Option<u64>>,
    pub(super) stacks: UnsafeCell<Cache>,
    pub(crate) credit: Store,
    /// The next thread number, and the first that is not ours.
    next_id: Cell<u64>,
    ids_end: Cell<u64>,
    /// How many threads have started here, on stacks of their own, and not ended.
    pub(super) started: Cell<usize>,
    /// From this number of them on, so many are no `NEWS` to the others.
    no_news: Cell<usize>,
    /// How many of the injector's have their turn yet.
    pub(super) turns: Cell<u32>,
    /// The oldest in its queue has its turn.
    pub(super) old: Cell<bool>,
    /// How many unstarted threads may still start before the next round.
    starts: Cell<u32>,
    /// Where in the ring the first of those lies, or lay, before whom others have gone (`look`).
    pub(super) ahead: Cell<u32>,
    /// How many more joiners may run their child before the worker comes home.
    pub(super) lends: Cell<u32>,
    /// Threads that ended while the watchdog was looking.
    pub(super) kept: RefCell<Vec<BlockRef>>,
    /// Where it has last seen a lone thread in each one's queue.
    pub(super) seen: Box<[Cell<usize>]>,
    /// It counts among the searchers.
    pub(super) searching: Cell<bool>,
    /// When a stack was last refused.
    pub(super) refused: Cell<Option<u64>>,
    /// After how long the next one tries again.
    pub(super) retry: Cell<u64>,
    pub(super) turn: Cell<u32>,
    /// Others were much emptier when it last looked.
    crowded: Cell<bool>,
    /// How long it stays awake with nothing to do.
    pub(super) awake: Awake,
    /// It has been woken to search, and has found nothing yet.
    called: Cell<bool>,
    /// How long its last nap was, if since then it has not found anything either.
    nap: Cell<u64>,
    pub(super) look: Cell<Look>,
    pub(super) trim: Cell<Trim>,
}

/// What a worker does next.
enum Next {
    Resume(Context),
    Start(NonNull<Task>),
    Stop,
}

/// The calling OS thread's worker, if it is one.
#[inline]
pub(crate) fn current<'a>() -> Option<&'a Worker> {
    // SAFETY: null, or it points to the whole `Worker`, which lives while its OS thread runs our code (invariant 1).
    unsafe { local::raw().cast::<Worker>().as_ref() }
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>, index: usize, driver: PollDriver) -> Self {
        let seen = shared.seats.iter().map(|_| Cell::new(usize::MAX)).collect();
        let seat = shared.seats[index].clone();
        Self {
            local: Local::new(seat.remote.clone(), shared.depots.clone()),
            seat,
            shared,
            driver,
            index,
            pinned: Injector::new(),
            held: Cell::new(None),
            stacks: UnsafeCell::new(Cache::new()),
            credit: Store::new(),
            next_id: Cell::new(0),
            ids_end: Cell::new(0),
            started: Cell::new(0),
            no_news: Cell::new(usize::MAX / 2),
            turns: Cell::new(0),
            old: Cell::new(false),
            starts: Cell::new(0),
            ahead: Cell::new(u32::MAX),
            lends: Cell::new(0),
            kept: RefCell::new(Vec::new()),
            seen,
            searching: Cell::new(false),
            refused: Cell::new(None),
            retry: Cell::new(RETRY),
            turn: Cell::new(index as u32),
            crowded: Cell::new(false),
            awake: Awake::new(),
            called: Cell::new(false),
            nap: Cell::new(0),
            look: Cell::new(Look::default()),
            trim: Cell::new(Trim::default()),
        }
    }

    /// A number for a new thread.
    #[inline]
    pub(crate) fn next_id(&self) -> NonZeroU64 {
        let next = self.next_id.get();
        if next == self.ids_end.get() {
            return self.more_ids();
        }
        self.next_id.set(next + 1);
        NonZeroU64::new(next).expect("reserved numbers are not 0")
    }

    #[cold]
    fn more_ids(&self) -> NonZeroU64 {
        const LUMP: u64 = 1024;
        let first = id::reserve(LUMP);
        self.next_id.set(first.get() + 1);
        self.ids_end.set(first.get() + LUMP);
        first
    }

    /// Queues an unstarted thread, for any worker or for this one only. The caller has taken its credit.
    #[inline]
    pub(crate) fn spawn(&self, task: NonNull<Task>, pinned: bool) {
        Counts::bump(&self.seat.counts.spawned);
        // Those that are ready have their turn, then the new one.
        let budget = &self.local.budget;
        budget.set(budget.get().min(self.local.ready.len()));
        if pinned {
            return self.pin(task);
        }
        self.queue_up(task);
        if self.shared.seats.len() > 1 {
            self.shared.call(self.seat.queue.len() == 1);
        }
    }

    #[cold]
    fn pin(&self, task: NonNull<Task>) {
        // SAFETY: unstarted, alive, and ours.
        unsafe { task.as_ref() }.home.set(Arc::as_ptr(&self.local.remote));
        // SAFETY: as above, and in no list. No other OS thread sees this one.
        unsafe { self.pinned.push(task) };
    }

    #[inline]
    pub(super) fn queue_up(&self, task: NonNull<Task>) {
        // SAFETY: alive: unstarted, and ours until it is pushed.
        let note = |place| unsafe { task.as_ref() }.place.store(place as u32, Relaxed);
        // SAFETY: our own queue, and the task is unstarted and ours to give.
        if !unsafe { self.seat.queue.push(task, note) } {
            self.spill(task);
        }
    }

    /// The queue is full: makes the older half of it everybody's, and this thread with them.
    #[cold]
    fn spill(&self, newest: NonNull<Task>) {
        // SAFETY: our own queue; unstarted, and ours to give.
        unsafe { self.shared.injector.push_lot(BATCH + 1, self.seat.queue.shift(BATCH).chain([newest])) };
    }

    /// Takes the oldest of its own.
    fn oldest(&self) -> Option<NonNull<Task>> {
        // SAFETY: our own queue.
        unsafe { self.seat.queue.shift(1) }.next()
    }

    /// Takes the newest of its own.
    #[inline]
    fn newest(&self) -> Option<NonNull<Task>> {
        // SAFETY: our own queue.
        unsafe { self.seat.queue.pop() }
    }

    /// Takes an unstarted thread out of the queue again, if it is there. The caller has a reference to it.
    #[inline]
    pub(super) fn take_back(&self, task: NonNull<Task>) -> bool {
        // SAFETY: alive by the caller's reference; and our own queue.
        unsafe { self.seat.queue.take(task, task.as_ref().place.load(Relaxed) as usize) }
    }

    #[inline]
    pub(super) fn set_started(&self, started: usize) {
        self.started.set(started);
        if started.wrapping_sub(self.no_news.get()) >= NEWS {
            self.show_started();
        }
    }

    fn show_started(&self) {
        let started = self.started.get();
        self.local.remote.load.store(started, Relaxed);
        // The first is news, and so is the last.
        let no_news = if started == 0 { usize::MAX / 2 } else { started.saturating_sub(NEWS / 2).max(1) };
        self.no_news.set(no_news);
    }

    /// The loop, until the runtime ends.
    pub(crate) fn run(&self) {
        // SAFETY: we live until the loop ends (invariant 1).
        unsafe { Local::install(ptr::from_ref(self).cast()) };
        loop {
            let next = self.next();
            let Shared { idle, seats, injector, .. } = &*self.shared;
            if self.searching.replace(false) && idle.end_with_thread(seats, || injector.len()) {
                self.shared.call(false);
            }
            self.lends.set(self.brisk_round().min(LENDS));
            match next {
                // SAFETY: it was taken out of the ring: suspended here, and in no list.
                Next::Resume(context) => unsafe { self.local.enter(context, 0) },
                Next::Start(task) => self.start(task),
                Next::Stop => break,
            }
            if let Some(task) = self.local.ended.take() {
                self.bury(task);
            }
        }
        self.credit.tell(&self.seat.counts);
        // SAFETY: no thread of ours is left, so nobody has a reference to `local` (invariant 1).
        unsafe { Local::install(ptr::null()) };
    }

    fn next(&self) -> Next {
        let local = &self.local;
        loop {
            self.flush();
            if self.is_due() {
                self.look_around();
            }
            let ready = local.ready.len();
            if local.budget.get() == 0 && self.starts.get() == 0 {
                self.starts.set(if local.brisk.get() { 1 + ready / 16 } else { 1 });
            }
            if self.starts.get() > 0 || ready == 0 {
                if let Some(task) = self.fresh(ready > 0) {
                    self.starts.set(self.starts.get().saturating_sub(1));
                    local.budget.set(if self.starts.get() == 0 { self.round(ready) } else { 0 });
                    return Next::Start(task);
                }
                self.starts.set(0);
                local.budget.set(self.round(ready.max(64)));
            }
            // SAFETY: ours, and every place in it is filled while home runs.
            if let Some(context) = unsafe { local.ready.pop() } {
                local.budget.set(local.budget.get().saturating_sub(1));
                // SAFETY: as above. Threads that end one after the other come back here, and each touches all its frames; but what
                // lies above them is the next stack's guard, where a fetch costs a walk through the page tables each time.
                unsafe { local.ready.prefetch(384) };
                return Next::Resume(context);
            }
            if let Some(next) = self.idle() {
                return next;
            }
        }
    }

    /// An unstarted thread to start here and now.
    fn fresh(&self, busy: bool) -> Option<NonNull<Task>> {
        loop {
            let turn = self.turn.get().wrapping_add(1);
            self.turn.set(turn);
            if turn % 2 == 1
                && let Some(task) = self.own_fresh()
            {
                return Some(task);
            }
            let turns = self.turns.get();
            self.turns.set(turns.saturating_sub(1));
            let old = if self.old.take() { self.oldest() } else { None };
            let old = old.or_else(|| if turns > 0 { self.injected(0) } else { None });
            let task = old.or_else(|| self.newest()).or_else(|| self.injected(BATCH));
            let Some(task) = task else { return self.own_fresh() };
            if self.shared.seats.len() == 1 {
                return Some(task);
            }
            let (load, turn) = (self.started.get(), turn as usize);
            if self.shared.idle.anyone_away()
                && let Some(seat) = elsewhere(&self.shared.seats, self.index, load, turn)
            {
                // SAFETY: unstarted, ours to give; the seat lives as long as `shared`.
                unsafe { seat.remote.give(task.as_ptr()) };
                continue;
            }
            if turn % CROWDED_FOR == 0 {
                self.crowded.set(is_crowded(&self.shared.seats, self.index, load, turn));
            }
            if busy && self.crowded.get() {
                // SAFETY: unstarted, and ours to give.
                unsafe { self.shared.injector.push(task) };
                self.shared.call(false);
                return None;
            }
            return Some(task);
        }
    }

    /// An unstarted thread that may start here only.
    fn own_fresh(&self) -> Option<NonNull<Task>> {
        if self.pinned.len() == 0 {
            return None;
        }
        if let Some(at) = self.held.get() {
            if self.local.clock.now().saturating_sub(at) < self.retry() {
                return None;
            }
            self.note_retry();
            self.held.set(None);
        }
        self.pinned.pop(0, |_| {})
    }

    pub(super) fn injected(&self, more: usize) -> Option<NonNull<Task>> {
        // Not more than there is room for, as `spill` would want the injector's lock again.
        let more = more.min(shared::OWN_QUEUE - self.seat.queue.len());
        self.shared.injector.pop(more, |task| self.queue_up(task))
    }

    /// Nothing is ready, and nothing of our own to start: search, then sleep. `None`: look again.
    fn idle(&self) -> Option<Next> {
        self.read_inbox();
        let mut now = self.local.clock.now();
        self.expire(now);
        if self.has_work() {
            return None;
        }
        let alone = self.shared.seats.len() == 1;
        if !alone {
            if let Some(task) = self.search() {
                self.called.set(false);
                self.nap.set(0);
                return Some(Next::Start(task));
            }
            if self.has_work() {
                self.called.set(false);
                return None;
            }
            now = self.local.clock.now();
        }
        // Alone, it may have been called too, and for nothing.
        if self.searching.replace(false) {
            self.shared.idle.end();
        }
        if self.give_back(now) {
            return None;
        }
        let nap = self.called.take().then(|| {
            self.shared.idle.nap();
            self.nap.set((2 * self.nap.get()).clamp(NAP, MOST_NAP));
            self.nap.get()
        });
        let flag = &self.local.remote.sleep;
        self.show_started();
        let Shared { idle, seats, injector, .. } = &*self.shared;
        let next = if !idle.go_to_sleep(&self.seat, seats, || injector.len()) || self.has_work() {
            None
        } else if let Some(task) = self.unstarve(now) {
            Some(Next::Start(task))
        } else if self.shared.over() {
            Some(Next::Stop)
        } else {
            // SAFETY: ours (invariant 2); no reference lives on.
            let deadline = unsafe { (*self.local.timers.get()).next_deadline() };
            let timeout = deadline.map(|deadline| deadline.saturating_sub(now));
            let starved = self.shared.starved.len() != 0 || self.pinned.len() != 0;
            let retry = starved.then(|| self.retry());
            let settles = self.settles_in(now);
            self.poll([timeout, retry, nap, settles].into_iter().flatten().min().map(Duration::from_nanos));
            None
        };
        if flag.finish() {
            self.searching.set(true);
            self.called.set(true);
        }
        self.shared.idle.come_back();
        if nap.is_some() {
            self.shared.idle.end_nap();
            // What was queued meanwhile is looked for, if not by us then by whom we call.
            self.searching.set(self.searching.get() || self.begin_search());
        }
        let brought = !self.local.remote.inbox.is_empty();
        // What was given to a sleeper is for others to steal before anything here runs for long.
        self.read_inbox();
        if let Some(watchdog) = &self.shared.watchdog {
            watchdog.rouse();
        }
        let slept_until = self.local.clock.now();
        if slept_until.saturating_sub(now) < SHORT_SLEEP && brought {
            self.awake.slept_briefly();
        }
        self.has_looked(slept_until);
        next
    }

    fn has_work(&self) -> bool {
        self.local.ready.len() != 0 || !self.seat.queue.is_empty()
    }
}
