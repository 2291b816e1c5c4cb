//! Its locks. What isn't the library's own stands in for what can't run here: see `locks`.

use crate::{
    atomic::{self, AtomicBool, AtomicU32, AtomicUsize, Ordering::Relaxed},
    locks::{patience, short},
};

pub(crate) mod chan;
#[path = "../../../greenthread/src/task/queue.rs"]
pub(crate) mod queue;
#[path = "../../../greenthread/src/sync/raw_condvar.rs"]
pub(crate) mod raw_condvar;
#[path = "../../../greenthread/src/sync/raw_mutex.rs"]
pub(crate) mod raw_mutex;
#[path = "../../../greenthread/src/sync/raw_once.rs"]
pub(crate) mod raw_once;
#[path = "../../../greenthread/src/sync/raw_rwlock.rs"]
pub(crate) mod raw_rwlock;
#[path = "../../../greenthread/src/sync/raw_semaphore.rs"]
pub(crate) mod raw_semaphore;

use queue::Queue;
use short::ShortLock;

impl raw_mutex::RawMutex {
    pub(crate) fn new() -> Self {
        let waiting = raw_mutex::Waiting { queue: Queue::new(), tickets: 0, skipped: 0 };
        Self { state: AtomicUsize::new(0), waiting: ShortLock::new(waiting) }
    }
}

impl raw_rwlock::RawRwLock {
    pub(crate) fn new() -> Self {
        let waiting = raw_rwlock::Waiting { readers: Queue::new(), writers: Queue::new(), skipped: 0 };
        Self { state: AtomicUsize::new(0), waiting: ShortLock::new(waiting) }
    }

    /// Whether it is free, and nothing is left of those who were in line.
    pub(crate) fn is_clean(&self) -> bool {
        self.state.load(Relaxed) == 0
    }
}

impl raw_condvar::RawCondvar {
    pub(crate) fn new() -> Self {
        Self { waiting: ShortLock::new(Queue::new()), occupied: AtomicBool::new(false) }
    }
}

impl raw_once::RawOnce {
    pub(crate) fn new() -> Self {
        let state = AtomicU32::new(raw_once::INCOMPLETE);
        Self { state, waiting: ShortLock::new(Queue::new()) }
    }
}

impl raw_semaphore::RawSemaphore {
    pub(crate) fn new(permits: usize) -> Self {
        let state = AtomicUsize::new(permits * raw_semaphore::ONE);
        Self { state, waiting: ShortLock::new(Queue::new()) }
    }
}
