//! How many threads a scope has, so that the scope can wait for them (`scope`).
//!
//! Invariants:
//! 1. The count starts at one, for the scope itself. So it reaches zero once, after the scope has
//!    left too. The thread that brings it to zero does not touch it after it has woken the scope;
//!    any other thread does not touch it after its subtraction.
//! 2. The scope does not return before the count is zero.

use core::{
    ptr::NonNull,
    sync::atomic::{
        AtomicBool, AtomicUsize,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
};

use std::io;

use super::waiter::Waiter;
use crate::sys::process::generation;

/// The count of one scope.
#[derive(Debug)]
pub(crate) struct ScopeCount {
    running: AtomicUsize,
    panicked: AtomicBool,
    pub(super) waiter: Waiter,
    /// The thread on whose stack it is, if `set_owner` was given one.
    owner: Option<NonNull<()>>,
    /// The generation of the process that its threads are in (`sys::process`).
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

    /// Notes the owner, before other threads know of the scope. It is the address of a thread that
    /// can't end before the scope's threads have ended, since the scope is a frame on its stack.
    pub(super) fn set_owner(&mut self, owner: Option<NonNull<()>>) {
        self.owner = owner;
    }

    /// The thread that `set_owner` was given.
    pub(super) fn owner(&self) -> Option<NonNull<()>> {
        self.owner
    }

    /// Whether it belongs to a process that has forked this one. Then its threads run there.
    #[inline]
    pub(crate) fn is_foreign(&self) -> bool {
        self.generation != generation()
    }

    /// # Errors
    /// `Unsupported` if it is foreign: no thread can be spawned in it here.
    #[inline]
    pub(crate) fn refuse_if_foreign(&self) -> io::Result<()> {
        if self.is_foreign() {
            let message = "this scope's threads run in the process that has forked this one";
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
        Ok(())
    }

    /// Counts one more thread.
    pub(crate) fn enter(&self) {
        self.running.fetch_add(1, Relaxed);
    }

    /// Notes that a thread has panicked and no joiner took the panic.
    pub(crate) fn note_panic(&self) {
        self.panicked.store(true, Relaxed);
    }

    /// Counts one thread less, or the scope itself. Returns `true` for the last one.
    pub(super) fn leave(&self) -> bool {
        self.running.fetch_sub(1, AcqRel) == 1
    }

    /// Whether a panic was left unhandled, once all have left.
    pub(super) fn has_panicked(&self) -> bool {
        self.panicked.load(Acquire)
    }
}
