//! Promises of stacks to threads that have not started. With them, a spawn that could never get a
//! stack fails at once, as std's does, and not later, when its spawner waits for the thread.
//!
//! `PROMISED` counts the usable bytes of all threads' stacks. Where guards take maps of the process
//! (`sys::memory`), `THREADS` counts the threads too. Each worker takes bytes from the process's
//! count in lumps, so that a spawn doesn't touch a counter that other workers write. A worker
//! publishes its number of threads when it takes or gives back a lump.
//!
//! With each lump the limits are asked of the kernel, as others change them: a program may set its
//! limit of addresses at any time (`ulimit -v`), and the rest of the process takes addresses too.
//! So a promise may still be broken: if the process takes more addresses between the spawn and the
//! start, or if stacks of many sizes leave holes that fit none. Such a thread waits for another
//! one's end (`start`). A limit of memory (cgroups) doesn't limit the promises: the kernel gives
//! memory when it is touched, and ends the process if there is none.

use core::{
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};
use std::{io, time::Duration};

use super::size::with_spare;
use crate::{
    stack,
    sys::{clock::os_now, memory},
};

/// Bytes that are promised at most: half of the addresses of a process on a 64-bit machine with 47
/// bits of user addresses. The other half is for the rest of the process. On a 32-bit machine
/// `memory::address_limit` is what limits the promises.
const MAX_PROMISED: usize = if usize::BITS == 64 { 1 << 46 } else { usize::MAX };
/// Bytes of a lump: 256 stacks of 256 KiB. With smaller lumps a worker asks the kernel more often.
/// Larger ones leave more promises unused in the workers.
const LUMP: usize = 1 << 26;
/// Bytes of a lump under a limit of addresses or maps: other workers lack the promises that one
/// worker has and doesn't use.
const SMALL_LUMP: usize = 1 << 22;
/// Bytes of addresses that are left to the rest of the process, at most; under a small limit it is
/// a thirty-second part of that. With fewer, an allocation may fail when stacks have taken all
/// addresses; with more, fewer threads fit under the limit.
const MAX_SPARE: usize = 16 << 20;
/// How long a spawn is tried again, while its worker is blocked. In a shorter time, on a busy
/// machine, the OS thread that gives a promise back may not get a processor, and the spawn is
/// refused in spite of it. A longer time delays the worker's other threads.
const RETRY_FOR: Duration = Duration::from_millis(5);
/// Lumps that a worker keeps at most. With one, a worker at the limit would take and return lumps
/// with each spawn and end.
const MAX_LUMPS: usize = 2;

static PROMISED: AtomicUsize = AtomicUsize::new(0);
/// Bytes that a worker keeps at most. It gives back what it has beyond.
static MAX_KEPT: AtomicUsize = AtomicUsize::new(MAX_LUMPS * LUMP);
/// The number of threads, as far as workers have published theirs. A thread that one worker spawned
/// and another one ended counts as one too many for the first and one too few for the second, so a
/// worker's number may be negative.
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Promises a stack of `size` bytes to a thread that an OS thread spawns.
pub(crate) fn take(size: usize) -> io::Result<()> {
    take_with_retries(size)?;
    THREADS.fetch_add(1, Relaxed);
    Ok(())
}

/// Takes the promise to such a thread back: the thread was not spawned.
pub(crate) fn give(size: usize) {
    THREADS.fetch_sub(1, Relaxed);
    PROMISED.fetch_sub(size, Relaxed);
}

/// Takes the bytes of a stack, and tries again for `RETRY_FOR` if they are refused: a thread that
/// has just been joined gives its stack back a moment later.
fn take_with_retries(size: usize) -> io::Result<()> {
    let mut result = take_more(size, size);
    // The OS thread is blocked meanwhile: that takes the system's time.
    let begin = os_now();
    while result.is_err() && os_now().duration_since(begin) < RETRY_FOR {
        std::thread::yield_now();
        result = take_more(size, size);
    }
    result
}

/// Takes `bytes` from the process's count, for stacks of `size` bytes.
fn take_more(bytes: usize, size: usize) -> io::Result<()> {
    let enough = |taken: usize| taken.checked_add(bytes).filter(|sum| *sum <= MAX_PROMISED);
    match PROMISED.fetch_update(Relaxed, Relaxed, enough) {
        Ok(taken) => check_limits(taken + bytes, bytes, size).inspect_err(|_| {
            PROMISED.fetch_sub(bytes, Relaxed);
        }),
        Err(taken) => Err(memory::exhausted(format_args!(
            "no address space for a stack of {size} bytes: {taken} bytes are promised to other green threads; \
             use smaller stacks (thread::Builder::stack_size, GREENTHREAD_STACK_SIZE) or fewer threads"
        ))),
    }
}

/// Checks that the process may have stacks of `sum` bytes, of which `bytes` are for new stacks of
/// `size` bytes.
#[cold]
fn check_limits(sum: usize, bytes: usize, size: usize) -> io::Result<()> {
    if memory::guards_take_maps() {
        let threads = THREADS.load(Relaxed).cast_signed().max(0).cast_unsigned();
        if memory::map_limit().is_some_and(|most| threads + bytes / size > most) {
            return Err(stack::no_map(size, threads));
        }
    }
    let Some(limit) = memory::address_limit() else { return Ok(()) };
    let Some(used) = memory::addresses_used() else { return Ok(()) };
    let stride = stack::stride(with_spare(size));
    let (reserved, unusable) = stack::reserved(with_spare(size));
    let spare = (limit / 32).min(MAX_SPARE);
    let room = (limit - spare).saturating_sub(used.saturating_sub(reserved) + unusable);
    // An estimate, as if all stacks had this size.
    let needed = (sum as u128 * stride as u128 / size as u128) as usize;
    if needed > room { Err(stack::no_space(size)) } else { Ok(()) }
}

/// A worker's share of the process's count that it has not promised to a thread yet.
#[derive(Debug)]
pub(crate) struct Credit {
    left: Cell<usize>,
    /// The number of threads that it has published.
    published: Cell<usize>,
}

impl Credit {
    pub(crate) const fn new() -> Self {
        Self { left: Cell::new(0), published: Cell::new(0) }
    }

    /// Promises a stack of `size` bytes. Returns `false` if it needs a [`refill`](Self::refill) for
    /// that.
    #[inline]
    pub(crate) fn take(&self, size: usize) -> bool {
        let Some(left) = self.left.get().checked_sub(size) else { return false };
        self.left.set(left);
        true
    }

    /// Takes a lump and promises a stack of `size` bytes. `alive` is the number of threads of the
    /// worker, including those that have moved to others.
    #[cold]
    pub(crate) fn refill(&self, size: usize, alive: usize) -> io::Result<()> {
        self.publish(alive);
        let scarce = memory::guards_take_maps() || memory::address_limit().is_some();
        let lump = if scarce { SMALL_LUMP } else { LUMP };
        MAX_KEPT.store(MAX_LUMPS * lump, Relaxed);
        // Near the limit a lump is refused, but a single stack may not be.
        match size.checked_add(lump).filter(|sum| take_more(*sum, size).is_ok()) {
            Some(_) => self.left.set(self.left.get() + lump),
            None => take_with_retries(size)?,
        }
        Ok(())
    }

    /// Takes a promise back. Returns `true` if it is time to [`give_back`](Self::give_back) some.
    #[inline]
    pub(crate) fn give(&self, size: usize) -> bool {
        let sum = self.left.get() + size;
        self.left.set(sum);
        sum > MAX_KEPT.load(Relaxed)
    }

    /// Gives bytes back to the process's count, so that one lump is left.
    #[cold]
    pub(crate) fn give_back(&self, alive: usize) {
        let kept = self.left.get().min(MAX_KEPT.load(Relaxed) / MAX_LUMPS);
        PROMISED.fetch_sub(self.left.replace(kept) - kept, Relaxed);
        self.publish(alive);
    }

    /// Publishes the number of threads of the worker.
    pub(crate) fn publish(&self, alive: usize) {
        THREADS.fetch_add(alive.wrapping_sub(self.published.replace(alive)), Relaxed);
    }
}

impl Drop for Credit {
    fn drop(&mut self) {
        PROMISED.fetch_sub(self.left.get(), Relaxed);
    }
}
