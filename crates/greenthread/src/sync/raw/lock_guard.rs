//! A raw lock that is held, as a value: what every guard is made of.
//!
//! Invariants:
//! 1. A value of these types stands for the raw lock being held in its way; dropping it unlocks.

use core::{cell::UnsafeCell, mem, ptr, sync::atomic::AtomicBool, sync::atomic::AtomicUsize};
use std::time::Instant;

use super::{
    condvar::RawCondvar,
    mutex::{self, RawMutex},
    rwlock::{self, RawRwLock},
    spin::SpinLock,
    wait_queue::Queue,
};
use crate::task::{coop::polled, worker_core};

/// The calling OS thread's worker as a number, 0 if it is none.
#[inline]
pub(crate) fn here() -> usize {
    worker_core::get().map_or(0, |core| ptr::from_ref(core).addr())
}

// The constructors are here so that the state machines have nothing `const` in them (see there).

impl RawMutex {
    /// A free one.
    pub(crate) const fn new() -> Self {
        let waiting = mutex::Waiting { queue: Queue::new(), tickets: 0, skipped: 0 };
        Self { state: AtomicUsize::new(0), waiting: SpinLock::new(waiting) }
    }
}

impl RawRwLock {
    /// A free one.
    pub(crate) const fn new() -> Self {
        let waiting = rwlock::Waiting { readers: Queue::new(), writers: Queue::new(), skipped: 0 };
        Self { state: AtomicUsize::new(0), waiting: SpinLock::new(waiting) }
    }
}

impl RawCondvar {
    /// One that nobody waits for.
    pub(crate) const fn new() -> Self {
        Self { waiting: SpinLock::new(Queue::new()), occupied: AtomicBool::new(false) }
    }
}

impl<T> SpinLock<T> {
    /// A free one.
    pub(crate) const fn new(value: T) -> Self {
        Self { held: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }
}

/// A mutex held.
pub(crate) struct Exclusive<'a>(&'a RawMutex);

impl<'a> Exclusive<'a> {
    /// Waits for the mutex.
    #[inline]
    pub(crate) fn lock(raw: &'a RawMutex) -> Self {
        raw.lock(here());
        Self(raw)
    }

    /// Takes the mutex if it is free.
    #[inline]
    pub(crate) fn try_lock(raw: &'a RawMutex) -> Option<Self> {
        polled(raw.try_lock(here())).then(|| Self(raw))
    }

    /// Lets go of the mutex while it waits to be notified. The caller, who has the guard borrowed, touches nothing
    /// that the mutex guards meanwhile. `true` if it was notified.
    pub(crate) fn wait(&mut self, condvar: &RawCondvar, deadline: Option<Instant>) -> bool {
        // SAFETY: held (invariant 1), and `self` is borrowed mutably by the guard's borrower.
        unsafe { condvar.wait(self.0, here(), deadline) }
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
        raw.read(here());
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
        raw.write(here());
        Self(raw)
    }

    /// Takes the lock if it is free.
    #[inline]
    pub(crate) fn try_lock(raw: &'a RawRwLock) -> Option<Self> {
        polled(raw.try_write(here())).then(|| Self(raw))
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
