//! Stacks promised to threads that have not started: a count, so that a spawn that can't ever be honoured fails at once, as
//! std's does, and not long after, when its spawner waits for it.
//!
//! What is counted is the usable bytes of all threads' stacks, and where guards take maps of the process (`sys::memory`), the
//! threads. Each worker takes bytes from the process's count in lumps, so that spawning does not meet the other workers
//! here; it tells the process how many threads it has when it takes or gives back a lump.
//!
//! What is there is asked of the kernel with each lump, since it is others' too: the limit of addresses may be set at any
//! time (`ulimit -v`), and the rest of the process takes some. So a promise may still be broken, where that takes more between
//! the spawn and the start, or stacks of many sizes leave addresses that fit none: such a thread waits for another one's
//! end (`start`). Limits of memory (cgroups) are no limits of promises: the kernel gives memory as it is touched, and ends the
//! process if there is none.

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

/// Half of what a process has on a 64-bit machine with 47 bits of user addresses.
const MOST: usize = 1 << 46;
/// Some hundred stacks: what is asked of the kernel is asked seldom.
const LUMP: usize = 1 << 26;
/// Where there is a nearer limit: what one worker has and does not use, others lack.
const SCARCE_LUMP: usize = 1 << 22;
/// So many bytes of addresses are left to the rest of the process, or a part of what there is.
const MOST_SPARE: usize = 16 << 20;
/// For how long a spawn is tried again: the worker waits. Shorter, and on a busy machine a thread is
/// refused whose place has just come free: who gives it back had no processor meanwhile.
const INSISTS_FOR: Duration = Duration::from_millis(5);
/// A worker has at most so many lumps.
const LUMPS: usize = 2;

static TAKEN: AtomicUsize = AtomicUsize::new(0);
/// A worker that has more than this gives some back.
static KEPT: AtomicUsize = AtomicUsize::new(LUMPS * LUMP);
/// How many threads there are, as far as the workers have told. What is spawned here and ends there is too much here, and
/// less than nothing there.
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Promises a stack of `size` bytes to a thread that an OS thread spawns.
pub(crate) fn take(size: usize) -> io::Result<()> {
    insist(size)?;
    THREADS.fetch_add(1, Relaxed);
    Ok(())
}

/// Takes it back: there is no such thread.
pub(crate) fn give(size: usize) {
    THREADS.fetch_sub(1, Relaxed);
    TAKEN.fetch_sub(size, Relaxed);
}

/// Takes a stack of `size` bytes, or is refused for good: who has just been joined gives its stack back a moment later.
fn insist(size: usize) -> io::Result<()> {
    let mut result = take_more(size, size);
    // The OS thread is blocked meanwhile: that takes the system's time.
    let begin = os_now();
    while result.is_err() && os_now().duration_since(begin) < INSISTS_FOR {
        std::thread::yield_now();
        result = take_more(size, size);
    }
    result
}

/// Takes `bytes` of the process's address space, for stacks of `size` bytes.
fn take_more(bytes: usize, size: usize) -> io::Result<()> {
    let enough = |taken: usize| taken.checked_add(bytes).filter(|sum| *sum <= MOST);
    match TAKEN.fetch_update(Relaxed, Relaxed, enough) {
        Ok(taken) => look(taken + bytes, bytes, size).inspect_err(|_| {
            TAKEN.fetch_sub(bytes, Relaxed);
        }),
        Err(taken) => Err(memory::exhausted(format_args!(
            "no address space for a stack of {size} bytes: {taken} bytes are promised to other green threads; \
             use smaller stacks (thread::Builder::stack_size, GREENTHREAD_STACK_SIZE) or fewer threads"
        ))),
    }
}

/// Whether the process has room for stacks of `sum` bytes, of which `bytes` are new ones of this size.
#[cold]
fn look(sum: usize, bytes: usize, size: usize) -> io::Result<()> {
    if memory::guards_take_maps() {
        let threads = THREADS.load(Relaxed).cast_signed().max(0).cast_unsigned();
        if memory::map_limit().is_some_and(|most| threads + bytes / size > most) {
            return Err(stack::no_map(size, threads));
        }
    }
    let Some(limit) = memory::address_limit() else { return Ok(()) };
    let Some(used) = memory::addresses_used() else { return Ok(()) };
    let stride = stack::stride(with_spare(size));
    let (reserved, stuck) = stack::reserved(with_spare(size));
    let spare = (limit / 32).min(MOST_SPARE);
    let room = (limit - spare).saturating_sub(used.saturating_sub(reserved) + stuck);
    // As if all were of this size.
    let needed = (sum as u128 * stride as u128 / size as u128) as usize;
    if needed > room { Err(stack::no_space(size)) } else { Ok(()) }
}

/// A worker's part of what was promised to none yet.
#[derive(Debug)]
pub(crate) struct Credit {
    left: Cell<usize>,
    /// How many threads it has told of.
    told: Cell<usize>,
}

impl Credit {
    pub(crate) const fn new() -> Self {
        Self { left: Cell::new(0), told: Cell::new(0) }
    }

    /// Promises a stack of `size` bytes; `false` if it has to [`refill`](Self::refill) for that.
    #[inline]
    pub(crate) fn take(&self, size: usize) -> bool {
        let Some(left) = self.left.get().checked_sub(size) else { return false };
        self.left.set(left);
        true
    }

    /// Promises a stack of `size` bytes. `alive` is how many threads the worker has, those that moved away counted as well.
    #[cold]
    pub(crate) fn refill(&self, size: usize, alive: usize) -> io::Result<()> {
        self.tell(alive);
        let scarce = memory::guards_take_maps() || memory::address_limit().is_some();
        let lump = if scarce { SCARCE_LUMP } else { LUMP };
        KEPT.store(LUMPS * lump, Relaxed);
        // Near the end of what there is, take just what is needed.
        match size.checked_add(lump).filter(|sum| take_more(*sum, size).is_ok()) {
            Some(_) => self.left.set(self.left.get() + lump),
            None => insist(size)?,
        }
        Ok(())
    }

    /// Takes it back; `true` if it is time to [`give_back`](Self::give_back) some.
    #[inline]
    pub(crate) fn give(&self, size: usize) -> bool {
        let sum = self.left.get() + size;
        self.left.set(sum);
        sum > KEPT.load(Relaxed)
    }

    /// Gives the process what is too much.
    #[cold]
    pub(crate) fn give_back(&self, alive: usize) {
        let kept = self.left.get().min(KEPT.load(Relaxed) / LUMPS);
        TAKEN.fetch_sub(self.left.replace(kept) - kept, Relaxed);
        self.tell(alive);
    }

    /// Tells the process how many threads it has.
    pub(crate) fn tell(&self, alive: usize) {
        THREADS.fetch_add(alive.wrapping_sub(self.told.replace(alive)), Relaxed);
    }
}

impl Drop for Credit {
    fn drop(&mut self) {
        TAKEN.fetch_sub(self.left.get(), Relaxed);
    }
}
