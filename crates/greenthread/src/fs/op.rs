//! How a call on an open file is made: the one place that knows.
//!
//! On an OS thread it is made right here. On a green thread there are four ways; in each of them
//! the data goes straight into, or out of, the caller's buffer, which can't go meanwhile, since the
//! caller waits.
//!
//! * *From the cache:* a read takes what is in the page cache, if it is, by one system call that
//!   never waits for the disk. (So a thread may read on and on without waiting; it takes turns with
//!   its siblings, as at sockets.)
//! * *By the driver:* the kernel is handed the operation together with those of other threads, and
//!   the caller is parked until it is done. A file whose last read was not in the cache is read so
//!   at first, until a read is answered at once.
//! * *On the blocking pool*, where the driver has no such thing, and for calls at the file's own
//!   position: the kernel moves it under a lock when it is asked by a system call, but not when the
//!   operation was handed over, and two threads would read the same bytes.
//! * *As a stream:* what waits for others, not for a disk (a FIFO, a terminal, a socket), is waited
//!   for by readiness, as `descriptor::plain` does it. It is not handed to the driver, for which
//!   non-blocking mode has no meaning.

use core::sync::atomic::{
    AtomicU8, AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};
use std::{
    fs::File,
    io::{self, IoSlice, IoSliceMut, Read, Result, Seek},
    mem,
    os::fd::AsFd,
    sync::{Arc, OnceLock},
};

use crate::task::coop::{CALL, consume_budget};
use crate::{
    descriptor::Descriptor,
    driver::{Answer, Driver, Operation},
    runtime,
    sys::{
        error::OsError,
        file::{Kind, Nature, View},
        io::{MAX_BUFFERS, read_now},
        lookup::About,
    },
};

/// It isn't known yet what file it is (`Known::nature`).
const NEW: u8 = 0;
/// A read had better try the cache first.
const TRY: u8 = 1;
/// The last one was not there: the driver is quicker.
const MISSED: u8 = 2;
/// It must not: the file is read past the cache, can't be asked, or has none.
const NEVER: u8 = 3;

/// How much of a whole file is read in one call, in bytes. More would keep siblings waiting, and a
/// buffer that is cleared for it would not stay in the processor's cache; less costs system calls.
const CHUNK: usize = 256 << 10;

/// A handle to an open file, and what is known about it.
pub(super) struct Open {
    descriptor: Descriptor,
    known: Arc<Known>,
}

/// What is known about an open file. All of its handles share it.
#[derive(Default)]
struct Known {
    nature: OnceLock<Nature>,
    cache: AtomicU8,
    /// How many calls are on the pool: they may hold the lock of the file's position.
    away: AtomicU32,
}

impl Open {
    pub(super) fn new(file: File) -> Self {
        Self { descriptor: Descriptor::new(file.into()), known: Arc::default() }
    }

    /// One of which that is known, and its size.
    pub(super) fn with(file: File, about: About) -> Self {
        let nature = Nature::new(about);
        let cache = AtomicU8::new(cache_of(nature.kind));
        let known = Known { nature: OnceLock::from(nature), cache, ..Known::default() };
        Self { descriptor: Descriptor::new(file.into()), known: Arc::new(known) }
    }

    /// Another handle.
    pub(super) fn try_clone(&self) -> Result<Self> {
        Ok(Self { descriptor: self.descriptor.try_clone()?, known: self.known.clone() })
    }

    /// std's file.
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

    /// How it is read: never `NEW`. With `TRY` and `MISSED` it is a file or a disk.
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

    /// Makes a call that may wait for the disk.
    pub(super) fn call<T: Send>(&self, f: impl FnOnce(&File) -> Result<T> + Send) -> Result<T> {
        struct Away<'a>(&'a AtomicU32);
        impl Drop for Away<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Release);
            }
        }
        self.known.away.fetch_add(1, Relaxed);
        let _away = Away(&self.known.away);
        runtime::unblock_disk(|| f(&self.file()))
    }

    /// Makes a call that reads or writes: if it is a stream, it may wait for others.
    fn transfer<T: Send>(&self, f: impl FnOnce(&File) -> Result<T> + Send) -> Result<T> {
        if runtime::driver().is_some() && self.kind() == Kind::Stream {
            return runtime::unblock_wait(|| f(&self.file()))?;
        }
        self.call(f)
    }

    /// Makes a call that only needs the file's position: it doesn't wait, unless another call that
    /// does holds it.
    pub(super) fn quick<T: Send>(&self, f: impl FnOnce(&File) -> Result<T> + Send) -> Result<T> {
        if self.known.away.load(Acquire) == 0 { f(&self.file()) } else { self.call(f) }
    }

    /// Makes a call that asks for what a local file system has in memory.
    pub(super) fn ask<T: Send>(&self, f: impl FnOnce(&File) -> Result<T> + Send) -> Result<T> {
        if runtime::driver().is_some() && self.nature().is_local { f(&self.file()) } else { self.call(f) }
    }

    /// Reads into `bufs`, at an offset or at the position; `plain` is the call that may wait.
    pub(super) fn read<B: Buffers + Send>(
        &self,
        mut bufs: B,
        offset: Option<u64>,
        plain: impl FnOnce(&File, B) -> Result<usize> + Send,
    ) -> Result<usize> {
        let Some(driver) = runtime::driver() else { return plain(&self.file(), bufs) };
        let tried = match self.cache() {
            NEVER => false,
            MISSED if offset.is_some() => false,
            _ => true,
        };
        if tried && let Some(count) = bufs.with(|bufs| self.read_cached(bufs, offset)) {
            return Ok(count);
        }
        let kind = self.kind();
        if kind == Kind::Stream && offset.is_none() {
            return bufs.with(|bufs| self.descriptor.read_vectored(bufs));
        }
        let handed = Self::can_be_handed_over(kind, offset);
        let cache = &self.known.cache;
        if handed {
            let answer = bufs.with(|bufs| {
                let operation = Operation::read(self.descriptor.as_fd(), bufs, offset)?;
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
        self.transfer(|file| plain(file, bufs))
    }

    /// Reads what is in the cache, which is not `NEVER`. None if a call that may wait must tell.
    #[inline]
    fn read_cached(&self, bufs: &mut [IoSliceMut<'_>], offset: Option<u64>) -> Option<usize> {
        if offset.is_none() && self.known.away.load(Acquire) != 0 {
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

    /// Reads from the position to the end: what is in the cache on the spot, and the rest in one
    /// call.
    pub(super) fn read_to_end(&self, all: &mut Vec<u8>) -> Result<usize> {
        if runtime::driver().is_none() {
            return (&*self.file()).read_to_end(all);
        }
        let before = all.len();
        match self.kind() {
            Kind::Stream => return io::Read::take(Stream(&self.descriptor), u64::MAX).read_to_end(all),
            Kind::Disk { .. } => {
                if let Ok(about) = About::new(self.descriptor.as_fd())
                    && let Ok(position) = self.quick(|mut file| file.stream_position())
                {
                    let left = about.size.saturating_sub(position).try_into().unwrap_or(usize::MAX);
                    all.try_reserve(left)?;
                }
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

    /// As [`read_to_end`](Self::read_to_end), text.
    pub(super) fn read_to_string(&self, text: &mut String) -> Result<usize> {
        let is_first = text.is_empty();
        let mut bytes = if is_first { mem::take(text).into_bytes() } else { Vec::new() };
        let result = self.read_to_end(&mut bytes);
        match String::from_utf8(bytes) {
            Ok(read) if is_first => *text = read,
            Ok(read) => text.push_str(&read),
            // std's own error.
            Err(_) => return result.and_then(|_| io::read_to_string(&[0xff][..])).map(|_| 0),
        }
        result
    }

    /// Adds to `all` what is in the cache at the position, some of it. None if a call that may wait
    /// must tell.
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
        // Mostly this is the end, and no more memory is needed.
        let mut more = [0; 32];
        let count = read(&mut more);
        if let Some(count @ 1..) = count {
            all.try_reserve(CHUNK.min(before.max(more.len())))?;
            all.extend_from_slice(&more[..count]);
        }
        Ok(count)
    }

    /// Writes, at an offset or at the position; `plain` is the call that may wait.
    pub(super) fn write(
        &self,
        bufs: &[IoSlice<'_>],
        offset: Option<u64>,
        plain: impl FnOnce(&File) -> Result<usize> + Send,
    ) -> Result<usize> {
        if runtime::driver().is_none() {
            return self.call(plain);
        }
        let bufs = &bufs[..bufs.len().min(MAX_BUFFERS)];
        let kind = self.kind();
        if kind == Kind::Stream && offset.is_none() {
            return self.descriptor.write_vectored(bufs);
        }
        let write = |driver: &Driver| {
            let operation = Operation::write(self.descriptor.as_fd(), bufs, offset)?;
            // SAFETY: it points to `bufs`, which are borrowed until the driver is back.
            unsafe { driver.file(operation) }
        };
        self.hand_over(Self::can_be_handed_over(kind, offset), write, plain)
    }

    /// Waits until it is on the disk; `plain` is the call that does.
    pub(super) fn sync(&self, data_only: bool, plain: fn(&File) -> Result<()>) -> Result<()> {
        let sync = |driver: &Driver| {
            // SAFETY: it points to nothing.
            unsafe { driver.file(Operation::sync(self.descriptor.as_fd(), data_only)) }
        };
        self.hand_over(true, sync, |file| plain(file).map(|()| 0)).map(drop)
    }

    /// By the driver, if it may be asked and can; else as `plain` does it.
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

    /// Whether the driver may do it: it leaves no position to be moved.
    fn can_be_handed_over(kind: Kind, offset: Option<u64>) -> bool {
        matches!(kind, Kind::Disk { .. }) && offset.is_some()
    }
}

impl AsFd for Open {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// How reads of such a file begin.
fn cache_of(kind: Kind) -> u8 {
    match kind {
        Kind::Disk { direct: false } => TRY,
        _ => NEVER,
    }
}

/// A stream, read call by call.
struct Stream<'a>(&'a Descriptor);

impl Read for Stream<'_> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        self.0.read(buf)
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
        let most = self.len().min(MAX_BUFFERS);
        f(&mut self[..most])
    }
}
