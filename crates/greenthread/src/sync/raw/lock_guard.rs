//! Guards of raw locks. Every public guard contains one of them.
//!
//! Invariants:
//! 1. A value of one of these types means that the raw lock is held, in the way that the type says.
//!    Dropping the value unlocks.

use core::{mem, ptr};
use std::time::Instant;

use super::{condvar::RawCondvar, mutex::RawMutex, rwlock::RawRwLock};
use crate::task::{coop::polled, worker_core};

/// The id of the calling OS thread's worker: the address of its `WorkerCore`, or 0 if the OS thread
/// is no worker.
#[inline]
pub(crate) fn worker_id() -> usize {
    worker_core::get().map_or(0, |core| ptr::from_ref(core).addr())
}

/// Defines a guard of a raw lock. `$lock` waits for the lock, `$try_lock` takes it without waiting
/// if it can, and `$unlock` releases it.
macro_rules! raw_guard {
    ($(#[$meta:meta])* $name:ident, $raw:ty, $lock:expr, $try_lock:expr, $unlock:ident) => {
        $(#[$meta])*
        pub(crate) struct $name<'a>(&'a $raw);

        impl<'a> $name<'a> {
            /// Takes the lock, and waits for it if need be.
            #[inline]
            pub(crate) fn lock(raw: &'a $raw) -> Self {
                let lock: fn(&$raw) = $lock;
                lock(raw);
                Self(raw)
            }

            /// Takes the lock if it can do so without waiting.
            #[inline]
            pub(crate) fn try_lock(raw: &'a $raw) -> Option<Self> {
                let try_lock: fn(&$raw) -> bool = $try_lock;
                polled(try_lock(raw)).then(|| Self(raw))
            }
        }

        impl Drop for $name<'_> {
            #[inline]
            fn drop(&mut self) {
                // SAFETY: the lock is held (invariant 1), and this guard ends here.
                unsafe { self.0.$unlock() };
            }
        }
    };
}

raw_guard! {
    /// A guard of a mutex.
    Exclusive, RawMutex, |raw| raw.lock(worker_id()), |raw| raw.try_lock(worker_id()), unlock
}
raw_guard! {
    /// A guard of a read-write lock that is held for reading.
    Reading, RawRwLock, |raw| raw.read(worker_id()), |raw| raw.try_read(), unlock_read
}
raw_guard! {
    /// A guard of a read-write lock that is held for writing.
    Writing, RawRwLock, |raw| raw.write(worker_id()), |raw| raw.try_write(worker_id()), unlock_write
}

impl Exclusive<'_> {
    /// Releases the mutex, waits to be notified, and locks the mutex again. The caller has borrowed
    /// the guard mutably, so it does not access the guarded data meanwhile. Returns whether it was
    /// notified.
    pub(crate) fn wait(&mut self, condvar: &RawCondvar, deadline: Option<Instant>) -> bool {
        // SAFETY: the mutex is held (invariant 1). The caller has borrowed the guard mutably, so
        // nothing borrows the guarded data until this returns.
        unsafe { condvar.wait(self.0, worker_id(), deadline) }
    }
}

impl<'a> Writing<'a> {
    /// Turns the writer into a reader. No other writer takes the lock in between.
    pub(crate) fn downgrade(self) -> Reading<'a> {
        let raw = self.0;
        mem::forget(self);
        // SAFETY: the lock is held for writing (invariant 1), `self` was forgotten, and `Reading`
        // stands for the lock from now on.
        unsafe { raw.downgrade() };
        Reading(raw)
    }
}
