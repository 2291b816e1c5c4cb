//! Memory for stacks.
//!
//! Linux has two kinds of guard. A *marker* (`MADV_GUARD_INSTALL`, Linux 6.13) is an entry in the
//! page table and leaves the mapping whole. Elsewhere `mprotect(PROT_NONE)` splits the mapping,
//! which costs two of the process's `vm.max_map_count` maps for each guard; some of them are left
//! to the rest of the process, since whoever takes the last map makes some innocent allocation
//! fail. The environment variable `GREENTHREAD_STACK_GUARD=mprotect` asks for the second kind where
//! the first is to be had, for tests (`RuntimeBuilder` documents it).
//!
//! Invariants:
//! 1. A [`Span`] given to an `unsafe` function here lies page-aligned in memory that came from
//!    [`reserve`] and was not released, and the caller alone uses it: nobody else has a reference
//!    or a live frame in it.
//! 2. `Span` is laid out as the kernel's `struct iovec`.
//! 3. `mode` is settled by one probe. Guards of both kinds may be alive at once: the first kernel
//!    refusal of a marker makes later guards the second kind, and every function here treats both
//!    alike.

use core::{
    ptr::{self, NonNull},
    sync::atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed},
};
use std::io;

use libc::c_int;

/// A piece of address space.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) start: *mut u8,
    pub(crate) len: usize,
}

impl Span {
    pub(crate) const EMPTY: Self = Self { start: ptr::null_mut(), len: 0 };
}

/// What to do when guards have taken all the maps that there are.
pub(crate) const MORE_MAPS: &str = "each guard takes two of the maps that the system grants a process \
     (vm.max_map_count); raise their number (sysctl -w vm.max_map_count=2097152), run fewer threads at once, or \
     use Linux 6.13 or later, where guards take none";

const _: () = assert!(
    size_of::<Span>() == size_of::<libc::iovec>()
        && core::mem::offset_of!(Span, len) == core::mem::offset_of!(libc::iovec, iov_len)
);

// Not in `libc` yet.
const MADV_GUARD_INSTALL: c_int = 102;
/// The calling process, as a pidfd that needs no descriptor (Linux 6.15).
const PIDFD_SELF: c_int = -10000;
/// The most spans that the kernel takes in one call.
const UIO_MAXIOV: usize = 1024;

/// Memory or address space has run out; `text` says which, and what to do.
///
/// Where memory is short, an error without a text is better than an abort for want of one.
#[cold]
pub(crate) fn exhausted(text: core::fmt::Arguments<'_>) -> io::Error {
    match Vec::<u8>::new().try_reserve(1024) {
        Ok(()) => io::Error::new(io::ErrorKind::OutOfMemory, text.to_string()),
        Err(_) => io::ErrorKind::OutOfMemory.into(),
    }
}

/// The system's page size.
#[inline]
pub(crate) fn page_size() -> usize {
    static SIZE: AtomicUsize = AtomicUsize::new(0);

    #[cold]
    fn ask() -> usize {
        // SAFETY: it only asks.
        let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        let size = usize::try_from(size).ok().filter(|size| size.is_power_of_two()).unwrap_or(4096);
        SIZE.store(size, Relaxed);
        size
    }

    match SIZE.load(Relaxed) {
        0 => ask(),
        size => size,
    }
}

/// Takes `len` bytes of zeroed, private, readable and writable address space.
///
/// Transparent huge pages are kept out: with them the first touch of one stack would commit 2 MiB.
pub(crate) fn reserve(len: usize) -> io::Result<NonNull<u8>> {
    // SAFETY: a new mapping at an address of the kernel's choice touches nobody's memory.
    let start = unsafe {
        libc::mmap(
            ptr::null_mut(),
            len,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK,
            -1,
            0,
        )
    };
    if start == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // A kernel without huge pages refuses this, and needs it not.
    // SAFETY: the mapping is the one just made (invariant 1).
    unsafe { libc::madvise(start, len, libc::MADV_NOHUGEPAGE) };
    NonNull::new(start.cast()).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
}

/// Gives a whole reservation back, in which `guards` guards were placed.
///
/// It can fail where the kernel has joined the reservation with a neighbour and no map is left to
/// split them again; then nothing has changed.
///
/// # Safety
/// `span` is what one call of [`reserve`] gave, and invariant 1 holds for all of it.
pub(crate) unsafe fn release(span: Span, guards: usize) -> io::Result<()> {
    // SAFETY: invariant 1: no one uses these addresses any more.
    if unsafe { libc::munmap(span.start.cast(), span.len) } != 0 {
        return Err(io::Error::last_os_error());
    }
    if guards_take_maps() {
        let _ = PROTECTED.fetch_update(Relaxed, Relaxed, |n| Some(n.saturating_sub(guards)));
    }
    Ok(())
}

/// Gives the memory of `spans` back. Guards within them stay, and other bytes read as zero.
///
/// Where the kernel refuses (memory locked by `mlockall`) the memory simply stays.
///
/// # Safety
/// Invariant 1 for each span.
pub(crate) unsafe fn decommit(spans: &[Span]) {
    // SAFETY: passed on from the caller.
    let done = unsafe { advise_batch(spans, libc::MADV_DONTNEED) };
    for span in &spans[done..] {
        // SAFETY: invariant 1: the bytes are the caller's to lose.
        unsafe { libc::madvise(span.start.cast(), span.len, libc::MADV_DONTNEED) };
    }
}

/// Makes every access to `spans` fault, for good. On failure the first spans, as many as the error
/// comes with, are guarded.
///
/// # Safety
/// Invariant 1 for each span.
pub(crate) unsafe fn guard(spans: &[Span]) -> Result<(), (usize, io::Error)> {
    let mut done = 0;
    if !guards_take_maps() {
        // SAFETY: passed on from the caller.
        done = unsafe { advise_batch(spans, MADV_GUARD_INSTALL) };
        while done < spans.len() {
            let span = spans[done];
            // SAFETY: invariant 1.
            match unsafe { libc::madvise(span.start.cast(), span.len, MADV_GUARD_INSTALL) } {
                0 => done += 1,
                _ => match io::Error::last_os_error() {
                    e if e.kind() == io::ErrorKind::Interrupted => {}
                    e if e.raw_os_error() == Some(libc::ENOMEM) => return Err((done, e)),
                    // Refused for this memory (say, locked by `mlockall`): the other kind will do.
                    _ => {
                        MODE.store(PROTECT, Relaxed);
                        break;
                    }
                },
            }
        }
    }
    while done < spans.len() {
        let span = spans[done];
        let taken = PROTECTED.fetch_add(1, Relaxed);
        let full = map_limit().is_some_and(|limit| taken >= limit);
        // SAFETY: invariant 1.
        if full || unsafe { libc::mprotect(span.start.cast(), span.len, libc::PROT_NONE) } != 0 {
            let error =
                if full { io::Error::from_raw_os_error(libc::ENOMEM) } else { io::Error::last_os_error() };
            PROTECTED.fetch_sub(1, Relaxed);
            return Err((done, error));
        }
        done += 1;
    }
    Ok(())
}

/// How many bytes of address space the process may have, if it may not have all.
pub(crate) fn address_limit() -> Option<usize> {
    rustix::process::getrlimit(rustix::process::Resource::As).current.and_then(|limit| limit.try_into().ok())
}

/// How many bytes of it are used, if the system says.
pub(crate) fn addresses_used() -> Option<usize> {
    use std::io::Read;
    let mut text = [0; 32];
    // It begins with their number in pages.
    let len = std::fs::File::open("/proc/self/statm").and_then(|mut file| file.read(&mut text)).ok()?;
    let first = text[..len].split(|byte| !byte.is_ascii_digit()).next()?;
    Some(str::from_utf8(first).ok()?.parse::<usize>().ok()? * page_size())
}

/// Whether guards take maps of the process, of which there are few.
pub(crate) fn guards_take_maps() -> bool {
    match MODE.load(Relaxed) {
        UNKNOWN => probe() == PROTECT,
        mode => mode == PROTECT,
    }
}

/// How many guards of the kind that takes maps there may be, if the system says.
pub(crate) fn map_limit() -> Option<usize> {
    static LIMIT: AtomicUsize = AtomicUsize::new(0);
    let mut limit = LIMIT.load(Relaxed);
    if limit == 0 {
        limit = std::fs::read_to_string("/proc/sys/vm/max_map_count")
            .ok()
            .and_then(|s| s.trim().parse().ok())
            // Two maps a guard; a thirty-second part is for the rest of the process.
            .map_or(usize::MAX, |maps: usize| (maps - maps / 32) / 2);
        LIMIT.store(limit.max(1), Relaxed);
    }
    (limit != usize::MAX).then_some(limit)
}

/// How many guards that take maps there are.
pub(crate) fn guards_with_maps() -> usize {
    PROTECTED.load(Relaxed)
}

static PROTECTED: AtomicUsize = AtomicUsize::new(0);

/// The kind of guard that [`guard`] makes (invariant 3).
static MODE: AtomicU8 = AtomicU8::new(UNKNOWN);
const UNKNOWN: u8 = 0;
const MARKER: u8 = 1;
const PROTECT: u8 = 2;

/// Finds out whether markers work. An emulator may accept an advice that it does not know and do
/// nothing, so the guard is tried: populating a guarded page must fail.
#[cold]
fn probe() -> u8 {
    let forced = std::env::var_os("GREENTHREAD_STACK_GUARD").is_some_and(|v| v == "mprotect");
    let len = page_size();
    let works = !forced
        && reserve(len).is_ok_and(|page| {
            let page = page.as_ptr().cast();
            // SAFETY: the page was reserved here and nobody else knows it (invariant 1).
            unsafe {
                let works = libc::madvise(page, len, MADV_GUARD_INSTALL) == 0
                    && libc::madvise(page, len, libc::MADV_POPULATE_READ) != 0
                    && io::Error::last_os_error().raw_os_error() == Some(libc::EFAULT);
                libc::munmap(page, len);
                works
            }
        });
    let mode = if works { MARKER } else { PROTECT };
    MODE.store(mode, Relaxed);
    mode
}

/// Advises on as many of `spans`, from the first, as one kind of call can do for many at once.
/// Tells how many it has done; the rest is the caller's, one by one.
///
/// # Safety
/// Invariant 1 for each span, and `advice` does no harm to such memory.
unsafe fn advise_batch(spans: &[Span], advice: c_int) -> usize {
    static MISSING: AtomicU8 = AtomicU8::new(0);
    let mut done = 0;
    while spans.len() - done > 1 && MISSING.load(Relaxed) == 0 {
        let batch = &spans[done..spans.len().min(done + UIO_MAXIOV)];
        // SAFETY: invariants 1 and 2.
        let advised = unsafe {
            libc::syscall(libc::SYS_process_madvise, PIDFD_SELF, batch.as_ptr(), batch.len(), advice, 0)
        };
        let Ok(mut bytes) = usize::try_from(advised) else {
            // An error that is not of these is one span's, which the call by itself will tell.
            if let Some(libc::ENOSYS | libc::EBADF | libc::EPERM | libc::EACCES | libc::EOPNOTSUPP) =
                io::Error::last_os_error().raw_os_error()
            {
                MISSING.store(1, Relaxed);
            }
            break;
        };
        // It may stop in the middle; doing a part of a span again does no harm.
        let whole = batch
            .iter()
            .take_while(|s| {
                s.len <= bytes && {
                    bytes -= s.len;
                    true
                }
            })
            .count();
        if whole == 0 {
            break;
        }
        done += whole;
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decommitted_memory_reads_as_zero_and_guards_stay() {
        let page = page_size();
        let base = reserve(8 * page).unwrap().as_ptr();
        let span =
            |from: usize, pages: usize| Span { start: base.wrapping_add(from * page), len: pages * page };
        // SAFETY: the reservation is this test's (invariant 1), and only unguarded pages are
        // touched.
        unsafe {
            guard(&[span(0, 1), span(4, 1)]).unwrap();
            for i in [1, 3, 5, 7] {
                base.add(i * page).write(1);
            }
            decommit(&[span(1, 3), span(5, 3)]);
            for i in [1, 3, 5, 7] {
                assert_eq!(base.add(i * page).read(), 0);
            }
            if !guards_take_maps() {
                assert_ne!(libc::madvise(base.add(4 * page).cast(), page, libc::MADV_POPULATE_READ), 0);
            }
            release(span(0, 8), 2).unwrap();
        }
    }

    #[test]
    fn a_reservation_of_everything_is_an_error() {
        assert!(reserve((usize::MAX / 2).next_multiple_of(page_size())).is_err());
    }
}
