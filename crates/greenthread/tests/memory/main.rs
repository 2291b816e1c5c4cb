//! The memory that waiting and ended threads take, and the result of a spawn that gets none.
//!
//! Each test runs in a process of its own, since the allocator, the memory and the OS threads
//! belong to the process.

#![cfg_attr(windows, allow(dead_code, unused_imports, reason = "some tests are for Unix"))]

mod channels;
#[path = "../common/mod.rs"]
mod common;
#[cfg(target_os = "linux")]
mod given_back;
mod refused;
mod threads;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use common::{child, is_child, text};

/// The system's allocator, with counts, and refusals that a test sets.
struct Watched;

thread_local! {
    /// How often this OS thread has allocated.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    /// Whether this OS thread is refused all memory.
    static REFUSES: Cell<bool> = const { Cell::new(false) };
}

// SAFETY: each call is passed on to the system's allocator, or is refused.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if REFUSES.get() || threads::is_refused(layout) {
            return std::ptr::null_mut();
        }
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        threads::count(layout, 1);
        // SAFETY: `System.alloc` has the contract of this function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        threads::count(layout, -1);
        // SAFETY: `System.dealloc` has the contract of this function, and all memory came from
        // `System.alloc`.
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
