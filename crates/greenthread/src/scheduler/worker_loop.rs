//! A worker's loop, on its home context. It does everything that is slow: starting threads, timers,
//! I/O, stealing, sleeping. What is fast, the switch from one ready thread to the next, the threads
//! do by themselves (`task::worker_core`).
//!
//! What is done when, and for whom, is decided in `policy`; the steps here are numbered as there.
//!
//! Invariants: those of `worker`.

use core::{ptr, ptr::NonNull, sync::atomic::Ordering::Relaxed};
use std::{io, time::Duration};

use greenthread_context::Context;

use super::{
    placement,
    policy::{self, INJECTOR_BATCH, MAX_INLINE_JOINS, MIN_ROUND, SHORT_SLEEP},
    shared::Shared,
    start, starvation,
    worker::Worker,
};
use crate::task::{
    block::{Start, Task},
    job,
    wait::expire_timers,
    worker_core::WorkerCore,
};

/// What a worker does next.
enum Next {
    Resume(Context),
    Start(NonNull<Task>),
    Stop,
}

/// Runs a worker on the calling OS thread, until its runtime ends.
pub(crate) fn run(worker: &Worker) {
    // SAFETY: the worker lives until the loop ends (`worker`, invariant 1).
    unsafe { WorkerCore::install(ptr::from_ref(worker).cast()) };
    loop {
        let next = worker.next();
        worker.stop_searching();
        worker.inline_joins_left.set(worker.tick.after().min(MAX_INLINE_JOINS));
        match next {
            // SAFETY: it was taken out of the run queue: suspended here, and in no list.
            Next::Resume(context) => unsafe { worker.core.enter(context, 0) },
            Next::Start(task) => worker.start(task),
            Next::Stop => break,
        }
        if let Some(task) = worker.core.ended.take() {
            worker.reap(task);
        }
    }
    worker.settle_promises();
    // SAFETY: no thread of ours is left, so nobody has a reference to `core` (`worker`, invariant
    // 1).
    unsafe { WorkerCore::install(ptr::null()) };
}

impl Worker {
    fn next(&self) -> Next {
        let core = &self.core;
        loop {
            self.flush();
            // 2, 3.
            if self.tick.is_due(core.switches.load(Relaxed), core.is_cpu_bound.get()) {
                self.do_tick();
            }
            // 4.
            let ready = core.ready.len();
            let starts = &self.turns.starts;
            if core.budget.get() == 0 && starts.get() == 0 {
                starts.set(policy::starts(ready, core.is_cpu_bound.get()));
            }
            if starts.get() > 0 || ready == 0 {
                if let Some(task) = self.next_unstarted(ready > 0) {
                    starts.set(starts.get().saturating_sub(1));
                    core.budget.set(if starts.get() == 0 { self.round(ready) } else { 0 });
                    return Next::Start(task);
                }
                starts.set(0);
                core.budget.set(self.round(ready.max(MIN_ROUND)));
            }
            // 1. SAFETY: ours, and every place in it is filled while home runs.
            if let Some(context) = unsafe { core.ready.pop() } {
                core.budget.set(core.budget.get().saturating_sub(1));
                // Threads that end one after the other come back here, and each touches all its
                // frames. What lies above them is the next stack's guard, where a fetch costs a
                // walk through the page tables each time.
                // SAFETY: the same.
                unsafe { core.ready.prefetch(384) };
                return Next::Resume(context);
            }
            if let Some(next) = self.idle() {
                return next;
            }
        }
    }

    fn round(&self, ready: u32) -> u32 {
        policy::round(ready, self.tick.after(), self.core.is_cpu_bound.get())
    }

    /// Has the driver hand over what it held back. How long that takes is no measure of how long
    /// threads run.
    fn flush(&self) {
        if !self.driver.has_batched() {
            return self.driver.flush();
        }
        let begin = self.core.clock.now();
        self.driver.flush();
        self.tick.exclude_span(begin, self.core.clock.now());
    }

    /// Looks at everything that may have come from elsewhere (2), lets those that it has woken
    /// overtake (3), and sees whose turn it is to start (5).
    fn do_tick(&self) {
        let core = &self.core;
        let now = core.clock.now();
        let is_cpu_bound = self.tick.begin(now, core.switches.load(Relaxed), core.is_cpu_bound.get());
        core.is_cpu_bound.set(is_cpu_bound);
        // While some overtake, no others do: those that compute get their turn.
        let may_overtake = !is_cpu_bound || self.have_overtakers_passed();
        let polls = may_overtake && self.tick.polls(now);
        // SAFETY: home runs (`worker`, invariant 3).
        let trims = unsafe { self.trim.at_tick(now, core) };
        self.turns.renew(self.tick.is_oldest_due(now, self.handle().deque.first()));
        self.expire_timers(now);
        let ready = core.ready.len();
        self.read_inbox();
        if polls {
            self.driver.sleep(Some(Duration::ZERO));
        }
        if may_overtake {
            self.overtake(if is_cpu_bound { core.ready.len() - ready } else { 0 });
        }
        core.budget.set(self.round(core.budget.get()));
        if trims || polls {
            self.tick.exclude(core.clock.now());
        }
    }

    /// Whether all threads that have overtaken others have had their turn, and the first of the
    /// others.
    fn have_overtakers_passed(&self) -> bool {
        let ready = &self.core.ready;
        ready.len() == 0 || (ready.head().wrapping_sub(self.priority_end.get()) as i32) > 0
    }

    /// The newest `count` ready threads overtake the others. They were woken from outside and have
    /// waited while somebody ran for long, so they don't wait for the others of that kind as well.
    fn overtake(&self, count: u32) {
        let ready = &self.core.ready;
        if count == 0 {
            return self.priority_end.set(ready.head().wrapping_sub(1));
        }
        self.priority_end.set(ready.head());
        // SAFETY: ours (`worker`, invariant 2), and home runs: every place is filled.
        unsafe { ready.prefer(count) };
    }

    /// Takes in what others have sent: threads that they woke, and unstarted ones that they gave
    /// away.
    fn read_inbox(&self) {
        let core = &self.core;
        if core.handle.inbox.is_empty() {
            return;
        }
        for task in core.handle.inbox.take() {
            // SAFETY: what is in the inbox is alive, and given to us.
            let task = unsafe { &*task };
            if task.owner.get().is_null() {
                core.handle.taken();
                self.queue(NonNull::from(task));
            } else {
                // SAFETY: a thread of ours, woken by a claim: suspended and in no list.
                unsafe { core.push(task) };
            }
        }
    }

    fn expire_timers(&self, now: u64) {
        // SAFETY: home runs, so nobody else looks at the timers (`worker`, invariant 3).
        unsafe { expire_timers(&self.core, now) };
    }

    /// 5, 6. An unstarted thread to start here and now, if others are ready (`busy`) or not.
    fn next_unstarted(&self, busy: bool) -> Option<NonNull<Task>> {
        loop {
            if self.turns.is_pinned()
                && let Some(task) = self.next_pinned()
            {
                return Some(task);
            }
            let oldest = if self.turns.is_oldest() { self.oldest() } else { None };
            let from_injector = self.turns.is_injector();
            let task = oldest
                .or_else(|| if from_injector { self.take_injected(0) } else { None })
                .or_else(|| self.newest())
                .or_else(|| self.take_injected(INJECTOR_BATCH));
            let Some(task) = task else { return self.next_pinned() };
            if self.is_alone {
                return Some(task);
            }
            let Shared { workers, idle, injector, .. } = &*self.shared;
            let (load, random) = (self.core.started.get(), &self.core.random);
            if idle.is_anyone_away()
                && let Some(other) = placement::better_home(workers, self.index, load, random)
            {
                // SAFETY: unstarted, ours to give; the handle lives as long as `shared`.
                unsafe { other.give(task.as_ptr()) };
                continue;
            }
            let crowded = self.turns.is_crowded(|| placement::is_crowded(workers, self.index, load, random));
            if busy && crowded {
                // SAFETY: unstarted, and ours to give.
                unsafe { injector.push(task) };
                self.shared.wake_searcher(false);
                return None;
            }
            return Some(task);
        }
    }

    /// An unstarted thread that may start here only.
    fn next_pinned(&self) -> Option<NonNull<Task>> {
        let pinned = &self.core.pinned;
        if pinned.len() == 0 || !self.retry.may_pinned_start(|| self.core.clock.now()) {
            return None;
        }
        // SAFETY: ours (`worker`, invariant 2).
        unsafe { pinned.pop() }
    }

    fn oldest(&self) -> Option<NonNull<Task>> {
        // SAFETY: our own deque.
        unsafe { self.handle().deque.shift(1) }.next()
    }

    #[inline]
    fn newest(&self) -> Option<NonNull<Task>> {
        // SAFETY: our own deque.
        unsafe { self.handle().deque.pop() }
    }

    fn take_injected(&self, more: usize) -> Option<NonNull<Task>> {
        // SAFETY: our own handle.
        unsafe { self.shared.take_injected(self.handle(), more) }
    }

    /// Starts a thread, on a stack of its own.
    #[inline]
    fn start(&self, task: NonNull<Task>) {
        // SAFETY: home runs; unstarted, alive, and ours.
        match unsafe { start::prepare(&self.core, task) } {
            Ok(context) => {
                self.set_started(self.core.started.get() + 1);
                // SAFETY: alive: it has not run.
                self.register(unsafe { task.as_ref() });
                // SAFETY: new, and in no list.
                unsafe { self.core.enter(context, task.as_ptr().expose_provenance()) };
            }
            Err(error) => self.starve(task, error),
        }
    }

    /// Clears away a thread that has ended on a stack of its own.
    #[inline]
    fn reap(&self, task: NonNull<Task>) {
        // SAFETY: it has ended, and the task's own reference is still there; nobody runs on its
        // stack any more (`worker`, invariant 3).
        unsafe {
            let stack = (*task.as_ref().stack.get()).take().expect("a started thread has a stack");
            (*self.core.stacks.get()).put(stack);
        }
        self.set_started(self.core.started.get() - 1);
        self.retry.note_end();
        self.release(task);
    }

    /// The last of a thread that has no stack any more.
    #[inline]
    fn release(&self, task: NonNull<Task>) {
        // SAFETY: alive by the task's own reference, which goes here.
        unsafe {
            self.unregister(task.as_ref());
            job::release(task);
        }
    }

    /// 10. There is no stack for this thread. While others run, one may come free; otherwise it
    ///     ends with the error.
    #[cold]
    fn starve(&self, task: NonNull<Task>, error: io::Error) {
        let Shared { starvation, .. } = &*self.shared;
        // SAFETY: unstarted, alive, and ours.
        let thread = unsafe { task.as_ref() };
        let is_pinned = !thread.owner.get().is_null();
        let started = self.shared.started();
        self.retry.note_refusal(self.core.clock.now(), is_pinned && started > 0);
        if started == 0 {
            // SAFETY: unstarted and ours; it is run once, and not again.
            unsafe { (thread.run)(task, Start::Refused(error)) };
            self.release(task);
            // Nobody's end can bring a stack now: it is for the next one to find out whether there
            // is any.
            return starvation.forget();
        }
        self.shared.listen();
        if starvation.note_refusal(thread.stack_size) {
            let others = starvation.queue.len() + self.core.pinned.len();
            starvation::report(thread, &error, others, started);
        }
        // SAFETY: unstarted, ours to give, and in no list.
        unsafe { if is_pinned { self.core.pinned.push(task) } else { starvation.queue.push(task) } }
        // Siblings that sleep may have stacks at hand; they give them up.
        self.shared.wake_all();
    }

    /// 10. Before sleeping: a starving thread, if it is time to try again, or if it must be told
    ///     that there is no stack.
    fn next_starving(&self, now: u64) -> Option<NonNull<Task>> {
        let starvation = &self.shared.starvation;
        if !starvation.is_anyone_waiting() {
            return None;
        }
        // SAFETY: home runs (`worker`, invariant 3).
        unsafe { (*self.core.stacks.get()).flush() };
        let due = self.retry.is_due(now);
        if due || self.shared.started() == 0 { starvation.queue.pop(0, |_| {}) } else { None }
    }

    /// Nothing is ready, and nothing of our own to start: searches (8), gives memory back (11),
    /// sleeps (9). `None`: look again.
    fn idle(&self) -> Option<Next> {
        self.read_inbox();
        let mut now = self.core.clock.now();
        self.expire_timers(now);
        if self.has_work() {
            return None;
        }
        if !self.is_alone {
            let found =
                self.searcher.search(&self.shared, &self.core, || self.driver.sleep(Some(Duration::ZERO)));
            if let Some(task) = found {
                self.woken_to_search.set(false);
                self.grace.set(0);
                return Some(Next::Start(task));
            }
            self.read_inbox();
            if self.has_work() {
                self.woken_to_search.set(false);
                return None;
            }
            now = self.core.clock.now();
        }
        // Alone, it may have been woken to search too, and for nothing.
        if self.searcher.is_searching.replace(false) {
            self.shared.idle.end_search();
        }
        if self.give_memory_back(now) {
            return None;
        }
        self.sleep(now)
    }

    /// 11. Gives unused memory back, if there is some and time for it. Whether it did.
    #[inline]
    fn give_memory_back(&self, now: u64) -> bool {
        if self.shared.is_ending() {
            return false;
        }
        // SAFETY: home runs (`worker`, invariant 3).
        let trims = unsafe {
            let deadline = (*self.core.timers.get()).next_deadline();
            self.trim.before_sleep(now, deadline, &self.core, &self.driver)
        };
        if trims {
            self.driver.sleep(Some(Duration::ZERO));
            self.tick.woke(self.core.clock.now(), self.core.switches.load(Relaxed));
        }
        trims
    }

    /// 9. Sleeps in the driver, unless there is something to do after all.
    fn sleep(&self, now: u64) -> Option<Next> {
        let Shared { idle, workers, injector, watchdog, starvation, .. } = &*self.shared;
        let grace = self.woken_to_search.take().then(|| {
            idle.begin_grace();
            self.grace.set(policy::grace(self.grace.get()));
            self.grace.get()
        });
        self.publish_load();
        let next = if !idle.go_to_sleep(&self.core.handle, workers, || injector.len()) || self.has_work() {
            None
        } else if let Some(task) = self.next_starving(now) {
            Some(Next::Start(task))
        } else if self.shared.is_over() {
            Some(Next::Stop)
        } else {
            // SAFETY: home runs (`worker`, invariant 3); no reference lives on.
            let (deadline, interval) =
                unsafe { ((*self.core.timers.get()).next_deadline(), self.trim.wake_in(now, &self.core)) };
            let deadline = deadline.map(|deadline| deadline.saturating_sub(now));
            let starves = starvation.is_anyone_waiting() || self.core.pinned.len() != 0;
            let retry = starves.then(|| self.retry.delay());
            let timeout = [deadline, retry, grace, interval].into_iter().flatten().min();
            self.core.clock.sleep(
                now,
                timeout.map(Duration::from_nanos),
                |timeout| self.driver.sleep(timeout),
                || self.has_work() || !self.handle().sleep.is_asleep(),
                || workers.iter().all(|worker| worker.sleep.is_asleep()),
            );
            None
        };
        if self.handle().sleep.finish() {
            self.searcher.is_searching.set(true);
            self.woken_to_search.set(true);
        }
        idle.come_back();
        if grace.is_some() {
            idle.end_grace();
            // Threads that were queued meanwhile are looked for by us, or by the worker that we
            // wake.
            self.searcher.begin(&self.shared);
        }
        let has_mail = !self.handle().inbox.is_empty();
        // Threads that were given to a sleeper can be stolen before anything here runs for long.
        self.read_inbox();
        if let Some(watchdog) = watchdog {
            watchdog.wake();
        }
        let woke = self.core.clock.now();
        if woke.saturating_sub(now) < SHORT_SLEEP && has_mail {
            self.searcher.rounds.slept_briefly();
        }
        self.tick.woke(woke, self.core.switches.load(Relaxed));
        next
    }

    /// A searcher has found something: if it was the only one, it wakes the next.
    fn stop_searching(&self) {
        let Shared { idle, workers, injector, .. } = &*self.shared;
        if self.searcher.is_searching.replace(false) && idle.end_with_thread(workers, || injector.len()) {
            self.shared.wake_searcher(false);
        }
    }

    fn has_work(&self) -> bool {
        self.core.ready.len() != 0 || !self.handle().deque.is_empty()
    }
}
