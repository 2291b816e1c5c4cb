//! The state machines, and constructors. The library's constructors are `const`, and loom's atomics
//! can't be made in a `const fn`.

use super::wait_queue::{self, Queue};
use crate::{
    atomic::{self, AtomicBool, AtomicU32, AtomicUsize, Ordering::Relaxed},
    locks::{
        fairness,
        spin::{self, SpinLock},
    },
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

impl mutex::RawMutex {
    pub(crate) fn new() -> Self {
        let waiting = mutex::Waiting { queue: Queue::new(), tickets: 0, skipped: 0 };
        Self { state: AtomicUsize::new(0), waiting: SpinLock::new(waiting) }
    }
}

impl rwlock::RawRwLock {
    pub(crate) fn new() -> Self {
        let waiting = rwlock::Waiting { readers: Queue::new(), writers: Queue::new(), skipped: 0 };
        Self { state: AtomicUsize::new(0), waiting: SpinLock::new(waiting) }
    }

    /// Whether the lock is free, and no waiter has left a bit set.
    pub(crate) fn is_clean(&self) -> bool {
        self.state.load(Relaxed) == 0
    }
}

impl condvar::RawCondvar {
    pub(crate) fn new() -> Self {
        Self { waiting: SpinLock::new(Queue::new()), occupied: AtomicBool::new(false) }
    }
}

impl once::RawOnce {
    pub(crate) fn new() -> Self {
        let state = AtomicU32::new(once::INCOMPLETE);
        Self { state, waiting: SpinLock::new(Queue::new()) }
    }
}

impl semaphore::RawSemaphore {
    pub(crate) fn new(permits: usize) -> Self {
        let state = AtomicUsize::new(permits * semaphore::ONE);
        Self { state, waiting: SpinLock::new(Queue::new()) }
    }
}
