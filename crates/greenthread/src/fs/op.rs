//! How a call on an open file is made: the one place that knows.
//!
//! On an OS thread it is made right here. On a green thread there are three ways; in each of them the data goes straight
//! into, or out of, the caller's buffer, which can't go meanwhile, since the caller waits.
//!
//! * *From the cache:* a read takes what is in the page cache, if it is, by one system call that never waits for the disk.
//!   (So a thread may read on and on without waiting; it takes turns with its siblings, as at sockets.)
//! * *By the driver:* the kernel is handed the operation together with those of other threads, and the caller is parked
//!   until it is done. A file whose last read was not in the cache is read so at first, until a read is answered at once.
//! * *On the blocking pool*, where the driver has no such thing, and for calls at the file's own position: the kernel moves it
//!   under a lock when it is asked by a system call, but not when the operation was handed over, and two threads would read
//!   the same bytes. (FIFOs have no position.)

use core::sync::atomic::{
    AtomicU8, AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};
use std::{
    fs::File,
    io::{IoSlice, IoSliceMut, Result},
    sync::{Arc, OnceLock},
};

use crate::{
    descriptor::take_turns,
    driver::{Answer, Driver, Operation, PollDriver},
    runtime,
    sys::file::{self, Cached, Kind},
};

/// A read had better try the cache first.
const TRY: u8 = 0;
/// The last one was not there: the driver is quicker.
const MISSED: u8 = 1;
/// It must not: the file is read past the cache, or can't be asked.
const NEVER: u8 = 2;

/// How many buffers the kernel takes in one call.
const MOST_BUFFERS: usize = 1024;

/// A handle to an open file, and what is known about it.
pub(super) struct Open {
    pub(super) file: File,
    known: Arc<Known>,
}

/// What is known about an open file. All of its handles share it.
#[derive(Default)]
struct Known {
    kind: OnceLock<Kind>,
    cache: AtomicU8,
    /// How many calls are on the pool: they may hold the lock of the file's position.
    away: AtomicU32,
}

impl Open {
    pub(super) fn new(file: File) -> Self {
        Self { file, known: Arc::default() }
    }

    /// Another handle.
    pub(super) fn try_clone(&self) -> Result<Self> {
        Ok(Self { file: self.file.try_clone()?, known: self.known.clone() })
    }

    fn kind(&self) -> Kind {
        *self.known.kind.get_or_init(|| {
            let kind = file::kind(&self.file).unwrap_or(Kind::Other);
            if kind == (Kind::Disk { direct: true }) {
                self.known.cache.store(NEVER, Relaxed);
            }
            kind
        })
    }

    /// Whether it has no position and no end but the one that others make.
    pub(super) fn is_stream(&self) -> bool {
        self.kind() == Kind::Stream
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
        runtime::unblock_disk(|| f(&self.file))
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
        let handed = self.can_be_handed_over(offset);
        let cache = &self.known.cache;
        let tried = match cache.load(Relaxed) {
            NEVER => false,
            MISSED if handed => false,
            _ => offset.is_some() || self.known.away.load(Acquire) == 0,
        };
        if tried {
            take_turns(driver);
            match bufs.with(|bufs| file::read_cached(&self.file, bufs, offset)) {
                Cached::Read(count) => return Ok(count),
                Cached::Never => cache.store(NEVER, Relaxed),
                Cached::Unknown => {}
            }
        }
        if handed {
            let answer = bufs.with(|bufs| {
                let operation = Operation::read(&self.file, bufs, offset)?;
                // SAFETY: it points to `bufs`, which are borrowed until the driver is back.
                unsafe { driver.file(operation) }
            });
            if cache.load(Relaxed) != NEVER {
                let missed = answer.is_some_and(|answer| !answer.at_once);
                cache.store(if missed { MISSED } else { TRY }, Relaxed);
            }
            if let Some(answer) = answer {
                return Ok(answer.result?);
            }
        }
        self.call(|file| plain(file, bufs))
    }

    /// Writes, at an offset or at the position; `plain` is the call that may wait.
    pub(super) fn write(
        &self,
        bufs: &[IoSlice<'_>],
        offset: Option<u64>,
        plain: impl FnOnce(&File) -> Result<usize> + Send,
    ) -> Result<usize> {
        let bufs = &bufs[..bufs.len().min(MOST_BUFFERS)];
        let write = |driver: &PollDriver| {
            let operation = Operation::write(&self.file, bufs, offset)?;
            // SAFETY: it points to `bufs`, which are borrowed until the driver is back.
            unsafe { driver.file(operation) }
        };
        self.hand_over(self.can_be_handed_over(offset), write, plain)
    }

    /// Waits until it is on the disk; `plain` is the call that does.
    pub(super) fn sync(&self, data_only: bool, plain: fn(&File) -> Result<()>) -> Result<()> {
        let sync = |driver: &PollDriver| {
            // SAFETY: it points to nothing.
            unsafe { driver.file(Operation::sync(&self.file, data_only)) }
        };
        self.hand_over(true, sync, |file| plain(file).map(|()| 0)).map(drop)
    }

    /// By the driver, if it may be asked and can; else as `plain` does it.
    fn hand_over(
        &self,
        may: bool,
        ask: impl FnOnce(&PollDriver) -> Option<Answer>,
        plain: impl FnOnce(&File) -> Result<usize> + Send,
    ) -> Result<usize> {
        match runtime::driver().filter(|_| may).and_then(ask) {
            Some(answer) => Ok(answer.result?),
            None => self.call(plain),
        }
    }

    /// Whether the driver may do it: it leaves no position to be moved.
    fn can_be_handed_over(&self, offset: Option<u64>) -> bool {
        match self.kind() {
            Kind::Disk { .. } => offset.is_some(),
            Kind::Stream => offset.is_none(),
            Kind::Other => false,
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
        let most = self.len().min(MOST_BUFFERS);
        f(&mut self[..most])
    }
}
