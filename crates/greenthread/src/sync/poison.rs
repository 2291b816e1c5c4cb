//! Locks that a panic poisons. These are the same types as in [`sync`](super); this module
//! re-exports them, as std's module of the same name does.
//!
//! A lock is poisoned when a thread panics while it holds the lock. An `RwLock` is poisoned only if
//! the thread holds it for writing. The value may then be in an inconsistent state. From then on
//! the methods that lock return errors. Such an error contains the guard, so the value can still be
//! accessed. The locks of [`nonpoison`](super::nonpoison) are never poisoned.
//!
//! # Examples
//!
//! ```
//! use greenthread::sync::poison::Mutex;
//!
//! assert_eq!(*Mutex::new(1).lock().unwrap(), 1);
//! ```

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

#[doc(no_inline)]
pub use super::{
    Condvar, LockResult, MappedMutexGuard, MappedRwLockReadGuard, MappedRwLockWriteGuard, Mutex, MutexGuard,
    PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError, TryLockResult,
};

/// A lock's poison flag. Relaxed operations suffice: a thread that holds the lock sees what earlier
/// holders wrote, because the lock orders them.
#[derive(Debug)]
pub(crate) struct Flag(AtomicBool);

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

    /// Wraps `value` in `Err` if the lock is poisoned, and in `Ok` otherwise.
    #[inline]
    pub(crate) fn wrap<T>(&self, value: T) -> LockResult<T> {
        if self.get() { Err(PoisonError::new(value)) } else { Ok(value) }
    }
}

/// A guard that poisons its lock if its thread panics. `H` is the guard of the raw lock. It is
/// dropped after the flag has been set.
pub(crate) struct Poisoning<'a, H> {
    on_drop: PoisonOnPanic<'a>,
    pub(crate) held: H,
}

/// Sets the flag when it is dropped, if its thread began to panic in between.
struct PoisonOnPanic<'a> {
    flag: &'a Flag,
    /// Whether the thread was panicking already when it took the lock.
    was_panicking: bool,
}

impl<'a, H> Poisoning<'a, H> {
    /// Makes the guard of a lock that has just been taken.
    #[inline]
    pub(crate) fn new(held: H, flag: &'a Flag) -> Self {
        Self { on_drop: PoisonOnPanic { flag, was_panicking: std::thread::panicking() }, held }
    }

    /// The lock's poison flag.
    #[inline]
    pub(crate) fn flag(&self) -> &'a Flag {
        self.on_drop.flag
    }
}

impl Drop for PoisonOnPanic<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.was_panicking && std::thread::panicking() {
            self.flag.0.store(true, Relaxed);
        }
    }
}
