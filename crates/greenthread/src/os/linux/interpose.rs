//! What the crate `greenthread-foreign` needs to make calls of the C library park a green thread.
//! It is not part of the public interface.
//!
//! Nothing here is a cancellation point: the callers are functions of C, which can't be unwound.

use std::{
    cell::Cell,
    io,
    os::fd::BorrowedFd,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Instant,
};

use crate::{
    cancel,
    driver::{CallResult, Interest, Registration, Source},
    runtime,
    sys::io::duplicate,
    task::{
        coop::{CALL, consume_budget},
        wait::{Outcome, Reason, Waiter},
        worker_core,
    },
};

/// Whether the caller is a green thread with thread-locals of its own, and may be suspended.
#[must_use]
pub fn may_park() -> bool {
    worker_core::current().is_some_and(|(core, _)| core.has_own_tls())
}

/// As [`may_park`], at the beginning of a call: other threads run first if the caller has made many
/// calls that did not wait.
#[must_use]
pub fn begin_call() -> bool {
    let may_park = may_park();
    if may_park {
        consume_budget(CALL);
    }
    may_park
}

/// Lets other threads run.
pub fn yield_now() {
    if let Some((core, task)) = worker_core::current() {
        core.yield_now(task);
    }
}

/// Runs `f` on an OS thread of the blocking pool.
pub fn run_elsewhere<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    cancel::shield(|| runtime::unblock(f))
}

/// One wait of one thread.
#[derive(Debug)]
pub struct Wait(Waiter);

impl Wait {
    /// A wait that has not begun.
    #[allow(clippy::new_without_default, reason = "it is used once")]
    #[must_use]
    pub fn new() -> Self {
        Self(Waiter::new())
    }

    /// Waits. Returns `false` if the deadline has passed. To be called once, by the thread that
    /// made it.
    pub fn wait(&self, deadline: Option<Instant>) -> bool {
        self.0.wait(Reason::Blocking, deadline)
    }

    /// Ends the wait. Returns `false` if it had ended.
    ///
    /// # Safety
    /// It is alive during this call: its thread does not drop it after a timeout meanwhile.
    pub unsafe fn wake(this: *const Self) -> bool {
        // SAFETY: the caller vouches for it.
        unsafe { Waiter::wake(&raw const (*this).0) }
    }
}

/// A direction of a descriptor.
#[derive(Clone, Copy, Debug)]
pub enum Direction {
    /// Reading.
    Read,
    /// Writing.
    Write,
}

/// How the wait for a descriptor has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The call may succeed now.
    Ready,
    /// The deadline has passed.
    TimedOut,
    /// The thread is cancelled.
    Cancelled,
    /// The descriptor was closed.
    Closed,
}

/// One thread's waits for a descriptor, of which it has a duplicate.
#[derive(Debug)]
pub struct Watch {
    source: Source,
    registration: OnceLock<Registration>,
    is_closed: AtomicBool,
    has_waited: Cell<bool>,
}

// SAFETY: only `close` is called by other threads, and it uses what is atomic.
unsafe impl Sync for Watch {}

impl Watch {
    /// Begins to watch a descriptor.
    ///
    /// # Errors
    /// If no descriptor is left.
    pub fn new(fd: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(Self {
            source: Source::new(duplicate(fd)?),
            registration: OnceLock::new(),
            is_closed: AtomicBool::new(false),
            has_waited: Cell::new(false),
        })
    }

    /// Waits, after a call that would have blocked. To be called right after that call, by a thread
    /// that [`may_park`].
    ///
    /// # Errors
    /// If the descriptor can't be waited for, as that of a file.
    pub fn wait(&self, direction: Direction, deadline: Option<Instant>) -> io::Result<End> {
        let Some(driver) = runtime::driver() else { return Ok(End::Ready) };
        let interest = match direction {
            Direction::Read => Interest::Read,
            Direction::Write => Interest::Write,
        };
        if self.registration.get().is_none() {
            let registration = driver.registration(&self.source)?;
            self.registration.get_or_init(|| registration);
        }
        if self.is_closed.load(SeqCst) {
            return Ok(End::Closed);
        }
        let mut turn = driver.turn(&self.source, interest);
        if self.has_waited.replace(true) {
            turn.record(CallResult::Blocked);
        }
        let outcome = turn.wait(deadline)?;
        if self.is_closed.load(SeqCst) {
            return Ok(End::Closed);
        }
        Ok(match outcome {
            Outcome::Woken => End::Ready,
            Outcome::TimedOut => End::TimedOut,
            Outcome::Cancelled => End::Cancelled,
        })
    }

    /// Ends the wait, and all later ones. Any thread may call it.
    pub fn close(&self) {
        self.is_closed.store(true, SeqCst);
        if let Some(registration) = self.registration.get() {
            registration.force_ready();
        }
    }
}
