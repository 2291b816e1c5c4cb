//! A waker by hand: a pointer, and a table of what can be done with it.
//!
//! What the safety rests on:
//!
//! 1. The pointer of each waker is from `Arc::into_raw`, and the waker owns one of its counts.
//! 2. A `Thread` is `Send` and `Sync`: any OS thread may call the functions.

use std::sync::Arc;
use std::task::{RawWaker, RawWakerVTable, Waker};
use std::thread::{self, Thread};

static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_it);

fn waker(sleeper: Thread) -> Waker {
    let pointer = Arc::into_raw(Arc::new(sleeper));
    // SAFETY: Invariants 1 and 2.
    unsafe { Waker::new(pointer.cast(), &TABLE) }
}

unsafe fn clone(pointer: *const ()) -> RawWaker {
    println!("clone");
    // SAFETY: Invariant 1. The new count is the new waker's.
    unsafe { Arc::increment_strong_count(pointer.cast::<Thread>()) };
    RawWaker::new(pointer, &TABLE)
}

/// Wakes, and ends this waker.
unsafe fn wake(pointer: *const ()) {
    println!("wake");
    // SAFETY: Invariant 1. The count goes back into an `Arc`, which drops it.
    unsafe { Arc::from_raw(pointer.cast::<Thread>()) }.unpark();
}

unsafe fn wake_by_ref(pointer: *const ()) {
    println!("wake by reference");
    // SAFETY: Invariant 1: it is there as long as the waker is.
    unsafe { &*pointer.cast::<Thread>() }.unpark();
}

unsafe fn drop_it(pointer: *const ()) {
    println!("drop");
    // SAFETY: As in `wake`.
    drop(unsafe { Arc::from_raw(pointer.cast::<Thread>()) });
}

fn main() {
    let waker = waker(thread::current());
    let theirs = waker.clone();
    thread::spawn(move || theirs.wake());
    thread::park();
    println!("awake");
}
