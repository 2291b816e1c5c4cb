//! Address space promised to threads that have not started: a count, so that a spawn that can't ever be honoured
//! fails at once, and not long after.
//!
//! Each worker takes from the process's count in lumps, so that spawning does not meet the other workers here.

use core::{
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};
use std::io;

/// Half of what a process has on a 64-bit machine with 47 bits of user addresses.
const MOST: usize = 1 << 46;
const LUMP: usize = 1 << 28;

static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// Takes `size` bytes of the process's address space.
pub(crate) fn take(size: usize) -> io::Result<()> {
    let enough = |taken: usize| taken.checked_add(size).filter(|sum| *sum <= MOST);
    match TAKEN.fetch_update(Relaxed, Relaxed, enough) {
        Ok(_) => Ok(()),
        Err(taken) => Err(io::Error::new(
            io::ErrorKind::OutOfMemory,
            format!(
                "no address space for a stack of {size} bytes: {taken} bytes are promised to other green threads; \
                 use smaller stacks (thread::Builder::stack_size, GREENTHREAD_STACK_SIZE) or fewer threads"
            ),
        )),
    }
}

/// Gives it back.
pub(crate) fn give(size: usize) {
    TAKEN.fetch_sub(size, Relaxed);
}

/// A worker's own store.
#[derive(Debug)]
pub(crate) struct Store(Cell<usize>);

impl Store {
    pub(crate) const fn new() -> Self {
        Self(Cell::new(0))
    }

    #[inline]
    pub(crate) fn take(&self, size: usize) -> io::Result<()> {
        let Some(left) = self.0.get().checked_sub(size) else { return self.refill(size) };
        self.0.set(left);
        Ok(())
    }

    #[cold]
    fn refill(&self, size: usize) -> io::Result<()> {
        // Near the end of what there is, take just what is needed.
        match size.checked_add(LUMP).filter(|sum| take(*sum).is_ok()) {
            Some(_) => self.0.set(self.0.get() + LUMP),
            None => take(size)?,
        }
        Ok(())
    }

    #[inline]
    pub(crate) fn give(&self, size: usize) {
        let mut sum = self.0.get() + size;
        if sum > 4 * LUMP {
            give(sum - LUMP);
            sum = LUMP;
        }
        self.0.set(sum);
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        give(self.0.get());
    }
}
