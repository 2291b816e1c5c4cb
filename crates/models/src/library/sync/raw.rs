//! The state machines.

use super::{super::inner::const_fn, wait_queue};
use crate::{
    atomic::{self, Ordering::Relaxed},
    locks::{fairness, spin},
};

#[path = "../../../../greenthread/src/sync/raw/condvar.rs"]
pub(crate) mod condvar;
#[path = "../../../../greenthread/src/sync/raw/mutex.rs"]
pub(crate) mod mutex;
#[path = "../../../../greenthread/src/sync/raw/once.rs"]
pub(crate) mod once;
#[path = "../../../../greenthread/src/sync/raw/rwlock.rs"]
pub(crate) mod rwlock;
#[path = "../../../../greenthread/src/sync/raw/semaphore.rs"]
pub(crate) mod semaphore;

impl rwlock::RawRwLock {
    /// Whether the lock is free, and no waiter has left a bit set.
    pub(crate) fn is_clean(&self) -> bool {
        self.state.load(Relaxed) == 0
    }
}
