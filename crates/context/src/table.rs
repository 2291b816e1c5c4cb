//! The tables of stacks that builds for a sanitizer have.
//!
//! A child that was forked while another OS thread used a table would wait for that thread for
//! ever. So a fork waits until nobody uses the table.

use core::{
    cell::UnsafeCell,
    sync::atomic::{AtomicBool, Ordering},
};
use std::{collections::BTreeMap, sync::Once, thread};

// Invariants:
// - TB1 `stacks` is used only by the OS thread that has set `is_locked`, until it clears it.

/// Something for each stack, by the address where the stack ends.
pub(crate) struct Table<T> {
    is_locked: AtomicBool,
    stacks: UnsafeCell<BTreeMap<usize, T>>,
}

// SAFETY: TB1, and the values may go from one OS thread to another.
unsafe impl<T: Send> Sync for Table<T> {}

unsafe extern "C" {
    fn pthread_atfork(before: extern "C" fn(), parent: extern "C" fn(), child: extern "C" fn()) -> i32;
}

impl<T> Table<T> {
    pub(crate) const fn new() -> Self {
        Self { is_locked: AtomicBool::new(false), stacks: UnsafeCell::new(BTreeMap::new()) }
    }

    /// Calls `f`, which doesn't panic, with the table.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut BTreeMap<usize, T>) -> R) -> R {
        self.lock();
        // SAFETY: TB1.
        let result = f(unsafe { &mut *self.stacks.get() });
        self.unlock();
        result
    }

    /// Keeps the table for the calling OS thread.
    pub(crate) fn lock(&self) {
        while self.is_locked.swap(true, Ordering::Acquire) {
            thread::yield_now();
        }
    }

    /// Ends what `lock` has begun; in a forked child, what its parent's `lock` has.
    pub(crate) fn unlock(&self) {
        self.is_locked.store(false, Ordering::Release);
    }
}

/// Has `before` called before each fork, and `after` after it, in the parent and in the child.
pub(crate) fn at_forks(before: extern "C" fn(), after: extern "C" fn()) {
    static ONCE: Once = Once::new();
    // SAFETY: the functions may be called at any time. If there is no memory for the entry, forks
    // are as they would be without it.
    ONCE.call_once(|| _ = unsafe { pthread_atfork(before, after, after) });
}
