//! How a call on an open file is made. All such calls go through this module.
//!
//! On an OS thread the call is made directly. On a green thread there are four ways. In each of
//! them the kernel reads or writes the caller's own buffer, which stays valid because the caller
//! waits.
//!
//! * *From the cache:* a read takes data that is in the page cache, by one system call that never
//!   waits for the disk. (A thread could read in this way without end, so such a read consumes
//!   cooperative budget, as a socket call does.)
//! * *By the driver:* the driver hands the operation to the kernel together with those of other
//!   threads, and the caller is parked until it is done. If the last read of a file was not in the
//!   cache, the next positioned read starts here, until the kernel answers one at once.
//! * *On the blocking pool*, where the driver has no such operation, and for calls at the file's
//!   own position. A system call moves the position under a lock of the kernel. An operation that
//!   was handed over does not take that lock, so two threads would read the same bytes.
//! * *As a stream:* a file that waits for another party and not for a disk (a FIFO, a terminal, a
//!   socket) is waited for by readiness, by `descriptor::plain`. It is not handed to the driver,
//!   for which non-blocking mode has no meaning.

use core::sync::atomic::{
    AtomicU8, AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};
use std::{
    fs::File,
    io::{self, IoSlice, IoSliceMut, Read, Result, Seek},
    mem,
    sync::{Arc, OnceLock},
};

use crate::task::coop::{CALL, consume_budget};
use crate::{
    descriptor::{Descriptor, os_thread::is_watched},
    driver::{Answer, Driver, Operation},
    runtime,
    sys::{
        error::OsError,
        fd::{AsFd, BorrowedFd},
        file::{Kind, Nature, View},
        io::{MAX_BUFFERS, read_now},
        lookup::About,
    },
};

/// The kind of the file is not known yet (`Known::nature`).
const NEW: u8 = 0;
/// A read tries the cache first.
const TRY: u8 = 1;
/// The last read was not in the cache: a positioned read asks the driver first, which is faster
/// then.
const MISSED: u8 = 2;
/// No read tries the cache: the file bypasses the cache, has none, or cannot be asked for cached
/// data alone.
const NEVER: u8 = 3;

/// The number of bytes of a whole file that one call reads. A larger chunk keeps the other threads
/// of the worker waiting longer, and the buffer that is cleared for it does not stay in the
/// processor's cache. A smaller chunk makes more system calls.
const CHUNK: usize = 256 << 10;

/// A handle to an open file, with the facts that are known about the file.
pub(super) struct Open {
    descriptor: Descriptor,
    known: Arc<Known>,
}

/// Facts about an open file. All handles to the file share them.
#[derive(Default)]
struct Known {
    nature: OnceLock<Nature>,
    cache: AtomicU8,
    /// The number of calls that are on the pool. They may hold the kernel's lock of the file's
    /// position.
    pool_calls: AtomicU32,
}

impl Open {
    pub(super) fn new(file: File) -> Self {
        Self { descriptor: Descriptor::new(file.into()), known: Arc::default() }
    }

    /// A handle to a file whose metadata is known.
    pub(super) fn with(file: File, about: About) -> Self {
        let nature = Nature::new(about);
        let cache = AtomicU8::new(cache_of(nature.kind));
        let known = Known { nature: OnceLock::from(nature), cache, ..Known::default() };
        Self { descriptor: Descriptor::new(file.into()), known: Arc::new(known) }
    }

    /// Makes another handle to the same file.
    pub(super) fn try_clone(&self) -> Result<Self> {
        Ok(Self { descriptor: self.descriptor.try_clone()?, known: self.known.clone() })
    }

    /// Returns std's file for the same descriptor.
    pub(super) fn file(&self) -> View<'_> {
        View::new(self.descriptor.as_fd())
    }

    pub(super) fn into_file(self) -> File {
        self.descriptor.into_owned().into()
    }

    fn nature(&self) -> Nature {
        *self.known.nature.get_or_init(|| {
            let unknown = Nature { kind: Kind::Stream, is_local: false };
            let nature = Nature::of(&self.file()).unwrap_or(unknown);
            if nature.kind == Kind::Stream {
                self.descriptor.adopt_timeouts();
            }
            self.known.cache.store(cache_of(nature.kind), Relaxed);
            nature
        })
    }

    fn kind(&self) -> Kind {
        self.nature().kind
    }

    /// Returns how a read begins: `TRY`, `MISSED` or `NEVER`. With the first two, the file is a
    /// regular file or a disk.
    #[inline]
    fn cache(&self) -> u8 {
        match self.known.cache.load(Relaxed) {
            NEW => self.first_look(),
            known => known,
        }
    }

    #[cold]
    fn first_look(&self) -> u8 {
        self.nature();
        self.known.cache.load(Relaxed)
    }

    /// Makes a call that may wait for the disk, on the pool.
    pub(super) fn call<T: Send>(&self, f: impl FnOnce(&File) -> Result<T> + Send) -> Result<T> {
        struct PoolCall<'a>(&'a AtomicU32);
        impl Drop for PoolCall<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Release);
            }
        }
        self.known.pool_calls.fetch_add(1, Relaxed);
        let _call = PoolCall(&self.known.pool_calls);
        runtime::unblock_disk(|| f(&self.file()))
    }

    /// Makes a call that reads or writes. If the file is a stream, the call may wait for another
    /// party.
    fn transfer<T: Send>(&self, f: impl FnOnce(&File) -> Result<T> + Send) -> Result<T> {
        if runtime::driver().is_some() && self.kind() == Kind::Stream {
            return runtime::unblock_wait(|| f(&self.file()))?;
        }
        self.call(f)
    }

    /// Makes a call that needs only the file's position. Such a call waits only while another call
    /// holds the lock of the position.
    pub(super) fn call_at_position<T: Send>(&self, f: impl FnOnce(&File) -> Result<T> + Send) -> Result<T> {
        if self.known.pool_calls.load(Acquire) == 0 { f(&self.file()) } else { self.call(f) }
    }

    /// Makes a call for data that a local file system has in memory.
    pub(super) fn ask<T: Send>(&self, f: impl FnOnce(&File) -> Result<T> + Send) -> Result<T> {
        if runtime::driver().is_some() && self.nature().is_local { f(&self.file()) } else { self.call(f) }
    }

    /// Reads into `bufs`, at an offset or at the position. `plain` is the call that may wait.
    pub(super) fn read<B: Buffers + Send>(
        &self,
        mut bufs: B,
        offset: Option<u64>,
        plain: impl FnOnce(&File, B) -> Result<usize> + Send,
    ) -> Result<usize> {
        let Some(driver) = runtime::driver() else {
            if offset.is_none() && self.is_watched_stream() {
                return bufs.with(|bufs| self.descriptor.read_vectored(bufs));
            }
            return plain(&self.file(), bufs);
        };
        let try_cache = match self.cache() {
            NEVER => false,
            MISSED if offset.is_some() => false,
            _ => true,
        };
        if try_cache && let Some(count) = bufs.with(|bufs| self.read_cached(bufs, offset)) {
            return Ok(count);
        }
        let kind = self.kind();
        if kind == Kind::Stream && offset.is_none() {
            return bufs.with(|bufs| self.descriptor.read_vectored(bufs));
        }
        let may_hand_over = Self::can_be_handed_over(kind, offset);
        let cache = &self.known.cache;
        if may_hand_over {
            let answer = bufs.with(|bufs| {
                let operation = Operation::read(self.descriptor.as_fd(), bufs, offset)?;
                // SAFETY: the operation points to `bufs`, which stay borrowed until `file` returns.
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
        self.transfer(|file| plain(file, bufs))
    }

    /// Reads data that is in the cache; the file's state is not `NEVER`. `None` if only a call that
    /// may wait can tell.
    // Always: the call would take a tenth of a read.
    #[inline(always)]
    fn read_cached(&self, bufs: &mut [IoSliceMut<'_>], offset: Option<u64>) -> Option<usize> {
        if offset.is_none() && self.known.pool_calls.load(Acquire) != 0 {
            return None;
        }
        consume_budget(CALL);
        match read_now(self.descriptor.as_fd(), bufs, offset) {
            Ok(count) => return Some(count),
            Err(OsError::UNSUPPORTED) if offset.is_none_or(|offset| offset <= i64::MAX as u64) => {
                self.known.cache.store(NEVER, Relaxed);
            }
            // Some older kernels report spurious errors.
            Err(_) => {}
        }
        None
    }

    /// Reads from the position to the end. Cached data is read directly; the rest is read by one
    /// call on the pool.
    pub(super) fn read_to_end(&self, all: &mut Vec<u8>) -> Result<usize> {
        if runtime::driver().is_none() && !self.is_watched_stream() {
            return (&*self.file()).read_to_end(all);
        }
        let mut left = 0;
        if matches!(self.kind(), Kind::Disk { .. })
            && let Ok(about) = About::new(self.descriptor.as_fd())
            && let Ok(position) = self.call_at_position(|mut file| file.stream_position())
        {
            left = about.size.saturating_sub(position);
        }
        self.read_left(left, all)
    }

    /// As [`read_to_end`](Self::read_to_end) on a green thread. `left` is the number of bytes up to
    /// the end, as far as it is known.
    pub(super) fn read_left(&self, left: u64, all: &mut Vec<u8>) -> Result<usize> {
        let before = all.len();
        match self.kind() {
            Kind::Stream => return io::Read::take(Stream(&self.descriptor), u64::MAX).read_to_end(all),
            Kind::Disk { .. } => {
                all.try_reserve(left.try_into().unwrap_or(usize::MAX))?;
                while let Some(count) = self.read_on(all)? {
                    if count == 0 {
                        return Ok(all.len() - before);
                    }
                }
            }
            Kind::Directory => {}
        }
        self.call(|mut file| file.read_to_end(all))?;
        Ok(all.len() - before)
    }

    /// As [`read_to_end`](Self::read_to_end), for text.
    pub(super) fn read_to_string(&self, text: &mut String) -> Result<usize> {
        let is_first = text.is_empty();
        let mut bytes = if is_first { mem::take(text).into_bytes() } else { Vec::new() };
        let result = self.read_to_end(&mut bytes);
        match self::text(bytes) {
            Ok(read) if is_first => *text = read,
            Ok(read) => text.push_str(&read),
            Err(error) => return result.and(Err(error)),
        }
        result
    }

    /// Appends to `all` some of the data that is in the cache at the position. `None` if only a
    /// call that may wait can tell.
    fn read_on(&self, all: &mut Vec<u8>) -> Result<Option<usize>> {
        if self.cache() == NEVER {
            return Ok(None);
        }
        let read = |bytes: &mut [u8]| self.read_cached(&mut [IoSliceMut::new(bytes)], None);
        let before = all.len();
        if before < all.capacity() {
            all.resize(all.capacity().min(before + CHUNK), 0);
            let count = read(&mut all[before..]);
            all.truncate(before + count.unwrap_or(0));
            return Ok(count);
        }
        // The buffer has the file's size, so this is usually the end of the file, and no more
        // memory is needed.
        let mut more = [0; 32];
        let count = read(&mut more);
        if let Some(count @ 1..) = count {
            all.try_reserve(CHUNK.min(before.max(more.len())))?;
            all.extend_from_slice(&more[..count]);
        }
        Ok(count)
    }

    /// Writes at an offset or at the position. `plain` is the call that may wait.
    pub(super) fn write(
        &self,
        bufs: &[IoSlice<'_>],
        offset: Option<u64>,
        plain: impl FnOnce(&File) -> Result<usize> + Send,
    ) -> Result<usize> {
        if runtime::driver().is_none() && !(offset.is_none() && self.is_watched_stream()) {
            return self.call(plain);
        }
        let bufs = &bufs[..bufs.len().min(MAX_BUFFERS)];
        let kind = self.kind();
        if kind == Kind::Stream && offset.is_none() {
            return self.descriptor.write_vectored(bufs);
        }
        let write = |driver: &Driver| {
            let operation = Operation::write(self.descriptor.as_fd(), bufs, offset)?;
            // SAFETY: the operation points to `bufs`, which stay borrowed until `file` returns.
            unsafe { driver.file(operation) }
        };
        self.hand_over(Self::can_be_handed_over(kind, offset), write, plain)
    }

    /// Waits until the file is on the disk. `plain` is the call that waits.
    pub(super) fn sync(&self, data_only: bool, plain: fn(&File) -> Result<()>) -> Result<()> {
        let sync = |driver: &Driver| {
            // SAFETY: the operation points to no memory.
            unsafe { driver.file(Operation::sync(self.descriptor.as_fd(), data_only)) }
        };
        self.hand_over(true, sync, |file| plain(file).map(|()| 0)).map(drop)
    }

    /// Hands an operation to the driver by `ask`, if `may` is set and the driver supports it.
    /// Otherwise makes the call `plain`.
    fn hand_over(
        &self,
        may: bool,
        ask: impl FnOnce(&Driver) -> Option<Answer>,
        plain: impl FnOnce(&File) -> Result<usize> + Send,
    ) -> Result<usize> {
        match runtime::driver().filter(|_| may).and_then(ask) {
            Some(answer) => Ok(answer.result?),
            None => self.transfer(plain),
        }
    }

    /// Whether the caller is an OS thread in a cancellation scope, and the file waits for another
    /// party.
    fn is_watched_stream(&self) -> bool {
        is_watched() && self.kind() == Kind::Stream
    }

    /// Whether the driver may carry the operation out: on a file or a disk, at an offset, so that
    /// no position has to move.
    fn can_be_handed_over(kind: Kind, offset: Option<u64>) -> bool {
        matches!(kind, Kind::Disk { .. }) && offset.is_some()
    }
}

impl AsFd for Open {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// The text that the contents of a file are.
///
/// # Errors
/// std's own error if they are no text.
pub(super) fn text(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).or_else(|_| io::read_to_string(&[0xff][..]))
}

/// Returns how reads of a file of this kind begin.
fn cache_of(kind: Kind) -> u8 {
    match kind {
        Kind::Disk { direct: false } => TRY,
        _ => NEVER,
    }
}

/// A reader that reads a stream by one call at a time.
struct Stream<'a>(&'a Descriptor);

impl Read for Stream<'_> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        self.0.read(buf)
    }
}

/// The buffers of a read: one or several.
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
        let most = self.len().min(MAX_BUFFERS);
        f(&mut self[..most])
    }
}
