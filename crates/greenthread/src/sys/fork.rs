//! What is done around a fork of the process, and locks that live through it.

use core::cell::UnsafeCell;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is done around each `fork` of the process, by the thread that calls it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AtFork {
    /// Before, in the parent.
    pub(crate) before: fn(),
    /// After, in the parent and in the child.
    pub(crate) after: fn(),
    /// Then, in the child, which has this one thread and no other; `generation` is new already.
    pub(crate) child: fn(),
}

/// A lock that no other thread has while the process forks, since in the child there is none to
/// give it back. What panics while it is locked leaves the value as it is.
///
/// Invariant: who touches `held` has the lock.
pub(crate) struct ForkMutex<T: 'static> {
    mutex: Mutex<T>,
    held: UnsafeCell<Option<MutexGuard<'static, T>>>,
}

// SAFETY: the invariant, for `held`; the rest is a mutex.
unsafe impl<T: Send> Sync for ForkMutex<T> {}

impl<T> ForkMutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { mutex: Mutex::new(value), held: UnsafeCell::new(None) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Before a fork: waits until nobody has it, and keeps everybody out.
    pub(crate) fn before_fork(&'static self) {
        let guard = self.lock();
        // SAFETY: we have the lock.
        unsafe { *self.held.get() = Some(guard) };
    }

    /// After it, in the parent and in the child.
    ///
    /// # Safety
    /// The calling thread has called `before_fork`.
    pub(crate) unsafe fn after_fork(&'static self) {
        // SAFETY: we have the lock, as the caller says.
        drop(unsafe { (*self.held.get()).take() });
    }
}
