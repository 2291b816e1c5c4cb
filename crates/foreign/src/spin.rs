//! A lock that uses nothing of the C library.
//!
//! Invariants:
//! 1. Only the holder of the lock touches the value.
//! 2. A holder does not park, and is no signal handler. So a lock is held for a moment, by a thread
//!    that the system runs.

use core::{
    cell::UnsafeCell,
    hint::spin_loop,
    ops::{Deref, DerefMut},
    sync::atomic::{
        AtomicBool,
        Ordering::{Acquire, Release},
    },
};

use crate::raw::raw;

pub(crate) struct Spin<T> {
    is_locked: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: one thread at a time touches the value (invariant 1).
unsafe impl<T: Send> Sync for Spin<T> {}

impl<T> Spin<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { is_locked: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    /// In the child of a fork: gives it a new value, and unlocks it. The old value is not dropped,
    /// as a thread of the parent may have been changing it.
    ///
    /// # Safety
    /// The process has just been forked, so no other thread uses it.
    pub(crate) unsafe fn renew(&self, value: T) {
        // SAFETY: the caller vouches that no other thread uses it.
        unsafe { self.value.get().write(value) };
        self.is_locked.store(false, Release);
    }

    pub(crate) fn lock(&self) -> Locked<'_, T> {
        let mut looks = 0_u32;
        while self.is_locked.swap(true, Acquire) {
            looks += 1;
            if looks.is_multiple_of(64) {
                // SAFETY: the call touches no memory.
                unsafe { raw!(SYS_sched_yield) };
            }
            spin_loop();
        }
        Locked(self)
    }
}

pub(crate) struct Locked<'a, T>(&'a Spin<T>);

impl<T> Deref for Locked<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this is the holder (invariant 1).
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for Locked<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this is the holder (invariant 1).
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T> Drop for Locked<'_, T> {
    fn drop(&mut self) {
        self.0.is_locked.store(false, Release);
    }
}
