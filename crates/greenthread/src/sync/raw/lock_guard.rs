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

/// Defines a raw lock held: `$lock` waits for it, `$try_lock` takes it if that needs no waiting,
/// `$unlock` gives it back.
macro_rules! held {
    ($(#[$meta:meta])* $name:ident, $raw:ty, $lock:expr, $try_lock:expr, $unlock:ident) => {
        $(#[$meta])*
        pub(crate) struct $name<'a>(&'a $raw);

        impl<'a> $name<'a> {
            /// Waits for the lock.
            #[inline]
            pub(crate) fn lock(raw: &'a $raw) -> Self {
                let lock: fn(&$raw) = $lock;
                lock(raw);
                Self(raw)
            }

            /// Takes the lock if that needs no waiting.
            #[inline]
            pub(crate) fn try_lock(raw: &'a $raw) -> Option<Self> {
                let try_lock: fn(&$raw) -> bool = $try_lock;
                polled(try_lock(raw)).then(|| Self(raw))
            }
        }

        impl Drop for $name<'_> {
            #[inline]
            fn drop(&mut self) {
                // SAFETY: held (invariant 1), and this ends here.
                unsafe { self.0.$unlock() };
            }
        }
    };
}

held! {
    /// A mutex held.
    Exclusive, RawMutex, |raw| raw.lock(worker_id()), |raw| raw.try_lock(worker_id()), unlock
}
held! {
    /// A read-write lock held for reading.
    Reading, RawRwLock, |raw| raw.read(worker_id()), |raw| raw.try_read(), unlock_read
}
held! {
    /// A read-write lock held for writing.
    Writing, RawRwLock, |raw| raw.write(worker_id()), |raw| raw.try_write(worker_id()), unlock_write
}

impl Exclusive<'_> {
    /// Lets go of the mutex while it waits to be notified. The caller, which has borrowed the
    /// guard, touches nothing that the mutex guards meanwhile. Returns `true` if it was notified.
    pub(crate) fn wait(&mut self, condvar: &RawCondvar, deadline: Option<Instant>) -> bool {
        // SAFETY: held (invariant 1), and `self` is borrowed mutably by the guard's borrower.
        unsafe { condvar.wait(self.0, worker_id(), deadline) }
    }
}

impl<'a> Writing<'a> {
    /// Goes on as a reader.
    pub(crate) fn downgrade(self) -> Reading<'a> {
        let raw = self.0;
        mem::forget(self);
        // SAFETY: held (invariant 1), and goes on as `Reading`.
        unsafe { raw.downgrade() };
        Reading(raw)
    }
}
