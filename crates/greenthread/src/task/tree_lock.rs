//! The spin lock of a list of scopes. It has no guard: a canceller holds several of them, and gives
//! them back on its way up the tree (`cancel_node`).

use super::{
    atomic::{
        AtomicBool,
        Ordering::{Acquire, Release},
    },
    hint::spin_loop,
};

/// See the module. Whoever locks it sees what the holders before have written.
#[derive(Debug)]
pub(crate) struct TreeLock(AtomicBool);

impl TreeLock {
    pub(crate) fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Locks it. The holder never waits for anything but locks further down the tree, so others
    /// spin, and after a while let other OS threads run.
    pub(crate) fn lock(&self) {
        let mut turns = 0_u32;
        while self.0.swap(true, Acquire) {
            turns += 1;
            if turns.is_multiple_of(64) { std::thread::yield_now() } else { spin_loop() }
        }
    }

    /// Unlocks it. Only the holder calls this.
    pub(crate) fn unlock(&self) {
        self.0.store(false, Release);
    }
}
