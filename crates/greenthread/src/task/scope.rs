//! How a scope waits for its threads.
//!
//! Invariants: those of `scope_count`.

use core::ptr::{self, NonNull};

use super::{
    scope_count::ScopeCount,
    wait::{Reason, Waiter},
    worker_core::{self, WorkerCore},
};

/// Finds out which thread's scope it is, before other threads know of it.
pub(crate) fn set_owner(scope: &mut ScopeCount) {
    let Some(task) = worker_core::get().and_then(WorkerCore::running) else { return };
    // Otherwise it is on a coroutine's stack, and has no owner.
    if task.has_on_stack(ptr::from_mut(scope).addr()) {
        scope.set_owner(Some(NonNull::from(task).cast()));
    }
}

/// Called when a thread of the scope has ended.
///
/// # Safety
/// The thread was counted by `enter`, and leaves once. So the scope is still there (`scope_count`,
/// invariant 2).
pub(crate) unsafe fn leave(scope: NonNull<ScopeCount>, unhandled_panic: bool) {
    // SAFETY: the count is alive until this thread has left. If it is the last one, the count is
    // alive until it has woken the scope.
    unsafe {
        if unhandled_panic {
            scope.as_ref().note_panic();
        }
        if scope.as_ref().leave() {
            Waiter::wake(&scope.as_ref().waiter);
        }
    }
}

/// Waits for all threads of the scope; called once. Returns whether a panic was left unhandled.
///
/// # Panics
/// If the scope has threads in a process that has forked this one, since they don't run here.
pub(crate) fn wait(scope: &ScopeCount) -> bool {
    if !scope.leave() {
        assert!(!scope.is_foreign(), "a scope's threads run in the process that has forked this one");
        scope.waiter.wait(Reason::Scope, None);
    }
    scope.has_panicked()
}
