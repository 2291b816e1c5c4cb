//! What waiting and ended threads take of memory, and what becomes of a spawn that gets none.
//!
//! Each test runs in a process of its own: the allocator, the memory and the OS threads are the
//! process's.

mod channels;
#[path = "../common/mod.rs"]
mod common;
mod given_back;
mod refused;
mod threads;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use common::{child, is_child, text};

/// The system's allocator, which counts, and refuses what a test says.
struct Watched;

thread_local! {
    /// How often this OS thread has allocated.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    /// Whether this OS thread is refused all memory.
    static REFUSES: Cell<bool> = const { Cell::new(false) };
}

// SAFETY: the system's allocator does it all, or there is no memory.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if REFUSES.get() || threads::is_refused(layout) {
            return std::ptr::null_mut();
        }
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        threads::count(layout, 1);
        // SAFETY: passed on from the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        threads::count(layout, -1);
        // SAFETY: passed on from the caller; all that was ever given is the system's.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watched = Watched;

/// Runs the rest of a test in a process of its own.
fn alone(test: impl FnOnce()) {
    if is_child() {
        return test();
    }
    let out = child(|_| {});
    assert!(out.status.success(), "{}", text(&out));
}
