//! Reports: texts that the library writes to standard error, for the panic hook, the watchdog and
//! starvation.
//!
//! A report is one piece of text. The calling thread writes it by one system call if that does not
//! block. Otherwise an OS thread writes it, which lives until all reports are written. So a
//! standard error that nobody reads stops neither a worker nor the watchdog, and two reports are
//! never mixed. std's lock of standard error is not taken, since a parked green thread may hold it.
//!
//! Invariants:
//! 1. The waiter of a queued report, if it has one, is alive until the writer wakes it, which it
//!    does once.
//! 2. At most one OS thread writes queued reports: the one for which `writing` was set. No thread
//!    blocks while it holds the queue's lock.

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

// SAFETY: a waiter may be woken from any OS thread, and is alive until then (invariant 1).
unsafe impl Send for Report {}

pub(crate) struct Queue {
    /// The generation of the process to which it belongs (`sys::process`).
    generation: u32,
    writing: bool,
    reports: VecDeque<Report>,
}

pub(crate) static QUEUE: ForkMutex<Queue> =
    ForkMutex::new(Queue { generation: 0, writing: false, reports: VecDeque::new() });

/// The number of queued reports from which on further ones are dropped, unless a thread waits for
/// them. So many are queued only if nobody reads them.
const MAX_QUEUED: usize = 64;

fn queue() -> MutexGuard<'static, Queue> {
    let mut queue = QUEUE.lock();
    let generation = process::generation();
    if queue.generation != generation {
        // A forked child has no writer, and the queued reports are written by its parent.
        *queue = Queue { generation, writing: false, reports: VecDeque::new() };
    }
    queue
}

/// Writes a report, and waits until it is written. If the caller is a green thread, its siblings go
/// on meanwhile.
pub(crate) fn write(text: String) {
    let waiter = Waiter::new();
    if put(Report { text, waiter: &raw const waiter }) {
        waiter.wait(Reason::Blocking, None);
    }
}

/// Writes a report, or queues it, and doesn't wait.
pub(crate) fn send(text: String) {
    put(Report { text, waiter: ptr::null() });
}

/// Writes a report at once, or queues it. Returns whether it was queued.
fn put(report: Report) -> bool {
    let mut queue = queue();
    if !queue.writing && report.text.len() <= ATOMIC {
        let count = stderr::write_now(report.text.as_bytes());
        if count == report.text.len() {
            return false;
        }
    }
    if report.waiter.is_null() && queue.reports.len() >= MAX_QUEUED {
        return false;
    }
    queue.reports.push_back(report);
    let start = !std::mem::replace(&mut queue.writing, true);
    drop(queue);
    if start && OsThread::spawn("greenthread-report", Box::new(write_queued)).is_err() {
        // There is no OS thread to write it, so the caller does.
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
            // SAFETY: the waiter is alive, and is woken once (invariant 1).
            unsafe { Waiter::wake(report.waiter) };
        }
    }
}
