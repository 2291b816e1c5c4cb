//! How a scope waits for its threads.
//!
//! Invariants: those of `scope_count`.

use core::ptr::{self, NonNull};

use super::{
    scope_count::ScopeCount,
    wait::{Reason, Waiter},
    worker_core::{self, WorkerCore},
};

/// Finds out whose scope it is: before others know of it.
pub(crate) fn set_owner(scope: &mut ScopeCount) {
    let Some(task) = worker_core::get().and_then(WorkerCore::running) else { return };
    // SAFETY: the running thread's cells are this OS thread's, and nobody else looks meanwhile.
    let stack = unsafe { (*task.stack.get()).as_ref() };
    // A coroutine's body runs on another stack, and may be resumed by another thread: then the
    // scope is nobody's.
    if stack.is_some_and(|stack| stack.remaining(ptr::from_mut(scope).addr()).is_some()) {
        scope.set_owner(Some(NonNull::from(task).cast()));
    }
}

/// A thread of the scope has ended.
///
/// # Safety
/// It was entered, and leaves once: so the scope is still there (`scope_count`, invariant 2).
pub(crate) unsafe fn leave(scope: NonNull<ScopeCount>, unhandled_panic: bool) {
    // SAFETY: alive until we have left, and for the last one until it has woken the scope.
    unsafe {
        if unhandled_panic {
            scope.as_ref().note_panic();
        }
        if scope.as_ref().leave() {
            Waiter::wake(&scope.as_ref().waiter);
        }
    }
}

/// The scope waits for all, once. Whether a panic was left unhandled.
///
/// # Panics
/// If some are of a process that has forked this one: here they don't run.
pub(crate) fn wait(scope: &ScopeCount) -> bool {
    if !scope.leave() {
        assert!(!scope.is_foreign(), "a scope's threads run in the process that has forked this one");
        scope.waiter.wait(Reason::Scope, None);
    }
    scope.has_panicked()
}
