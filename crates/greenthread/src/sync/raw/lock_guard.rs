//! A raw lock that is held, as a value: what every guard is made of.
//!
//! Invariants:
//! 1. A value of these types stands for the raw lock being held in its way; dropping it unlocks.

use core::{mem, ptr};
use std::time::Instant;

use super::{condvar::RawCondvar, mutex::RawMutex, rwlock::RawRwLock};
use crate::task::{coop::polled, worker_core};

/// The calling OS thread's worker as a number, 0 if it is none.
#[inline]
pub(crate) fn worker_id() -> usize {
    worker_core::get().map_or(0, |core| ptr::from_ref(core).addr())
}

/// A mutex held.
pub(crate) struct Exclusive<'a>(&'a RawMutex);

impl<'a> Exclusive<'a> {
    /// Waits for the mutex.
    #[inline]
    pub(crate) fn lock(raw: &'a RawMutex) -> Self {
        raw.lock(worker_id());
        Self(raw)
    }

    /// Takes the mutex if it is free.
    #[inline]
    pub(crate) fn try_lock(raw: &'a RawMutex) -> Option<Self> {
        polled(raw.try_lock(worker_id())).then(|| Self(raw))
    }

    /// Lets go of the mutex while it waits to be notified. The caller, who has the guard borrowed, touches nothing
    /// that the mutex guards meanwhile. `true` if it was notified.
    pub(crate) fn wait(&mut self, condvar: &RawCondvar, deadline: Option<Instant>) -> bool {
        // SAFETY: held (invariant 1), and `self` is borrowed mutably by the guard's borrower.
        unsafe { condvar.wait(self.0, worker_id(), deadline) }
    }
}

impl Drop for Exclusive<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: held (invariant 1), and this ends here.
        unsafe { self.0.unlock() };
    }
}

/// A read-write lock held for reading.
pub(crate) struct Reading<'a>(&'a RawRwLock);

impl<'a> Reading<'a> {
    /// Waits for the lock.
    #[inline]
    pub(crate) fn lock(raw: &'a RawRwLock) -> Self {
        raw.read(worker_id());
        Self(raw)
    }

    /// Takes the lock if there is neither a writer nor a bar.
    #[inline]
    pub(crate) fn try_lock(raw: &'a RawRwLock) -> Option<Self> {
        polled(raw.try_read()).then(|| Self(raw))
    }
}

impl Drop for Reading<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: held (invariant 1), and this ends here.
        unsafe { self.0.unlock_read() };
    }
}

/// A read-write lock held for writing.
pub(crate) struct Writing<'a>(&'a RawRwLock);

impl<'a> Writing<'a> {
    /// Waits for the lock.
    #[inline]
    pub(crate) fn lock(raw: &'a RawRwLock) -> Self {
        raw.write(worker_id());
        Self(raw)
    }

    /// Takes the lock if it is free.
    #[inline]
    pub(crate) fn try_lock(raw: &'a RawRwLock) -> Option<Self> {
        polled(raw.try_write(worker_id())).then(|| Self(raw))
    }

    /// Goes on as a reader.
    pub(crate) fn downgrade(self) -> Reading<'a> {
        let raw = self.0;
        mem::forget(self);
        // SAFETY: held (invariant 1), and goes on as `Reading`.
        unsafe { raw.downgrade() };
        Reading(raw)
    }
}

impl Drop for Writing<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: held (invariant 1), and this ends here.
        unsafe { self.0.unlock_write() };
    }
}
