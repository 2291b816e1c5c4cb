//! Raw locks for the crate `lock_api`.
//!
//! Generic code can build `lock_api`'s locks from them. Compared with the locks of `nonpoison`,
//! those also have timeouts and, with `lock_api`'s feature `arc_lock`, guards that own an `Arc` of
//! their lock.
//!
//! Invariants:
//! 1. The methods of `lock_api`'s traits that unlock or downgrade are `unsafe`. Their caller
//!    vouches that it holds the lock, in the way that the method says.

use core::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use lock_api::{GuardNoSend, RawRwLockDowngrade, RawRwLockTimed};

use super::raw::{self, lock_guard::worker_id};
use crate::{
    opaque_debug::opaque_debug,
    task::{coop::polled, time::deadline_after},
};

/// A raw mutex for [`lock_api::Mutex`]. A green thread that waits for it lets its worker run other
/// threads.
///
/// # Examples
///
/// ```
/// use greenthread::{sync::RawMutex, time::Duration};
///
/// static NAMES: lock_api::Mutex<RawMutex, Vec<&str>> = lock_api::Mutex::new(Vec::new());
/// NAMES.lock().push("fern");
/// assert_eq!(NAMES.try_lock_for(Duration::from_millis(5)).unwrap().len(), 1);
/// ```
pub struct RawMutex(raw::mutex::RawMutex);

/// A raw read-write lock for [`lock_api::RwLock`]. A green thread that waits for it lets its worker
/// run other threads.
///
/// # Examples
///
/// ```
/// use greenthread::{sync::RawRwLock, time::Duration};
///
/// static NAMES: lock_api::RwLock<RawRwLock, Vec<&str>> = lock_api::RwLock::new(Vec::new());
/// NAMES.write().push("fern");
/// let _guard = NAMES.read();
/// assert!(NAMES.try_write_for(Duration::from_millis(5)).is_none());
/// ```
pub struct RawRwLock(raw::rwlock::RawRwLock);

// SAFETY: at most one thread holds a `raw::mutex::RawMutex` (its invariant 1).
unsafe impl lock_api::RawMutex for RawMutex {
    #[allow(clippy::declare_interior_mutable_const, reason = "the trait declares it so")]
    const INIT: Self = Self(raw::mutex::RawMutex::new());

    type GuardMarker = GuardNoSend;

    #[inline]
    fn lock(&self) {
        self.0.lock(worker_id());
    }

    #[inline]
    fn try_lock(&self) -> bool {
        polled(self.0.try_lock(worker_id()))
    }

    #[inline]
    unsafe fn unlock(&self) {
        // SAFETY: the caller holds the mutex (invariant 1).
        unsafe { self.0.unlock() };
    }

    fn is_locked(&self) -> bool {
        self.0.state.load(Relaxed) & raw::mutex::LOCKED != 0
    }
}

// SAFETY: these methods return `true` if and only if they have taken the lock.
unsafe impl lock_api::RawMutexTimed for RawMutex {
    type Duration = Duration;
    type Instant = Instant;

    fn try_lock_for(&self, timeout: Duration) -> bool {
        self.0.try_lock(worker_id()) || self.0.lock_until(worker_id(), deadline_after(timeout))
    }

    fn try_lock_until(&self, timeout: Instant) -> bool {
        self.0.lock_until(worker_id(), Some(timeout))
    }
}

// SAFETY: while a writer holds a `raw::rwlock::RawRwLock`, no other thread does (its invariant 1).
unsafe impl lock_api::RawRwLock for RawRwLock {
    #[allow(clippy::declare_interior_mutable_const, reason = "the trait declares it so")]
    const INIT: Self = Self(raw::rwlock::RawRwLock::new());

    type GuardMarker = GuardNoSend;

    #[inline]
    fn lock_shared(&self) {
        self.0.read(worker_id());
    }

    #[inline]
    fn try_lock_shared(&self) -> bool {
        polled(self.0.try_read())
    }

    #[inline]
    unsafe fn unlock_shared(&self) {
        // SAFETY: the caller holds the lock for reading (invariant 1).
        unsafe { self.0.unlock_read() };
    }

    #[inline]
    fn lock_exclusive(&self) {
        self.0.write(worker_id());
    }

    #[inline]
    fn try_lock_exclusive(&self) -> bool {
        polled(self.0.try_write(worker_id()))
    }

    #[inline]
    unsafe fn unlock_exclusive(&self) {
        // SAFETY: the caller holds the lock for writing (invariant 1).
        unsafe { self.0.unlock_write() };
    }

    fn is_locked(&self) -> bool {
        self.0.state.load(Relaxed) & (raw::rwlock::WRITER | raw::rwlock::REST) != 0
    }

    fn is_locked_exclusive(&self) -> bool {
        self.0.state.load(Relaxed) & raw::rwlock::WRITER != 0
    }
}

// SAFETY: `downgrade` leaves the lock held for reading, and the lock is not free in between.
unsafe impl RawRwLockDowngrade for RawRwLock {
    unsafe fn downgrade(&self) {
        // SAFETY: the caller holds the lock for writing (invariant 1).
        unsafe { self.0.downgrade() };
    }
}

// SAFETY: these methods return `true` if and only if they have taken the lock.
unsafe impl RawRwLockTimed for RawRwLock {
    type Duration = Duration;
    type Instant = Instant;

    fn try_lock_shared_for(&self, timeout: Duration) -> bool {
        self.0.try_read() || self.0.read_until(worker_id(), deadline_after(timeout))
    }

    fn try_lock_shared_until(&self, timeout: Instant) -> bool {
        self.0.read_until(worker_id(), Some(timeout))
    }

    fn try_lock_exclusive_for(&self, timeout: Duration) -> bool {
        self.0.try_write(worker_id()) || self.0.write_until(worker_id(), deadline_after(timeout))
    }

    fn try_lock_exclusive_until(&self, timeout: Instant) -> bool {
        self.0.write_until(worker_id(), Some(timeout))
    }
}

opaque_debug!(RawMutex, RawRwLock);
