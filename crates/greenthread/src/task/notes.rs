//! How a canceller has a green thread's worker look at the thread: a note.
//!
//! ```text
//!   canceller                          the thread, and its worker
//!   ---------                          --------------------------
//!   cancel the scope                   thread: look whether it is cancelled
//!   NOTED := true                      thread: park
//!   if it was not true before:         worker: take the note
//!       leave a note, wake the worker  worker: NOTED := false
//!                                      worker: look whether it is cancelled
//! ```
//!
//! The thread and its worker are one OS thread, so one follows the other. If the worker takes the
//! note after the thread has parked, it interrupts the thread. If before, the thread looks later,
//! and sees what was written before the note.
//!
//! NOTED saves notes. A canceller that finds it true leaves none: a note that was left before has
//! not been taken, or the worker has yet to set NOTED to false, and looks after that. The canceller
//! releases by its access to NOTED, and the worker acquires by its own. So the worker then sees
//! what was cancelled before.
//!
//! A thread that is cancelled by its handle is REQUESTED, once and for good. That has a note of its
//! own, for each worker that the thread may be on. The lock of the notes orders that mark, and all
//! else that was written before a note. The flag beside the lock is a hint; before the worker
//! sleeps, the handshake of `sleep_flag` makes it certain.

use core::ptr::NonNull;
use std::sync::PoisonError;

use super::{
    Mutex,
    atomic::{
        AtomicBool, AtomicU8,
        Ordering::{Acquire, Relaxed, Release},
    },
};

/// In `Block::cancel`: the thread was cancelled by its handle.
pub(crate) const REQUESTED: u8 = 2;
/// In `Block::cancel`: the thread's worker has a note of a scope that is not taken yet.
const NOTED: u8 = 4;

/// Marks a thread as cancelled by its handle. Returns whether it was not.
pub(crate) fn request(marks: &AtomicU8) -> bool {
    marks.fetch_or(REQUESTED, Relaxed) & REQUESTED == 0
}

/// A scope of the thread was cancelled: returns whether the caller has to leave a note.
pub(crate) fn must_note(marks: &AtomicU8) -> bool {
    marks.fetch_or(NOTED, Release) & NOTED == 0
}

/// The worker has taken the note of a scope, and is about to look.
pub(crate) fn note_taken(marks: &AtomicU8) {
    marks.fetch_and(!NOTED, Acquire);
}

/// A worker's notes.
#[derive(Debug)]
pub(crate) struct Notes<T> {
    list: Mutex<Vec<Noted<T>>>,
    is_empty: AtomicBool,
}

/// A thread that shall look whether it is cancelled. It owns a counted reference to the thread's
/// task.
#[derive(Debug)]
pub(crate) struct Noted<T> {
    pub(crate) task: NonNull<T>,
    /// Whether it was cancelled by its handle, so that the threads of its scopes are, too.
    pub(crate) by_handle: bool,
    release: unsafe fn(NonNull<T>),
}

// SAFETY: the task is handed on from the canceller to the worker, and its reference with it. Such
// references may be given back on any OS thread.
unsafe impl<T> Send for Noted<T> {}

impl<T> Noted<T> {
    /// # Safety
    /// The caller owns a counted reference to the task, gives it away, and `release` gives it back.
    pub(crate) unsafe fn new(task: NonNull<T>, by_handle: bool, release: unsafe fn(NonNull<T>)) -> Self {
        Self { task, by_handle, release }
    }
}

impl<T> Drop for Noted<T> {
    fn drop(&mut self) {
        // SAFETY: the reference is owned, and given back once.
        unsafe { (self.release)(self.task) };
    }
}

impl<T> Notes<T> {
    pub(crate) fn new() -> Self {
        Self { list: Mutex::new(Vec::new()), is_empty: AtomicBool::new(true) }
    }

    /// Leaves a note. The caller wakes the worker. If there is no memory for the note, waits until
    /// the worker has taken others.
    pub(crate) fn leave(&self, note: Noted<T>) {
        loop {
            let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
            if list.try_reserve(1).is_ok() {
                list.push(note);
                self.is_empty.store(false, Relaxed);
                return;
            }
            drop(list);
            std::thread::yield_now();
        }
    }

    /// Whether there is no note.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.is_empty.load(Relaxed)
    }

    /// Takes a note out.
    pub(crate) fn take(&self) -> Option<Noted<T>> {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let note = list.pop();
        self.is_empty.store(list.is_empty(), Relaxed);
        note
    }
}
