//! The lock inside the locks: it guards a wait queue or a channel's buffer for some ten
//! instructions.
//!
//! One read-modify-write to take it and a plain store to release it. Whoever finds it held spins,
//! then lets other OS threads run, and in the end sleeps a little, so that a holder that was
//! preempted by a spinning thread of a higher priority gets on too.
//!
//! Invariants:
//! 1. `held` goes from false to true by the one thread that from then on holds the lock, and back
//!    by the same. Taking acquires what the release before it released.
//! 2. Only the holder touches `value`.
//! 3. While it is held no user code runs, nothing switches, allocates, panics or fires a wake-up:
//!    the holder gives it back within nanoseconds unless the OS takes the processor away from it.

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

/// See the module.
#[repr(C)]
pub(crate) struct SpinLock<T> {
    held: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: `value` is touched by one holder at a time (invariants 1, 2), which may be any OS thread.
unsafe impl<T: Send> Send for SpinLock<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for SpinLock<T> {}

// No panic can leave `value` half done (invariant 3).
impl<T> UnwindSafe for SpinLock<T> {}
impl<T> RefUnwindSafe for SpinLock<T> {}

/// Proof that the lock is held; dropping it gives the lock back.
pub(crate) struct SpinGuard<'a, T>(&'a SpinLock<T>);

impl<T> SpinLock<T> {
    const_fn! {
        /// A free one.
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

    /// The guard that was forgotten before.
    ///
    /// # Safety
    /// The caller holds the lock by a guard that it has forgotten, and forgets no more than it
    /// takes back.
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
        // SAFETY: we hold the lock (invariant 2).
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for SpinGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: we hold the lock (invariant 2).
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T> Drop for SpinGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.0.held.store(false, Release);
    }
}
