//! Locks, condition variables and channels: [`std::sync`] for green threads.
//!
//! The types have the names and the meaning of their std counterparts. A call that blocks puts the
//! calling *green* thread to sleep, and the thread's worker runs other threads meanwhile. On an OS
//! thread the same call blocks the OS thread. Green threads and OS threads may share a lock or a
//! channel.
//!
//! Types that never block are std's own, re-exported under their usual names: [`Arc`], [`Weak`],
//! [`atomic`], and the result and error types of locks.
//!
//! Some of these types exist in std on nightly only: guards of a part of the value
//! ([`MutexGuard::map`] and the like), [`ReentrantLock`], and the locks of [`nonpoison`]. Some
//! don't exist in std: [`Semaphore`], [`WaitGroup`], [`Parker`]. With the feature `lock_api` there
//! are raw locks for the crate of that name.
//!
//! A green thread that waits at one of `std::sync`'s own types blocks its whole worker. If it waits
//! for a green thread of the same worker, it waits for ever.
//!
//! # Fairness
//!
//! No thread starves at a lock, however busy the lock is. Waiting threads are queued in the order
//! in which they came. Running threads may overtake the first thread in the queue, but only for
//! about half a millisecond. Then the lock is handed to that thread. The documentation of each type
//! says more.
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

mod acquire_future;
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
mod parker;
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
pub use parker::{Parker, Unparker};
pub use reentrant_lock::{ReentrantLock, ReentrantLockGuard};
pub use rwlock::{MappedRwLockReadGuard, MappedRwLockWriteGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use semaphore::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
pub use wait_group::WaitGroup;
