//! The door for blocking work: OS threads do it, while the green thread is parked.
//!
//! The pool of a runtime has two lanes, each with threads, a queue and a limit of its own (`lane`),
//! so that however many calls wait for others, no file operation waits behind them:
//!
//! * *Disk*, for calls that the system itself brings to an end soon ([`Pool::run_disk`]). They
//!   queue for the lane's threads. If there is not even one, a call is made on the spot: a green
//!   thread then keeps its worker for as long as the disk takes.
//! * *Blocking*, for calls that may wait for others, who may in turn need a call of this lane to
//!   get that far ([`Pool::run_waiting`], and the user's, [`Pool::run`]). Such a call has a thread
//!   at once, or an error. The user's can't fail; it queues.
//!
//! `call`: what is handed over. `runtime::unblock`: who hands it over.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard},
};

use crate::sys::parker::Parker;

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
    /// Has no thread before the first call. `name` is the runtime's.
    pub(crate) fn new(name: &str, limits: Limits) -> Self {
        let lane = |lane: &str, limit| Lane::new([name.into(), lane.into()], limit);
        Self { disk: lane("disk", limits.disk), blocking: lane("block", limits.blocking) }
    }

    /// Makes a call that the system brings to an end soon, whatever others do.
    pub(crate) fn run_disk<F, T>(&self, f: F) -> T
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        call::submit(&self.disk, true, f).unwrap_or_else(|(f, _)| f())
    }

    /// Makes a call that may wait for others.
    ///
    /// # Errors
    /// There is no OS thread for it. `f` has not run.
    pub(crate) fn run_waiting<F, T>(&self, f: F) -> io::Result<T>
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        call::submit(&self.blocking, false, f).map_err(|(_, why)| why.into())
    }

    /// Runs `f`, the user's. It waits for a thread if need be; if there is none at all, it is run
    /// on the spot.
    pub(crate) fn run<F, T>(&self, f: F) -> T
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        call::submit(&self.blocking, true, f).unwrap_or_else(|(f, _)| f())
    }

    /// The runtime has ended.
    pub(crate) fn close(&self) {
        self.disk.close();
        self.blocking.close();
    }

    /// Of the disk lane, and of that for blocking calls.
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
