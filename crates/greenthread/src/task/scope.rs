//! Counting a scope's threads, so that the scope can wait for them.
//!
//! Invariants:
//! 1. The count starts at one, the scope's own, so it reaches zero once: when the scope has left too. Whoever
//!    brings it to zero touches the count no more after waking the scope; everyone else no more after subtracting.
//! 2. The scope does not return before the count is zero.

use core::{
    ptr::{self, NonNull},
    sync::atomic::{
        AtomicBool, AtomicUsize,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
};

use super::{
    block::Task,
    local::{self, Local},
    wait::{Reason, Waiter},
};
use crate::sys::process::generation;

/// The count of one scope.
#[derive(Debug)]
pub(crate) struct Count {
    running: AtomicUsize,
    panicked: AtomicBool,
    waiter: Waiter,
    /// Whose stack it is on.
    owner: Option<NonNull<Task>>,
    /// Of the process that its threads are in.
    generation: u32,
}

// SAFETY: `owner` only says where a thread is; whoever follows it says why it is alive. The rest is atomic.
unsafe impl Send for Count {}
// SAFETY: as above.
unsafe impl Sync for Count {}

impl Count {
    pub(crate) fn new() -> Self {
        Self {
            running: AtomicUsize::new(1),
            panicked: AtomicBool::new(false),
            waiter: Waiter::new(),
            owner: None,
            generation: generation(),
        }
    }

    /// Finds out whose scope it is: before others know of it.
    pub(crate) fn set_owner(&mut self) {
        let Some(task) = local::get().and_then(Local::running) else { return };
        // SAFETY: the running thread's cells are this OS thread's, and nobody else looks meanwhile.
        let stack = unsafe { (*task.stack.get()).as_ref() };
        // A coroutine's body runs on another stack, and may be resumed by another thread: then the scope is nobody's.
        if stack.is_some_and(|stack| stack.left(ptr::from_mut(self).addr()).is_some()) {
            self.owner = Some(NonNull::from(task));
        }
    }

    /// The green thread that can't end before the scope's threads have: the scope is a frame on its stack.
    pub(crate) fn owner(&self) -> Option<NonNull<Task>> {
        self.owner
    }

    /// Whether it is of another process, which has forked this one: then its threads are there.
    #[inline]
    pub(crate) fn is_foreign(&self) -> bool {
        self.generation != generation()
    }

    /// One more thread.
    pub(crate) fn enter(&self) {
        self.running.fetch_add(1, Relaxed);
    }

    /// A thread whose panic nobody took.
    pub(crate) fn note_panic(&self) {
        self.panicked.store(true, Relaxed);
    }

    /// One thread less.
    ///
    /// # Safety
    /// It was entered, and leaves once: so the scope is still there (invariant 2).
    pub(crate) unsafe fn leave(this: NonNull<Count>, unhandled_panic: bool) {
        // SAFETY: alive until our subtraction, and for the last one until it has woken the scope.
        unsafe {
            if unhandled_panic {
                this.as_ref().note_panic();
            }
            if this.as_ref().running.fetch_sub(1, AcqRel) == 1 {
                Waiter::wake(&this.as_ref().waiter);
            }
        }
    }

    /// The scope waits for all, once. Whether a panic was left unhandled.
    ///
    /// # Panics
    /// If some are of a process that has forked this one: here they don't run.
    pub(crate) fn wait(&self) -> bool {
        if self.running.fetch_sub(1, AcqRel) != 1 {
            assert!(!self.is_foreign(), "a scope's threads run in the process that has forked this one");
            self.waiter.wait(Reason::Scope, None);
        }
        self.panicked.load(Acquire)
    }
}
