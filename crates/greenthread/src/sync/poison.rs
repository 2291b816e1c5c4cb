//! Whether a thread has panicked while it held a lock.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{LockResult, PoisonError};

use crate::thread;

/// A lock's mark. Relaxed will do: the lock itself orders it.
#[derive(Debug)]
pub(crate) struct Flag(AtomicBool);

/// Whether the thread was panicking already when it took the lock.
#[derive(Debug)]
pub(crate) struct Before(bool);

impl Flag {
    pub(crate) const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    #[inline]
    pub(crate) fn get(&self) -> bool {
        self.0.load(Relaxed)
    }

    pub(crate) fn clear(&self) {
        self.0.store(false, Relaxed);
    }

    /// At locking.
    #[inline]
    pub(crate) fn before(&self) -> Before {
        Before(thread::panicking())
    }

    /// At unlocking: a panic that began in between poisons.
    #[inline]
    pub(crate) fn after(&self, before: &Before) {
        if !before.0 && thread::panicking() {
            self.0.store(true, Relaxed);
        }
    }

    /// `value`, as an error if the lock is poisoned.
    #[inline]
    pub(crate) fn wrap<T>(&self, value: T) -> LockResult<T> {
        if self.get() { Err(PoisonError::new(value)) } else { Ok(value) }
    }
}
