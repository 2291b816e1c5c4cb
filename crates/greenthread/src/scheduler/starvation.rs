//! Starvation: a thread can get no stack, since the system gives no more addresses, maps or memory.
//!
//! An unstarted thread for which there is no stack *starves*. While other threads of its runtime
//! have started, one of their stacks may come free, so it waits in [`Starvation::queue`], or if it
//! is pinned, in its worker's own queue. Each thread that ends lets one of them try again, and they
//! also try from time to time ([`Retry`]). If no other thread has started, no thread's end can
//! bring a stack. Then the thread ends with the error, which its joiner gets.
//!
//! When threads have starved for some milliseconds, spawning is refused with an error, and after a
//! second it is reported.

use core::{
    cell::Cell,
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
};
use std::io;

use super::{
    injector::Injector,
    policy::{MAX_RETRY, REFUSE_SPAWNS_AFTER, REPORT_STARVATION_AFTER, RETRY},
    report,
};
use crate::{
    stack,
    sys::memory::exhausted,
    task::{block::Task, clock::Clock},
};

/// One runtime's starving threads.
#[derive(Debug)]
pub(crate) struct Starvation {
    /// The starving threads that may start on any worker.
    pub(super) queue: Injector,
    clock: Clock,
    /// Since when threads starve, in nanoseconds of `clock` plus one. 0 if none does.
    since: AtomicU64,
    /// The size of the stack that was refused.
    size: AtomicUsize,
    reported: AtomicBool,
}

impl Starvation {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            queue: Injector::new(),
            clock,
            since: AtomicU64::new(0),
            size: AtomicUsize::new(0),
            reported: AtomicBool::new(false),
        }
    }

    /// Whether threads wait in the common queue.
    #[inline]
    pub(super) fn is_anyone_waiting(&self) -> bool {
        self.queue.len() != 0
    }

    /// Notes that a thread with a stack of this size is going to wait. Returns whether the caller
    /// shall report it.
    pub(super) fn note_refusal(&self, stack_size: usize) -> bool {
        self.size.store(stack_size, Relaxed);
        let now = self.clock.now() + 1;
        match self.since.compare_exchange(0, now, Relaxed, Relaxed) {
            Ok(_) => false,
            Err(since) => {
                now.saturating_sub(since) >= REPORT_STARVATION_AFTER && !self.reported.swap(true, Relaxed)
            }
        }
    }

    /// Notes that a thread has got a stack. Returns whether threads starved for a stack of at most
    /// this size.
    #[inline]
    pub(super) fn note_stack(&self, stack_size: usize) -> bool {
        let waited = self.since.load(Relaxed) != 0 && stack_size >= self.size.load(Relaxed);
        if waited {
            self.forget();
        }
        waited
    }

    /// Notes that no thread waits for a stack in vain.
    #[cold]
    pub(super) fn forget(&self) {
        self.since.store(0, Relaxed);
        if !self.is_anyone_waiting() {
            self.reported.store(false, Relaxed);
        }
    }

    /// The error with which a spawn of a thread with this stack size is refused. `None` if it is
    /// not refused.
    #[inline]
    pub(crate) fn refusal(&self, stack_size: usize) -> Option<io::Error> {
        let since = self.since.load(Relaxed);
        if since != 0 && stack_size >= self.size.load(Relaxed) {
            self.refuse(stack_size, since)
        } else {
            None
        }
    }

    #[cold]
    fn refuse(&self, stack_size: usize, since: u64) -> Option<io::Error> {
        let now = self.clock.now();
        (now.saturating_sub(since) >= REFUSE_SPAWNS_AFTER).then(|| {
            stack::last_refusal().unwrap_or_else(|| {
                let waiting = self.queue.len();
                exhausted(format_args!(
                    "no stack of {stack_size} bytes: {waiting} green threads wait for one to come free; use smaller \
                     stacks (thread::Builder::stack_size, GREENTHREAD_STACK_SIZE) or fewer threads, or raise the limit of \
                     the process's memory"
                ))
            })
        })
    }
}

/// Reports that threads have waited for a stack for long: `first`, and `others` beside it, while
/// `started` threads have one.
#[cold]
pub(super) fn report(first: &Task, error: &io::Error, others: usize, started: usize) {
    let name = first.block.name.as_deref().unwrap_or("<unnamed>");
    report::send(format!(
        "greenthread: thread '{name}', spawned at {}, {} waited for a stack for {} ms, while none of the {started} \
         that have one has ended: {error}\n\
         help: if these wait for one that has not started, it will never end; spawn fewer threads that wait for each \
         other, with smaller stacks (thread::Builder::stack_size, GREENTHREAD_STACK_SIZE)\n",
        first.location,
        if others > 0 { format!("and {others} others have") } else { "has".into() },
        REPORT_STARVATION_AFTER / 1_000_000,
    ));
}

/// When a worker tries again to start a starving thread.
#[derive(Debug)]
pub(super) struct Retry {
    /// When a stack was last refused.
    refused_at: Cell<Option<u64>>,
    delay: Cell<u64>,
    /// When a pinned thread last found no stack. The worker's pinned threads wait since then.
    pinned_refused_at: Cell<Option<u64>>,
}

impl Retry {
    pub(super) const fn new() -> Self {
        Self { refused_at: Cell::new(None), delay: Cell::new(RETRY), pinned_refused_at: Cell::new(None) }
    }

    /// Notes that a stack was refused, to a pinned thread or another one.
    pub(super) fn note_refusal(&self, now: u64, pinned: bool) {
        self.refused_at.set(Some(now));
        if pinned {
            self.pinned_refused_at.set(Some(now));
        }
    }

    /// Notes that a thread has got a stack for which others have waited.
    pub(super) fn note_stack(&self) {
        self.delay.set(RETRY);
    }

    /// Notes that a stack has come free.
    #[inline]
    pub(super) fn note_end(&self) {
        self.pinned_refused_at.set(None);
    }

    /// How long a starving thread waits before it tries again.
    pub(super) fn delay(&self) -> u64 {
        self.delay.get()
    }

    /// Whether it is time to try again. If it is, the next delay is twice as long.
    pub(super) fn is_due(&self, now: u64) -> bool {
        let due = self.refused_at.get().is_none_or(|at| now.saturating_sub(at) >= self.delay());
        if due {
            self.lengthen();
        }
        due
    }

    /// Whether a pinned thread may try to start. It calls `now` only if one was refused.
    #[inline]
    pub(super) fn may_pinned_start(&self, now: impl FnOnce() -> u64) -> bool {
        let Some(at) = self.pinned_refused_at.get() else { return true };
        let due = now().saturating_sub(at) >= self.delay();
        if due {
            self.lengthen();
            self.pinned_refused_at.set(None);
        }
        due
    }

    fn lengthen(&self) {
        self.delay.set((2 * self.delay.get()).min(MAX_RETRY));
    }
}
