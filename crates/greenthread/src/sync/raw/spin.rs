//! The spin lock inside the other locks. It guards a wait queue or a channel's buffer for about ten
//! instructions at a time.
//!
//! A thread takes the lock with one read-modify-write operation, and releases it with a plain
//! store. A thread that finds the lock held spins. After a while it yields to other OS threads, and
//! in the end it sleeps briefly. The sleep lets a holder continue that was preempted by a spinning
//! thread of a higher priority.
//!
//! Invariants:
//! 1. Only the thread that holds the lock from then on sets `held`, and only the same thread clears
//!    it. Taking the lock acquires what the previous release released.
//! 2. Only the holder accesses `value`.
//! 3. While the lock is held, no user code runs, and the holder does not switch threads, allocate,
//!    panic or fire a wake-up. So the holder releases the lock within nanoseconds, unless the OS
//!    preempts it.

use core::{
    cell::UnsafeCell,
    ops::{Deref, DerefMut},
    panic::{RefUnwindSafe, UnwindSafe},
};

use super::{
    atomic::{
        AtomicBool,
        Ordering::{Acquire, Relaxed, Release},
    },
    const_fn,
    fairness::relax,
};

/// A spin lock around a value: see the module.
#[repr(C)]
pub(crate) struct SpinLock<T> {
    held: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: one holder at a time accesses `value` (invariants 1, 2). The holder may be any OS thread,
// which `T: Send` allows.
unsafe impl<T: Send> Send for SpinLock<T> {}
// SAFETY: a shared reference gives access to `value` only to one holder at a time (invariants 1,
// 2).
unsafe impl<T: Send> Sync for SpinLock<T> {}

// No panic can leave `value` half changed (invariant 3).
impl<T> UnwindSafe for SpinLock<T> {}
impl<T> RefUnwindSafe for SpinLock<T> {}

/// The lock held by this thread. Dropping the guard releases the lock.
pub(crate) struct SpinGuard<'a, T>(&'a SpinLock<T>);

impl<T> SpinLock<T> {
    const_fn! {
        /// A free lock.
        pub(crate) const fn new(value: T) -> Self {
            Self { held: AtomicBool::new(false), value: UnsafeCell::new(value) }
        }
    }

    #[inline]
    pub(crate) fn lock(&self) -> SpinGuard<'_, T> {
        if self.held.swap(true, Acquire) {
            self.contended();
        }
        SpinGuard(self)
    }

    /// Makes the guard again that was forgotten (`mem::forget`) before.
    ///
    /// # Safety
    /// The caller holds the lock, has forgotten its guard, and makes one new guard for each guard
    /// that it has forgotten.
    #[inline]
    pub(crate) unsafe fn assume_locked(&self) -> SpinGuard<'_, T> {
        SpinGuard(self)
    }

    #[cold]
    fn contended(&self) {
        let mut rounds = 0;
        loop {
            while self.held.load(Relaxed) {
                relax(rounds);
                rounds += 1;
            }
            if !self.held.swap(true, Acquire) {
                return;
            }
        }
    }
}

impl<T> Deref for SpinGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard stands for the lock being held (invariant 2).
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for SpinGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard stands for the lock being held (invariant 2).
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T> Drop for SpinGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.0.held.store(false, Release);
    }
}
