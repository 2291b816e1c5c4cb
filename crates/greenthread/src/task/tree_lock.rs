//! The spin lock of a list of scopes. It has no guard: a canceller holds several of them, and gives
//! them back on its way up the tree (`cancel_node`).

use super::{
    atomic::{
        AtomicU32,
        Ordering::{Acquire, Release},
    },
    hint::spin_loop,
};
use crate::sys::process::generation;

const FREE: u32 = 0;

/// See the module. Whoever locks it sees what the holders before have written. It holds a number of
/// the holder's process: a holder that has not come along in a fork does not unlock it.
#[derive(Debug)]
pub(crate) struct TreeLock(AtomicU32);

impl TreeLock {
    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(FREE))
    }

    /// Locks it. The holder never waits for anything but locks further down the tree, so others
    /// spin, and after a while let other OS threads run.
    pub(crate) fn lock(&self) {
        let held = generation().wrapping_add(1);
        let mut turns = 0_u32;
        while self.0.swap(held, Acquire) == held {
            turns += 1;
            if turns.is_multiple_of(64) { std::thread::yield_now() } else { spin_loop() }
        }
    }

    /// Unlocks it. Only the holder calls this.
    pub(crate) fn unlock(&self) {
        self.0.store(FREE, Release);
    }
}
