//! Blocking calls: OS threads make them, while the green thread is parked.
//!
//! The pool of a runtime has two lanes, each with threads, a queue and a limit of its own (`lane`).
//! So no file operation waits behind calls that wait for other threads or processes:
//!
//! * *Disk*, for calls that the system itself ends soon ([`Pool::run_disk`]). They queue for the
//!   lane's threads. If the lane has no thread and can't start one, the calling thread makes the
//!   call itself, and a green thread then keeps its worker for as long as the disk takes.
//! * *Blocking*, for calls that may wait for other threads or processes. Those may themselves need
//!   a call of this lane first, so a call of the library gets a thread at once, or an error
//!   ([`Pool::run_waiting`], and [`Pool::run_interruptible`] if it can be cancelled). A closure of
//!   the user can't fail, so it queues ([`Pool::run`]).
//!
//! `call` is what a lane gets: a closure and a place for its result. `runtime::unblock` calls the
//! pool.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard},
};

use crate::sys::{interrupt::Interruptible, parker::Parker};

mod call;
mod lane;

pub(crate) use lane::Figures;
use lane::{Lane, Refusal};

/// The lanes of one runtime.
#[derive(Debug)]
pub(crate) struct Pool {
    disk: Arc<Lane<call::Job>>,
    blocking: Arc<Lane<call::Job>>,
}

/// How many OS threads each lane may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) disk: usize,
    pub(crate) blocking: usize,
}

impl Pool {
    /// A pool without threads. It starts them when calls come. `name` is the runtime's name.
    pub(crate) fn new(name: &str, limits: Limits) -> Self {
        let lane = |lane: &str, limit| Lane::new([name.into(), lane.into()], limit);
        Self { disk: lane("disk", limits.disk), blocking: lane("block", limits.blocking) }
    }

    /// Makes a call that the system ends soon, and that waits for no other thread or process.
    pub(crate) fn run_disk<F, T>(&self, f: F) -> T
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        call::submit(&self.disk, true, None, f).unwrap_or_else(|(f, _)| f())
    }

    /// Makes a call that may wait for other threads or processes.
    ///
    /// # Errors
    /// There is no OS thread for it. `f` has not run.
    pub(crate) fn run_waiting<F, T>(&self, f: F) -> io::Result<T>
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        call::submit(&self.blocking, false, None, f).map_err(|(_, why)| why.into())
    }

    /// As `run_waiting`. What the closure calls by its argument is interrupted if the caller is
    /// cancelled.
    ///
    /// # Errors
    /// There is no OS thread for it. `f` has not run.
    pub(crate) fn run_interruptible<F, T>(&self, f: &mut F) -> io::Result<T>
    where
        F: FnMut(&Interruptible) -> T + Send,
        T: Send,
    {
        let call = Interruptible::new();
        let interrupt = Interruptible::POSSIBLE.then_some(&call);
        call::submit(&self.blocking, false, interrupt, || f(&call)).map_err(|(_, why)| why.into())
    }

    /// Runs a closure of the user. It queues if no thread is free. If the lane has no thread and
    /// can't start one, the caller runs it.
    pub(crate) fn run<F, T>(&self, f: F) -> T
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        call::submit(&self.blocking, true, None, f).unwrap_or_else(|(f, _)| f())
    }

    /// Called when the runtime has ended: the threads end.
    pub(crate) fn close(&self) {
        self.disk.close();
        self.blocking.close();
    }

    /// The figures of the disk lane, and of the blocking lane.
    pub(crate) fn figures(&self) -> [Figures; 2] {
        [self.disk.figures(), self.blocking.figures()]
    }
}

impl From<Refusal> for io::Error {
    fn from(why: Refusal) -> Self {
        let message = match why {
            Refusal::Limit(limit) => format!(
                "no OS thread for a blocking call: all {limit} are in use by calls that wait for others; raise the limit \
                 (RuntimeBuilder::blocking_threads, GREENTHREAD_BLOCKING_THREADS)"
            ),
            Refusal::System(error) => {
                let error = error
                    .map_or_else(|| "unknown error".into(), |raw| Self::from_raw_os_error(raw).to_string());
                format!(
                    "no OS thread for a blocking call: {error}; raise the limit on the user's processes (RLIMIT_NPROC, \
                     ulimit -u), pids.max of the control group, or the limit of the process's memory"
                )
            }
            Refusal::Memory => return io::ErrorKind::OutOfMemory.into(),
        };
        Self::new(io::ErrorKind::QuotaExceeded, message)
    }
}
