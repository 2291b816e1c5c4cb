//! Locks that know nothing of panics:
//! [`std::sync::nonpoison`](https://doc.rust-lang.org/std/sync/nonpoison/), which std has on
//! nightly only.
//!
//! They are the locks of [`sync`](super) with one difference: a thread that panics while it holds
//! one just unlocks it. So there are no errors to unwrap; whoever locks next finds the value as the
//! panic left it.
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

/// What `try_lock` and its like return: a guard, or that it would have to wait.
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

/// The lock is held by somebody, and the call may not wait.
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
