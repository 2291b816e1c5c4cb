//! How many threads a scope has, so that the scope can wait for them (`scope`).
//!
//! Invariants:
//! 1. The count starts at one, the scope's own, so it reaches zero once: when the scope has left
//!    too. The thread that brings it to zero touches the count no more after waking the scope;
//!    every other one no more after subtracting.
//! 2. The scope does not return before the count is zero.

use core::{
    ptr::NonNull,
    sync::atomic::{
        AtomicBool, AtomicUsize,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
};

use super::waiter::Waiter;
use crate::sys::process::generation;

/// The count of one scope.
#[derive(Debug)]
pub(crate) struct ScopeCount {
    running: AtomicUsize,
    panicked: AtomicBool,
    pub(super) waiter: Waiter,
    /// Whose stack it is on.
    owner: Option<NonNull<()>>,
    /// Of the process that its threads are in.
    generation: u32,
}

// SAFETY: `owner` only says where a thread is; code that follows it must say why the thread is
// alive. The rest is atomic.
unsafe impl Send for ScopeCount {}
// SAFETY: `owner` never changes while it is shared; the rest is atomic.
unsafe impl Sync for ScopeCount {}

impl ScopeCount {
    pub(crate) fn new() -> Self {
        Self {
            running: AtomicUsize::new(1),
            panicked: AtomicBool::new(false),
            waiter: Waiter::new(),
            owner: None,
            generation: generation(),
        }
    }

    /// Notes whose scope it is, before others know of it: the address of a thread that can't end
    /// before the scope's threads have, since the scope is a frame on its stack.
    pub(super) fn set_owner(&mut self, owner: Option<NonNull<()>>) {
        self.owner = owner;
    }

    /// That thread.
    pub(super) fn owner(&self) -> Option<NonNull<()>> {
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

    /// One thread less, or the scope itself. `true` for the last one.
    pub(super) fn leave(&self) -> bool {
        self.running.fetch_sub(1, AcqRel) == 1
    }

    /// Whether a panic was left unhandled, once all have left.
    pub(super) fn has_panicked(&self) -> bool {
        self.panicked.load(Acquire)
    }
}
