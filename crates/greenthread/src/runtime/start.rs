//! How a thread begins and ends on its worker: its stack, and what is done when there is none to be had.
//!
//! All of it is the worker's, on its home context (`worker`, invariants 2 and 3).

use std::{
    io,
    ptr::{self, NonNull},
    sync::{Arc, atomic::Ordering::Relaxed},
};

use greenthread_context as context;

use super::{
    lend, report,
    shared::{Counts, REPORTS_AFTER},
    watchdog::Watchdog,
    worker::{MOST_RETRY, RETRY, Worker},
};
use crate::{
    sys::{memory::exhausted, process},
    task::{
        block::{BlockRef, Start, Task},
        job, local,
    },
};

impl Worker {
    /// Starts a thread, on a stack of its own.
    pub(super) fn start(&self, task: NonNull<Task>) {
        // SAFETY: unstarted, alive, and ours.
        let thread = unsafe { task.as_ref() };
        let started = self.started.get() + 1;
        // SAFETY: ours (invariant 2).
        let stacks = unsafe { &mut *self.stacks.get() };
        let size = lend::with_spare(thread.stack_size);
        let taken = stacks.take(size).or_else(|_| {
            stacks.give_all();
            stacks.take(size)
        });
        let stack = match taken {
            Ok(stack) if self.local.reserve(started) => stack,
            Ok(stack) => {
                stacks.put(stack);
                let error = exhausted(format_args!(
                    "no memory for the run queue of {started} green threads; spawn fewer threads"
                ));
                return self.starve(task, error);
            }
            Err(error) => return self.starve(task, error),
        };
        self.set_started(started);
        self.adopt(thread);
        // SAFETY: the stack is the task's from here to its end; `entry` is given the task, alive until it is buried.
        unsafe {
            let context = context::init(stack.top(), entry);
            *thread.stack.get() = Some(stack);
            self.local.enter(context, task.as_ptr().expose_provenance());
        }
    }

    /// Clears away a thread that has ended.
    pub(super) fn bury(&self, task: NonNull<Task>) {
        // SAFETY: it has ended, and the task's own reference is still there (invariant 3).
        let thread = unsafe { task.as_ref() };
        // SAFETY: nobody runs on the stack any more (invariant 3).
        unsafe {
            let stack = (*thread.stack.get()).take().expect("a started thread has a stack");
            (*self.stacks.get()).put(stack);
        }
        self.set_started(self.started.get() - 1);
        self.held.set(None);
        self.forget(task);
    }

    /// The last of a thread that has no stack any more.
    fn forget(&self, task: NonNull<Task>) {
        // SAFETY: alive by the task's own reference, which goes here.
        unsafe {
            self.discharge(task.as_ref());
            job::let_go(task);
        }
    }

    /// Makes a thread this worker's: it is about to run, on whichever stack.
    #[inline]
    pub(super) fn adopt(&self, thread: &Task) {
        if self.shared.note_stack(thread.stack_size) {
            self.retry.set(RETRY);
        }
        thread.home.set(Arc::as_ptr(&self.local.remote));
    }

    /// Strikes a thread off: it has ended.
    #[inline]
    pub(super) fn discharge(&self, thread: &Task) {
        if self.credit.give(thread.stack_size) {
            self.credit.give_back(&self.seat.counts);
        }
        if let Some(watchdog) = &self.shared.watchdog {
            self.keep_for(watchdog, thread);
        }
        Counts::bump(&self.seat.counts.ended);
        // One on a borrowed stack has left a stack to others, too: that for which it has waited.
        if self.shared.starved.len() != 0
            && let Some(starved) = self.shared.starved.pop(0, |_| {})
        {
            self.queue_up(starved);
        }
    }

    /// Sees to it that a thread which has ended is not freed while the watchdog looks at it.
    #[inline(never)]
    fn keep_for(&self, watchdog: &Watchdog, thread: &Task) {
        let mut kept = self.kept.borrow_mut();
        if watchdog.is_looking(self.index) {
            // SAFETY: alive: the caller gives a reference back later.
            kept.push(unsafe { BlockRef::share(NonNull::from(&thread.block)) });
        } else {
            // When it looks again, none of these runs.
            kept.clear();
        }
    }

    /// No stack for this thread. While others run, one may come free; otherwise it ends with the error.
    fn starve(&self, task: NonNull<Task>, error: io::Error) {
        self.refused.set(Some(self.local.clock.now()));
        // SAFETY: unstarted, alive, and ours.
        let thread = unsafe { task.as_ref() };
        if self.shared.started() > 0 {
            if self.shared.note_refusal(thread.stack_size) {
                self.report(thread, &error);
            }
            // SAFETY: unstarted, ours to give, and in no list.
            unsafe {
                if thread.home.get().is_null() {
                    self.shared.starved.push(task);
                } else {
                    // It may start here only.
                    self.held.set(self.refused.get());
                    self.pinned.push(task);
                }
            }
            // Siblings that sleep may have stacks at hand; they give them up.
            return self.shared.wake_all();
        }
        // SAFETY: unstarted and ours; it is run once, and not again.
        unsafe { (thread.run)(task, Start::Refused(error)) };
        self.forget(task);
        // Nobody's end can bring a stack now: it is for the next one to find out whether there is any.
        self.shared.forget_refusal();
    }

    /// Says that threads wait for a stack, and have for long.
    #[cold]
    fn report(&self, first: &Task, error: &io::Error) {
        let name = first.block.name.as_deref().unwrap_or("<unnamed>");
        let (waiting, started) = (self.shared.starved.len() + self.pinned.len() + 1, self.shared.started());
        report::send(format!(
            "greenthread: thread '{name}', spawned at {}, {} waited for a stack for {} ms, while none of the {started} \
             that have one has ended: {error}\n\
             help: if these wait for one that has not started, it will never end; spawn fewer threads that wait for each \
             other, with smaller stacks (thread::Builder::stack_size, GREENTHREAD_STACK_SIZE)\n",
            first.location,
            if waiting > 1 { format!("and {} others have", waiting - 1) } else { "has".into() },
            REPORTS_AFTER / 1_000_000,
        ));
    }

    /// How long a thread that found no stack waits before it tries again.
    pub(super) fn retry(&self) -> u64 {
        self.retry.get()
    }

    /// A thread tries again. If that is in vain too, the next one waits for longer.
    pub(super) fn note_retry(&self) {
        self.retry.set((2 * self.retry.get()).min(MOST_RETRY));
    }

    /// Before sleeping: a starved thread, if it is time to try again, or if it must be told that there is no stack.
    pub(super) fn unstarve(&self, now: u64) -> Option<NonNull<Task>> {
        if self.shared.starved.len() == 0 {
            return None;
        }
        // SAFETY: ours (invariant 2).
        unsafe { (*self.stacks.get()).give_all() };
        let due = self.refused.get().is_none_or(|at| now.saturating_sub(at) >= self.retry());
        if due {
            self.note_retry();
        }
        if due || self.shared.started() == 0 { self.shared.starved.pop(0, |_| {}) } else { None }
    }
}

/// Where every green thread begins.
unsafe extern "C" fn entry(task: usize) -> ! {
    let task = NonNull::new(ptr::with_exposed_provenance_mut::<Task>(task))
        .expect("a thread is started with its task");
    let local = local::get().expect("threads are started by a worker");
    local.current.store(task.as_ptr(), Relaxed);
    // SAFETY: started once, with the task that it belongs to; when `run` is back, nothing on this stack is needed.
    unsafe {
        (task.as_ref().run)(task, Start::Own);
        if local::get().is_none() {
            // It has forked this process, in which there is nobody else.
            process::leave();
        }
        local.end(task)
    }
}
