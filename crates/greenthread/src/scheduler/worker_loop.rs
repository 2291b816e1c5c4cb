//! A worker's loop, on its home context. It does everything that is slow: starting threads, timers,
//! I/O, stealing, sleeping. The fast part, the switch from one ready thread to the next, is done by
//! the threads (`task::worker_core`).
//!
//! `policy` decides what is done when, and for which thread. The steps here are numbered as there.
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
    cancel, job,
    wait::expire_timers,
    worker_core::WorkerCore,
};

/// The next step of a worker.
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
        worker.core.inline_joins_left.set(worker.tick.after().min(MAX_INLINE_JOINS));
        match next {
            // SAFETY: the context was taken out of the run queue, so it is suspended on this worker
            // and in no list.
            Next::Resume(context) => unsafe { worker.core.enter(context, 0) },
            Next::Start(task) => worker.start(task),
            Next::Stop => break,
        }
        if let Some(task) = worker.core.ended.take() {
            worker.reap(task);
        }
    }
    worker.publish_promises();
    // SAFETY: the worker has no thread left, so no reference to `core` is kept by one (`worker`,
    // invariant 1).
    unsafe { WorkerCore::install(ptr::null()) };
}

impl Worker {
    fn next(&self) -> Next {
        let core = &self.core;
        loop {
            self.flush();
            if core.handle.has_cancelled()
                && let Some(context) = self.next_cancelled()
            {
                return Next::Resume(context);
            }
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
            // 1. SAFETY: this is the run queue's OS thread, and on the home context every place is
            //    filled.
            if let Some(context) = unsafe { core.ready.pop() } {
                core.budget.set(core.budget.get().saturating_sub(1));
                // Threads that end one after the other come back here, and each touches all its
                // frames: some 384 bytes. Above them is the guard of the next stack, where each
                // fetch costs a walk through the page tables.
                // SAFETY: as for `pop` above.
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

    /// A tick: looks at everything that may have come from elsewhere (2), lets the threads that it
    /// has woken overtake (3), and decides which unstarted thread starts next (5).
    fn do_tick(&self) {
        let core = &self.core;
        let now = core.clock.now();
        let is_cpu_bound = self.tick.begin(now, core.switches.load(Relaxed), core.is_cpu_bound.get());
        core.is_cpu_bound.set(is_cpu_bound);
        // While some threads overtake, no others do. So the threads that were overtaken get their
        // turn.
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

    /// Whether all threads that have overtaken others have run, and the first of the others after
    /// them.
    fn have_overtakers_passed(&self) -> bool {
        let ready = &self.core.ready;
        ready.len() == 0 || (ready.head().wrapping_sub(self.priority_end.get()) as i32) > 0
    }

    /// The newest `count` ready threads overtake the others. They were woken from outside, and have
    /// waited while a CPU-bound thread ran. So they don't wait for the other CPU-bound threads as
    /// well.
    fn overtake(&self, count: u32) {
        let ready = &self.core.ready;
        if count == 0 {
            return self.priority_end.set(ready.head().wrapping_sub(1));
        }
        self.priority_end.set(ready.head());
        // SAFETY: this is the run queue's OS thread (`worker`, invariant 2), and on the home
        // context every place is filled.
        unsafe { ready.prefer(count) };
    }

    /// Takes all threads out of the inbox: those that other OS threads woke, and unstarted ones
    /// that other workers gave away.
    fn read_inbox(&self) {
        let core = &self.core;
        if core.handle.inbox.is_empty() {
            return;
        }
        for task in core.handle.inbox.take() {
            // SAFETY: a task in the inbox is alive, and belongs to this worker now.
            let task = unsafe { &*task };
            if task.owner.get().is_null() {
                core.handle.taken();
                self.queue(NonNull::from(task));
            } else {
                // SAFETY: it is a thread of this worker, woken by a claim. So it is suspended, and
                // in no list.
                unsafe { core.push(task) };
            }
        }
    }

    /// Reads the notes of cancellers (`task::cancel`), up to the first that has a thread look
    /// whether it is cancelled. The thread must run at once: what it waits for may come at any
    /// time.
    #[cold]
    fn next_cancelled(&self) -> Option<Context> {
        while let Some(noted) = self.core.handle.take_cancelled() {
            // SAFETY: the home context runs (`worker`, invariant 3), and it is this worker's note.
            if unsafe { cancel::read_note(&self.core, &noted) } {
                // SAFETY: the thread is parked on this worker, so its context is saved. It stays
                // alive: it has not ended.
                return Some(unsafe { noted.task.as_ref().context.get().assume_init() });
            }
        }
        None
    }

    fn expire_timers(&self, now: u64) {
        // SAFETY: the home context runs (`worker`, invariant 3).
        unsafe { expire_timers(&self.core, now) };
    }

    /// 5, 6. Takes an unstarted thread that starts now on this worker. `busy` says whether other
    /// threads are ready.
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
                && let Some(other) = placement::idle_worker_for(workers, self.index, load, random)
            {
                // SAFETY: the thread is unstarted, in no list, and this worker owns it. The handle
                // lives as long as `shared`.
                unsafe { other.give(task.as_ptr()) };
                continue;
            }
            let crowded = self.turns.is_crowded(|| placement::is_crowded(workers, self.index, load, random));
            if busy && crowded {
                // SAFETY: the thread is unstarted, in no list, and this worker owns it.
                unsafe { injector.push(task) };
                self.shared.wake_searcher(false);
                return None;
            }
            return Some(task);
        }
    }

    /// Takes an unstarted thread that may start on this worker only.
    fn next_pinned(&self) -> Option<NonNull<Task>> {
        let pinned = &self.core.pinned;
        if pinned.len() == 0 || !self.retry.may_pinned_start(|| self.core.clock.now()) {
            return None;
        }
        // SAFETY: this is the queue's OS thread (`worker`, invariant 2).
        unsafe { pinned.pop() }
    }

    fn oldest(&self) -> Option<NonNull<Task>> {
        // SAFETY: this worker owns the deque.
        unsafe { self.handle().deque.shift(1) }.next()
    }

    #[inline]
    fn newest(&self) -> Option<NonNull<Task>> {
        // SAFETY: this worker owns the deque.
        unsafe { self.handle().deque.pop() }
    }

    fn take_injected(&self, more: usize) -> Option<NonNull<Task>> {
        // SAFETY: it is this worker's handle.
        unsafe { self.shared.take_injected(self.handle(), more) }
    }

    /// Starts a thread, on a stack of its own.
    #[inline]
    fn start(&self, task: NonNull<Task>) {
        // SAFETY: the home context runs. The task is unstarted and alive, and this worker owns it.
        match unsafe { start::prepare(&self.core, task) } {
            Ok(context) => {
                self.set_started(self.core.started.get() + 1);
                // SAFETY: the task is alive, since it has not run.
                self.register(unsafe { task.as_ref() });
                // SAFETY: the context is new, and in no list.
                unsafe { self.core.enter(context, task.as_ptr().expose_provenance()) };
            }
            Err(error) => self.starve(task, error),
        }
    }

    /// Reaps a thread that has ended on a stack of its own: frees the stack and the task.
    #[inline]
    fn reap(&self, task: NonNull<Task>) {
        // SAFETY: the thread has ended, and the task's own reference is still there. Nothing runs
        // on its stack any more (`worker`, invariant 3).
        unsafe {
            let stack = (*task.as_ref().stack.get()).take().expect("a started thread has a stack");
            (*self.core.stacks.get()).put(stack);
        }
        self.set_started(self.core.started.get() - 1);
        self.retry.note_end();
        self.release(task);
    }

    /// Counts the death of a thread that has no stack any more, and gives its own reference back.
    #[inline]
    fn release(&self, task: NonNull<Task>) {
        // SAFETY: the task is alive by its own reference, which is given back here.
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
        // SAFETY: the task is unstarted and alive, and this worker owns it.
        let thread = unsafe { task.as_ref() };
        let is_pinned = !thread.owner.get().is_null();
        let started = self.shared.started();
        self.retry.note_refusal(self.core.clock.now(), is_pinned && started > 0);
        if started == 0 {
            // SAFETY: the thread is unstarted, and this worker owns it. It is run here, and not
            // again.
            unsafe { (thread.run)(task, Start::Refused(error)) };
            self.release(task);
            // No thread is left whose end could bring a stack. The next thread that starts finds
            // out whether there is one.
            return starvation.forget();
        }
        self.shared.listen();
        if starvation.note_refusal(thread.stack_size) {
            let others = starvation.queue.len() + self.core.pinned.len();
            starvation::report(thread, &error, others, started);
        }
        // SAFETY: the thread is unstarted and in no list, and this worker owns it.
        unsafe { if is_pinned { self.core.pinned.push(task) } else { starvation.queue.push(task) } }
        // Siblings that sleep may have cached stacks, which they give up when they wake up.
        self.shared.wake_all();
    }

    /// 10. Before the worker sleeps: takes a starving thread, if it is time to try again, or if it
    ///     must end with the error.
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

    /// The worker has no ready thread and none to start. It searches (8), gives memory back (9),
    /// and sleeps (11). `None` means that it must look again.
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
        // A worker without siblings may have been woken to search too. It stops searching here.
        if self.searcher.is_searching.replace(false) {
            self.shared.idle.end_search();
        }
        if self.give_memory_back(now) {
            return None;
        }
        self.sleep(now)
    }

    /// 9. Gives unused memory back, if there is some and there is time for it. Returns whether it
    ///    did.
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

    /// 11. Sleeps in the driver, unless there is something to do after all.
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
            // SAFETY: the home context runs (`worker`, invariant 3), and no reference lives on
            // after this.
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
            // A thread that was queued during the grace sleep has woken no searcher. This worker
            // searches for it, or other workers do.
            self.searcher.begin(&self.shared);
        }
        let has_mail = !self.handle().inbox.is_empty();
        // Read now, so that threads that were given to this worker can be stolen before one of its
        // threads runs for long.
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

    /// Ends the search of a worker that has found something. If it was the only searcher and there
    /// is more to find, it wakes another one.
    fn stop_searching(&self) {
        let Shared { idle, workers, injector, .. } = &*self.shared;
        if self.searcher.is_searching.replace(false) && idle.end_with_thread(workers, || injector.len()) {
            self.shared.wake_searcher(false);
        }
    }

    /// Whether a thread can run or start, as far as the worker itself knows. It looks at its inbox
    /// after a wake-up.
    #[cfg_attr(not(unix), allow(dead_code, reason = "for `os::unix::event_loop`"))]
    pub(crate) fn has_ready(&self) -> bool {
        let may_pinned_start =
            || self.core.pinned.len() != 0 && self.retry.may_pinned_start(|| self.core.clock.now());
        self.has_work() || may_pinned_start()
    }

    fn has_work(&self) -> bool {
        self.core.ready.len() != 0 || !self.handle().deque.is_empty() || self.handle().has_cancelled()
    }
}
