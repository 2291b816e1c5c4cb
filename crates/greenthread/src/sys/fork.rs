//! Functions that run around a fork of the process, and locks that survive it.

use core::cell::UnsafeCell;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Functions that run around each `fork` of the process, on the thread that forks.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(windows, expect(dead_code, reason = "Windows has no forks"))]
pub(crate) struct AtFork {
    /// Runs before the fork, in the parent.
    pub(crate) before: fn(),
    /// Runs after the fork, in the parent and in the child.
    pub(crate) after: fn(),
    /// Runs after that, only in the child. The child has only this thread, and `generation` already
    /// has its new value.
    pub(crate) child: fn(),
}

/// A lock that no other thread holds while the process forks. The child has no thread that could
/// release it otherwise. A panic while the lock is held leaves the value as it is.
///
/// Invariant: only a thread that holds the lock accesses `held`.
pub(crate) struct ForkMutex<T: 'static> {
    mutex: Mutex<T>,
    held: UnsafeCell<Option<MutexGuard<'static, T>>>,
}

// SAFETY: only the holder of the lock accesses `held` (invariant). The other field is a mutex.
unsafe impl<T: Send> Sync for ForkMutex<T> {}

impl<T> ForkMutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { mutex: Mutex::new(value), held: UnsafeCell::new(None) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the lock and holds it across the fork. Called before the fork.
    pub(crate) fn before_fork(&'static self) {
        let guard = self.lock();
        // SAFETY: this thread holds the lock by `guard` (invariant).
        unsafe { *self.held.get() = Some(guard) };
    }

    /// Releases the lock. Called after the fork, in the parent and in the child.
    ///
    /// # Safety
    /// The calling thread has called `before_fork`, and not `after_fork` since.
    pub(crate) unsafe fn after_fork(&'static self) {
        // SAFETY: the calling thread has called `before_fork` and so holds the lock (invariant).
        drop(unsafe { (*self.held.get()).take() });
    }
}
