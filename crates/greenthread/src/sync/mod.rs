//! Locks, condition variables and channels: [`std::sync`] for green threads.
//!
//! The names are std's, and so is their meaning. What blocks here puts the calling *green* thread
//! to sleep, and its worker runs others meanwhile. On an OS thread the same call blocks that
//! thread; both kinds may meet at one lock or channel.
//!
//! What never blocks is std's own, under its usual name: [`Arc`], [`Weak`], [`atomic`], and the
//! types that locks return.
//!
//! Some of it std has on nightly only: guards of a part ([`MutexGuard::map`] and its like),
//! [`ReentrantLock`], the locks of [`nonpoison`]. And two things it hasn't: [`Semaphore`] and
//! [`WaitGroup`]. With the feature `lock_api` there are raw locks for the crate of this name.
//!
//! With `std::sync`'s own types in a green thread, a wait blocks the whole worker, and if whoever
//! it waits for is a green thread of the same worker, for ever.
//!
//! # Who is next
//!
//! Nobody starves at a lock, however busy it is: threads that wait are in line, and one that has
//! come first in line and been passed by others for about half a millisecond is handed the lock.
//! The types say more.
//!
//! # Example
//!
//! ```
//! use greenthread::{sync::{Arc, Mutex}, thread};
//!
//! let log = Arc::new(Mutex::new(Vec::new()));
//! let threads: Vec<_> = (0..4)
//!     .map(|n| {
//!         let log = Arc::clone(&log);
//!         thread::spawn(move || log.lock().unwrap().push(n))
//!     })
//!     .collect();
//! for thread in threads {
//!     thread.join().unwrap();
//! }
//! assert_eq!(log.lock().unwrap().len(), 4);
//! ```

mod barrier;
pub(crate) mod chan;
mod condvar;
mod guard;
mod lazy_lock;
#[cfg(feature = "lock_api")]
mod lock_api;
pub mod mpmc;
pub mod mpsc;
mod mutex;
pub mod nonpoison;
mod once;
mod once_lock;
pub mod oneshot;
pub mod poison;
pub(crate) mod raw;
mod reentrant_lock;
mod rwlock;
mod semaphore;
mod wait_group;

use crate::task::wait_queue;

#[doc(no_inline)]
pub use std::sync::{Arc, LockResult, PoisonError, TryLockError, TryLockResult, Weak, atomic};

pub use barrier::{Barrier, BarrierWaitResult};
pub use condvar::{Condvar, WaitTimeoutResult};
pub use lazy_lock::LazyLock;
#[cfg(feature = "lock_api")]
pub use lock_api::{RawMutex, RawRwLock};
pub use mutex::{MappedMutexGuard, Mutex, MutexGuard};
#[allow(deprecated, reason = "std still has it")]
pub use once::ONCE_INIT;
pub use once::{Once, OnceState};
pub use once_lock::OnceLock;
pub use reentrant_lock::{ReentrantLock, ReentrantLockGuard};
pub use rwlock::{MappedRwLockReadGuard, MappedRwLockWriteGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use semaphore::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
pub use wait_group::WaitGroup;
