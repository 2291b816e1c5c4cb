//! Locks that a panic does not poison. std has its module
//! [`std::sync::nonpoison`](https://doc.rust-lang.org/std/sync/nonpoison/) on nightly only.
//!
//! These are the locks of [`sync`](super), with one difference: a thread that panics while it holds
//! a lock only unlocks it. So locking returns no error that must be unwrapped. The next holder
//! finds the value as the panicking thread left it.
//!
//! # Examples
//!
//! ```
//! use greenthread::sync::nonpoison::Mutex;
//!
//! let mutex = Mutex::new(1);
//! *mutex.lock() += 1;
//! assert_eq!(*mutex.lock(), 2);
//! ```

use core::fmt;

mod condvar;
mod mutex;
mod rwlock;

pub use condvar::Condvar;
pub use mutex::{MappedMutexGuard, Mutex, MutexGuard};
pub use rwlock::{MappedRwLockReadGuard, MappedRwLockWriteGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The result of `try_lock`, `try_read` and `try_write`: a guard, or [`WouldBlock`].
///
/// # Examples
///
/// ```
/// use greenthread::sync::nonpoison::{Mutex, MutexGuard, TryLockResult};
///
/// fn peek(mutex: &Mutex<u8>) -> TryLockResult<MutexGuard<'_, u8>> {
///     mutex.try_lock()
/// }
/// assert_eq!(*peek(&Mutex::new(1)).unwrap(), 1);
/// ```
pub type TryLockResult<Guard> = Result<Guard, WouldBlock>;

/// The error of a call that does not block: it could not take the lock without waiting.
///
/// # Differs from std
///
/// It implements `Error`, as [`TryLockError`](super::TryLockError) does.
///
/// # Examples
///
/// ```
/// use greenthread::sync::nonpoison::{Mutex, WouldBlock};
///
/// let mutex = Mutex::new(());
/// let _guard = mutex.lock();
/// assert!(matches!(mutex.try_lock(), Err(WouldBlock)));
/// ```
#[derive(Debug)]
pub struct WouldBlock;

impl fmt::Display for WouldBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("try_lock failed because the operation would block")
    }
}

impl core::error::Error for WouldBlock {}
