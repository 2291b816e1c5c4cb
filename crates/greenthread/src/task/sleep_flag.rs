//! Whether a worker sleeps, and the handshake that never loses a wake-up.
//!
//! ```text
//!   worker, before it sleeps           anyone with something for it
//!   ------------------------           ----------------------------
//!   flag := ASLEEP                     put the thing where the worker looks
//!   fence                              fence
//!   look once more at everything       if flag = ASLEEP, and I change it to AWAKE:
//!   sleep in the driver                    wake the driver
//!   flag := AWAKE
//! ```
//!
//! Of two sequentially consistent fences one comes first. If it is the worker's, the other side
//! sees ASLEEP and wakes it; if the other side's, the worker's last look sees the thing. Both may
//! happen; never neither. Only one of many wakers changes the flag, so a sleep costs at most one
//! system call to end. A wake-up for a worker that has changed its mind stays in its driver, and
//! makes its next sleep return at once: harmless.

use super::atomic::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
    fence,
};

const AWAKE: u32 = 0;
const ASLEEP: u32 = 1;
/// Woken in order to search: the worker counts among the searchers from the wake-up on
/// (`scheduler::idle`).
const WOKEN_TO_SEARCH: u32 = 2;

/// One worker's flag.
#[derive(Debug)]
pub(crate) struct SleepFlag(AtomicU32);

impl SleepFlag {
    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(AWAKE))
    }

    /// The worker is about to sleep. Between this and its sleep it must look once more at
    /// everything.
    pub(crate) fn prepare(&self) {
        self.0.store(ASLEEP, Relaxed);
        fence(SeqCst);
    }

    /// The worker is awake again, or has not slept after all. Returns `true` if it was woken to
    /// search.
    pub(crate) fn finish(&self) -> bool {
        self.0.swap(AWAKE, Acquire) == WOKEN_TO_SEARCH
    }

    /// Anyone calls it, after writing what the worker shall see. Returns `true` if the caller must
    /// wake the worker's driver.
    pub(crate) fn notify(&self) -> bool {
        fence(SeqCst);
        self.0.load(Relaxed) == ASLEEP && self.0.compare_exchange(ASLEEP, AWAKE, Release, Relaxed).is_ok()
    }

    /// As `notify`, but the worker shall search. The caller has made its fence and counted the
    /// worker as a searcher.
    pub(crate) fn wake_to_search(&self) -> bool {
        self.0.compare_exchange(ASLEEP, WOKEN_TO_SEARCH, Release, Relaxed).is_ok()
    }

    /// Whether the worker sleeps. A hint; after a fence the answer is no older than the fence, as
    /// in the module's table.
    pub(crate) fn is_asleep(&self) -> bool {
        self.0.load(Relaxed) == ASLEEP
    }

    /// Whether the worker sleeps, or was woken to search and is not yet awake. A hint.
    pub(crate) fn is_away(&self) -> bool {
        self.0.load(Relaxed) != AWAKE
    }
}
