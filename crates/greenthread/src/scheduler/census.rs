//! What a runtime knows of its threads if it was asked to: how many may live at a time, and which
//! ones do.
//!
//! A runtime that was not asked pays nothing. A birth and a death look at one flag that they look
//! at anyway (`Shared::has_listeners`).
//!
//! The list of threads is kept from birth to death. What was rejected: to walk each worker's own
//! threads when they are to be cancelled. A worker knows how many threads it has, but a parked one
//! is known only to what will wake it. To link them would cost each start and end some ten
//! instructions, and a line of a neighbour's.
//!
//! Why a wait for a place that can't end is found: each living thread has a place. If as many of
//! the runtime's threads wait for a place as there are places, each place belongs to a thread that
//! waits, so none comes free.

use core::{
    fmt,
    num::NonZeroU64,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};
use std::{
    collections::HashMap,
    io, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    sync::raw::semaphore::RawSemaphore,
    task::{
        block::{BlockRef, Task},
        cancel,
        worker_handle::WorkerHandle,
    },
};

/// See the module.
#[derive(Debug)]
pub(crate) struct Census {
    limit: Option<Limit>,
    roster: Option<Mutex<Roster>>,
}

/// A limit of living threads.
struct Limit {
    most: usize,
    places: RawSemaphore,
    /// How many threads of the runtime wait for a place.
    waiting: AtomicUsize,
}

/// All threads that live.
#[derive(Debug, Default)]
struct Roster {
    threads: HashMap<NonZeroU64, BlockRef>,
    /// How many are about to be born. There is room for them in `threads`.
    expected: usize,
    /// Whether all of them are cancelled, also those that are yet to be born.
    is_cancelled: bool,
}

/// The right to be born, which is given back if it is not used.
#[derive(Debug)]
pub(crate) struct Admission<'a>(&'a Census);

impl Census {
    /// `most` threads may live at a time. They are listed if they shall be `cancellable`.
    pub(crate) fn new(most: Option<usize>, cancellable: bool) -> Self {
        let limit = |most| Limit { most, places: RawSemaphore::new(most), waiting: AtomicUsize::new(0) };
        Self { limit: most.map(limit), roster: cancellable.then(Mutex::default) }
    }

    /// Whether it has to be told of births and deaths.
    pub(super) fn listens(&self) -> bool {
        self.limit.is_some() || self.roster.is_some()
    }

    /// Whether all threads can be cancelled.
    pub(crate) fn is_cancellable(&self) -> bool {
        self.roster.is_some()
    }

    /// How many threads are listed, or are about to be born.
    #[cfg(test)]
    pub(crate) fn listed(&self) -> usize {
        self.roster().map_or(0, |roster| roster.threads.len() + roster.expected)
    }

    fn roster(&self) -> Option<MutexGuard<'_, Roster>> {
        Some(self.roster.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Called before a birth. Waits for a place, at a cancellation point. `is_own` says that the
    /// caller acts for a thread of this runtime.
    ///
    /// # Errors
    /// The wait would never end, or there is no memory.
    pub(super) fn admit(&self, is_own: bool) -> io::Result<Admission<'_>> {
        if let Some(limit) = &self.limit {
            limit.enter(is_own)?;
        }
        if let Some(mut roster) = self.roster() {
            let expected = roster.expected + 1;
            if let Err(error) = roster.threads.try_reserve(expected) {
                drop(roster);
                self.leave();
                return Err(io::Error::new(io::ErrorKind::OutOfMemory, error));
            }
            roster.expected = expected;
        }
        Ok(Admission(self))
    }

    /// Called for a thread that was made, before another one can reach it.
    pub(super) fn born(&self, admission: Admission<'_>, thread: &Task) {
        mem::forget(admission);
        if let Some(mut roster) = self.roster() {
            roster.expected -= 1;
            if roster.is_cancelled {
                cancel::mark(&thread.block);
            }
            // SAFETY: the thread is alive during this call.
            let block = unsafe { BlockRef::share((&thread.block).into()) };
            roster.threads.insert(thread.block.id, block);
        }
    }

    /// Called for a thread that has ended.
    pub(super) fn died(&self, thread: &Task) {
        if let Some(mut roster) = self.roster() {
            roster.threads.remove(&thread.block.id);
        }
        self.leave();
    }

    fn leave(&self) {
        if let Some(limit) = &self.limit {
            limit.places.release(1);
        }
    }

    /// Cancels all threads, if they are listed: those that live, and those that will be born.
    pub(super) fn cancel_all(&self, workers: &[Arc<WorkerHandle<Task>>]) {
        let Some(mut roster) = self.roster() else { return };
        roster.is_cancelled = true;
        let threads: Vec<_> = roster.threads.values().cloned().collect();
        // A worker may wait for the lock before it can read a note.
        drop(roster);
        for thread in threads {
            // SAFETY: it is the block of a task, and these are the workers of its runtime.
            unsafe { cancel::cancel_thread(&thread, || workers.iter().cloned()) };
        }
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        if let Some(mut roster) = self.0.roster() {
            roster.expected -= 1;
        }
        self.0.leave();
    }
}

impl Limit {
    fn enter(&self, is_own: bool) -> io::Result<()> {
        struct Waiting<'a>(&'a Limit);
        impl Drop for Waiting<'_> {
            fn drop(&mut self) {
                self.0.waiting.fetch_sub(1, Relaxed);
            }
        }
        if self.places.try_acquire(1) {
            return Ok(());
        }
        let _waiting = is_own.then(|| Waiting(self));
        if is_own && self.waiting.fetch_add(1, Relaxed) + 1 >= self.most {
            return Err(self.refusal());
        }
        self.places.acquire_until(1, None);
        Ok(())
    }

    #[cold]
    fn refusal(&self) -> io::Error {
        let message = format!(
            "the runtime may have {} green threads (RuntimeBuilder::max_threads, GREENTHREAD_MAX_THREADS), and each of \
             them waits to spawn another one; raise the limit, or limit a scope (cancel::Scope::set_limit) and spawn \
             from outside of it",
            self.most
        );
        io::Error::new(io::ErrorKind::QuotaExceeded, message)
    }
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limit").field("most", &self.most).finish_non_exhaustive()
    }
}
