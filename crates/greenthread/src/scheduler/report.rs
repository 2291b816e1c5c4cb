//! The library's own voice: what it writes to the standard error, for panics and for the watchdog.
//!
//! A report is one piece of text. It is written by one call if that can be done at once; otherwise
//! by an OS thread, which lives until all reports are written. So a standard error that nobody
//! reads stops neither a worker nor the watchdog, and two reports are never mixed. std's lock of
//! its standard error is not taken: a parked green thread may hold it.
//!
//! Invariants:
//! 1. A queued report's waiter, if it has one, stays where it is until it is woken, which the
//!    writer does once.
//! 2. At most one OS thread writes: the one that has set `writing`. Nobody blocks while the queue
//!    is locked.

use std::{collections::VecDeque, ptr, sync::MutexGuard};

use crate::{
    sys::{
        process::{self, ForkMutex},
        stderr::{self, ATOMIC},
        thread::OsThread,
    },
    task::wait::{Reason, Waiter},
};

struct Report {
    text: String,
    /// The thread that waits until the report is written; null if none does.
    waiter: *const Waiter,
}

// SAFETY: a waiter may be woken from anywhere, and is there until then (invariant 1).
unsafe impl Send for Report {}

pub(crate) struct Queue {
    /// The process that it is of (`sys::process`).
    generation: u32,
    writing: bool,
    reports: VecDeque<Report>,
}

pub(crate) static QUEUE: ForkMutex<Queue> =
    ForkMutex::new(Queue { generation: 0, writing: false, reports: VecDeque::new() });

/// More reports than these are dropped, if nobody waits for them: they are not read.
const MOST: usize = 64;

fn queue() -> MutexGuard<'static, Queue> {
    let mut queue = QUEUE.lock();
    let generation = process::generation();
    if queue.generation != generation {
        // In a forked child there is no writer, and the parent's reports are the parent's.
        *queue = Queue { generation, writing: false, reports: VecDeque::new() };
    }
    queue
}

/// Writes a report, and waits until that is done; a green thread's siblings go on meanwhile.
pub(crate) fn write(text: String) {
    let waiter = Waiter::new();
    if put(Report { text, waiter: &raw const waiter }) {
        waiter.wait(Reason::Blocking, None);
    }
}

/// Has a report written, and doesn't wait.
pub(crate) fn send(text: String) {
    put(Report { text, waiter: ptr::null() });
}

/// Whether it has been queued.
fn put(report: Report) -> bool {
    let mut queue = queue();
    if !queue.writing && report.text.len() <= ATOMIC {
        let count = stderr::write_now(report.text.as_bytes());
        if count == report.text.len() {
            return false;
        }
    }
    if report.waiter.is_null() && queue.reports.len() >= MOST {
        return false;
    }
    queue.reports.push_back(report);
    let start = !std::mem::replace(&mut queue.writing, true);
    drop(queue);
    if start && OsThread::spawn("greenthread-report", Box::new(write_queued)).is_err() {
        // There is no other thread to do it.
        write_queued();
    }
    true
}

fn write_queued() {
    loop {
        let mut queue = queue();
        let Some(report) = queue.reports.pop_front() else {
            queue.writing = false;
            return;
        };
        drop(queue);
        stderr::write_all(report.text.as_bytes());
        if !report.waiter.is_null() {
            // SAFETY: still there, and woken once (invariant 1).
            unsafe { Waiter::wake(report.waiter) };
        }
    }
}
