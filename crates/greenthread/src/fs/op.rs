//! How a call on an open file is made: the one place that knows.
//!
//! On an OS thread it is made right here. On a green thread it is made on the blocking pool, while the caller is
//! parked; the buffer is the caller's own, which can't go meanwhile (`runtime::blocking`). A read first takes what is in
//! the page cache, if it is: that is ten times faster than the pool, and never waits for the disk. (So a thread may read
//! on and on without waiting; it takes turns with its siblings, as at sockets.)
//!
//! A driver with an operation of its own for positioned reads and writes (`driver`) is asked here, in `read` and `write`,
//! before the pool.

use core::sync::atomic::{
    AtomicU8, AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};
use std::{
    fs::File,
    io::{IoSliceMut, Result},
    sync::Arc,
};

use crate::{
    descriptor::take_turns,
    runtime,
    sys::file::{self, Cached},
};

/// Nobody has asked yet.
const UNKNOWN: u8 = 0;
/// A read may try the cache.
const CACHED: u8 = 1;
/// It may not: the file is read past the cache, or is of another kind.
const POOLED: u8 = 2;

/// A handle to an open file, and what is known about it.
pub(super) struct Open {
    pub(super) file: File,
    known: Arc<Known>,
}

/// What is known about an open file. All of its handles share it.
struct Known {
    reads: AtomicU8,
    /// How many calls are on the pool: they may hold the lock of the file's position.
    away: AtomicU32,
}

impl Open {
    pub(super) fn new(file: File) -> Self {
        Self { file, known: Arc::new(Known { reads: AtomicU8::new(UNKNOWN), away: AtomicU32::new(0) }) }
    }

    /// Another handle.
    pub(super) fn try_clone(&self) -> Result<Self> {
        Ok(Self { file: self.file.try_clone()?, known: self.known.clone() })
    }

    /// Makes a call that may wait for the disk.
    pub(super) fn call<T: Send>(&self, f: impl FnOnce(&File) -> T + Send) -> T {
        struct Away<'a>(&'a AtomicU32);
        impl Drop for Away<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Release);
            }
        }
        self.known.away.fetch_add(1, Relaxed);
        let _away = Away(&self.known.away);
        runtime::unblock(|| f(&self.file))
    }

    /// Makes a call that only needs the file's position: it doesn't wait, unless another call that does holds it.
    pub(super) fn quick<T: Send>(&self, f: impl FnOnce(&File) -> T + Send) -> T {
        if self.known.away.load(Acquire) == 0 { f(&self.file) } else { self.call(f) }
    }

    /// Reads into `bufs`, at an offset or at the position; `plain` is the call that may wait.
    pub(super) fn read<B: Buffers + Send>(
        &self,
        mut bufs: B,
        offset: Option<u64>,
        plain: impl FnOnce(&File, B) -> Result<usize> + Send,
    ) -> Result<usize> {
        let Some(driver) = runtime::driver() else { return plain(&self.file, bufs) };
        if (offset.is_some() || self.known.away.load(Acquire) == 0) && self.tries_cache() {
            take_turns(driver);
            match bufs.with(|bufs| file::read_cached(&self.file, bufs, offset)) {
                Cached::Read(count) => return Ok(count),
                Cached::Never => self.known.reads.store(POOLED, Relaxed),
                Cached::Unknown => {}
            }
        }
        self.call(|file| plain(file, bufs))
    }

    /// Writes; `plain` is the call that may wait.
    pub(super) fn write(&self, plain: impl FnOnce(&File) -> Result<usize> + Send) -> Result<usize> {
        self.call(plain)
    }

    fn tries_cache(&self) -> bool {
        match self.known.reads.load(Relaxed) {
            UNKNOWN => {
                let cached = !file::is_direct(&self.file).unwrap_or(true);
                self.known.reads.store(if cached { CACHED } else { POOLED }, Relaxed);
                cached
            }
            known => known == CACHED,
        }
    }
}

/// One buffer or several.
pub(super) trait Buffers {
    fn with<T>(&mut self, f: impl FnOnce(&mut [IoSliceMut<'_>]) -> T) -> T;
}

impl Buffers for &mut [u8] {
    fn with<T>(&mut self, f: impl FnOnce(&mut [IoSliceMut<'_>]) -> T) -> T {
        f(&mut [IoSliceMut::new(self)])
    }
}

impl Buffers for &mut [IoSliceMut<'_>] {
    fn with<T>(&mut self, f: impl FnOnce(&mut [IoSliceMut<'_>]) -> T) -> T {
        // The kernel takes so many; a short read is a read.
        const MOST: usize = 1024;
        let most = self.len().min(MOST);
        f(&mut self[..most])
    }
}
