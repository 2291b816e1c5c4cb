//! Counting a scope's threads, so that the scope can wait for them.
//!
//! Invariants:
//! 1. The count starts at one, the scope's own, so it reaches zero once: when the scope has left too. Whoever
//!    brings it to zero touches the count no more after waking the scope; everyone else no more after subtracting.
//! 2. The scope does not return before the count is zero.

use core::{
    ptr::NonNull,
    sync::atomic::{
        AtomicBool, AtomicUsize,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
};

use super::wait::{Reason, Waiter};

/// The count of one scope.
#[derive(Debug)]
pub(crate) struct Count {
    running: AtomicUsize,
    panicked: AtomicBool,
    waiter: Waiter,
}

impl Count {
    pub(crate) fn new() -> Self {
        Self { running: AtomicUsize::new(1), panicked: AtomicBool::new(false), waiter: Waiter::new() }
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
    pub(crate) fn wait(&self) -> bool {
        if self.running.fetch_sub(1, AcqRel) != 1 {
            self.waiter.wait(Reason::Scope, None);
        }
        self.panicked.load(Acquire)
    }
}
