//! Locks that remember a panic: the same types as in [`sync`](super), by the name of their module.
//!
//! A lock is poisoned when a thread panics while it holds it (a read-write lock: for writing): what
//! it guards may be left half done. From then on its methods return errors, which hold the guard
//! all the same. The locks of [`nonpoison`](super::nonpoison) know nothing of that.
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

/// A lock's mark. Relaxed will do: the lock itself orders it.
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

    /// `value`, as an error if the lock is poisoned.
    #[inline]
    pub(crate) fn wrap<T>(&self, value: T) -> LockResult<T> {
        if self.get() { Err(PoisonError::new(value)) } else { Ok(value) }
    }
}

/// A lock held by a thread whose panic would poison it. `H` unlocks when it is dropped, which is
/// after poisoning.
pub(crate) struct Poisoning<'a, H> {
    mark: Mark<'a>,
    pub(crate) held: H,
}

struct Mark<'a> {
    flag: &'a Flag,
    /// Whether the thread was panicking already when it took the lock.
    before: bool,
}

impl<'a, H> Poisoning<'a, H> {
    /// At locking.
    #[inline]
    pub(crate) fn new(held: H, flag: &'a Flag) -> Self {
        Self { mark: Mark { flag, before: std::thread::panicking() }, held }
    }

    /// The lock's mark.
    #[inline]
    pub(crate) fn flag(&self) -> &'a Flag {
        self.mark.flag
    }
}

impl Drop for Mark<'_> {
    /// A panic that began in between poisons.
    #[inline]
    fn drop(&mut self) {
        if !self.before && std::thread::panicking() {
            self.flag.0.store(true, Relaxed);
        }
    }
}
