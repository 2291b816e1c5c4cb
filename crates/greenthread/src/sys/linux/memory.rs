//! Memory for stacks.
//!
//! Linux has two kinds of guard. A *marker* (`MADV_GUARD_INSTALL`, Linux 6.13) is an entry in the
//! page table and does not split the mapping. On older kernels the guard is made by
//! `mprotect(PROT_NONE)`, which splits the mapping and takes two of the process's
//! `vm.max_map_count` maps. Some maps are left to the rest of the process: when no map is left, an
//! unrelated allocation fails. The environment variable `GREENTHREAD_STACK_GUARD=mprotect` selects
//! the second kind even where markers work, for tests (`RuntimeBuilder` documents it).
//!
//! Invariants:
//! 1. A [`Span`] that is passed to an `unsafe` function here lies page-aligned in memory that came
//!    from [`reserve`] and was not released. Only the caller uses that memory: no other code has a
//!    reference or a live frame in it.
//! 2. `Span` has the layout of the kernel's `struct iovec`.
//! 3. One probe decides `MODE`. Guards of both kinds may exist at the same time: when the kernel
//!    refuses a marker for the first time, later guards are of the second kind. Every function here
//!    treats both kinds alike.

use core::{
    ptr::{self, NonNull},
    sync::atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed},
};
use std::io;

use libc::c_int;

pub(crate) use super::super::unix::memory::{
    COMMITS, MORE_ADDRESSES, MORE_MEMORY, RECORD, bounds, commit, least_guard, leave, page_size,
};
use crate::sys::span::Span;

/// The advice in an error when guards have used up all maps.
pub(crate) const MORE_MAPS: &str = "each guard takes two of the maps that the system grants a process \
     (vm.max_map_count); raise their number (sysctl -w vm.max_map_count=2097152), run fewer threads at once, or \
     use Linux 6.13 or later, where guards take none";

const _: () = assert!(
    size_of::<Span>() == size_of::<libc::iovec>()
        && core::mem::offset_of!(Span, len) == core::mem::offset_of!(libc::iovec, iov_len)
);

// The crate `libc` lacks this constant.
const MADV_GUARD_INSTALL: c_int = 102;
/// A pidfd for the calling process that takes no descriptor (Linux 6.15).
const PIDFD_SELF: c_int = -10000;
/// The largest number of spans that the kernel accepts in one call.
const UIO_MAXIOV: usize = 1024;

/// Reserves `len` bytes of zeroed, private, readable and writable address space.
///
/// Transparent huge pages are disabled for it: with them, the first touch of one stack would commit
/// 2 MiB.
pub(crate) fn reserve(len: usize, _: usize) -> io::Result<NonNull<u8>> {
    // SAFETY: a new mapping at an address that the kernel chooses does not affect existing memory.
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
    // A kernel without huge pages refuses this call, and does not need it.
    // SAFETY: the mapping was just made (invariant 1).
    unsafe { libc::madvise(start, len, libc::MADV_NOHUGEPAGE) };
    NonNull::new(start.cast()).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
}

/// Returns a whole reservation, with `guards` guards in it, to the system.
///
/// The call can fail if the kernel has merged the reservation with a neighbouring one and no map is
/// left to split them. Then nothing has changed.
///
/// # Safety
/// `span` is the whole result of one call of [`reserve`], and invariant 1 holds for all of it.
pub(crate) unsafe fn release(span: Span, guards: usize) -> io::Result<()> {
    // SAFETY: no other code uses these addresses (invariant 1).
    if unsafe { libc::munmap(span.start.cast(), span.len) } != 0 {
        return Err(io::Error::last_os_error());
    }
    if guards_take_maps() {
        let _ = PROTECTED.fetch_update(Relaxed, Relaxed, |n| Some(n.saturating_sub(guards)));
    }
    Ok(())
}

/// Returns the memory of `spans` to the system. Guards within them stay, and other bytes read as
/// zero.
///
/// If the kernel refuses (for memory locked by `mlockall`), the memory stays.
///
/// # Safety
/// Invariant 1 holds for each span.
pub(crate) unsafe fn decommit(spans: &[Span]) {
    // SAFETY: invariant 1 holds for each span, which the caller of this function vouches for.
    let done = unsafe { advise_batch(spans, libc::MADV_DONTNEED) };
    for span in &spans[done..] {
        // SAFETY: only the caller uses the span (invariant 1), so its bytes may be lost.
        unsafe { libc::madvise(span.start.cast(), span.len, libc::MADV_DONTNEED) };
    }
}

/// Returns the memory of stacks to the system, except for the highest `kept` bytes of each. It uses
/// `stacks` as a buffer.
///
/// # Safety
/// Invariant 1 holds for each stack.
pub(crate) unsafe fn shrink(stacks: &mut [Span], kept: usize) {
    let kept = kept.next_multiple_of(page_size());
    stacks.iter_mut().for_each(|span| span.len = span.len.saturating_sub(kept));
    // SAFETY: invariant 1 holds for each span, which the caller of this function vouches for.
    unsafe { decommit(stacks) };
}

/// Makes every access to `spans` fault, permanently. On failure, the error comes with the number of
/// spans that were guarded, counted from the first.
///
/// # Safety
/// Invariant 1 holds for each span.
pub(crate) unsafe fn guard(spans: &[Span]) -> Result<(), (usize, io::Error)> {
    let mut done = 0;
    if !guards_take_maps() {
        // SAFETY: invariant 1 holds for each span, which the caller of this function vouches for.
        done = unsafe { advise_batch(spans, MADV_GUARD_INSTALL) };
        while done < spans.len() {
            let span = spans[done];
            // SAFETY: only the caller uses the span, and no live frame is in it (invariant 1).
            match unsafe { libc::madvise(span.start.cast(), span.len, MADV_GUARD_INSTALL) } {
                0 => done += 1,
                _ => match io::Error::last_os_error() {
                    e if e.kind() == io::ErrorKind::Interrupted => {}
                    e if e.raw_os_error() == Some(libc::ENOMEM) => return Err((done, e)),
                    // The kernel refuses a marker for this memory (for example, if it is locked by
                    // `mlockall`). The other kind of guard works there.
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
        // SAFETY: only the caller uses the span, and no live frame is in it (invariant 1).
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

/// Returns how many bytes of address space the process may have, if there is a limit.
pub(crate) fn address_limit() -> Option<usize> {
    let limit = super::super::unix::limit::get(rustix::process::Resource::As).current;
    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
    if usize::BITS == 64 {
        return limit;
    }
    // A 32-bit process has as many addresses as the kernel leaves it, which is a number of GiB.
    // The main thread's stack is at their end, and begins with the program's name.
    // SAFETY: `getauxval` has no precondition; it only returns a number.
    let end = unsafe { libc::getauxval(libc::AT_EXECFN) } as usize;
    // An emulator may have it elsewhere. Most kernels leave 3 GiB.
    let all = (end | ((1 << 30) - 1)).max((3 << 30) - 1);
    Some(limit.map_or(all, |limit| limit.min(all)))
}

/// Returns how many bytes of address space the process uses, if the system tells.
pub(crate) fn addresses_used() -> Option<usize> {
    use std::io::Read;
    let mut text = [0; 32];
    // The file begins with the number of pages.
    let len = std::fs::File::open("/proc/self/statm").and_then(|mut file| file.read(&mut text)).ok()?;
    let first = text[..len].split(|byte| !byte.is_ascii_digit()).next()?;
    Some(str::from_utf8(first).ok()?.parse::<usize>().ok()? * page_size())
}

/// Returns whether guards take maps, of which a process has few.
pub(crate) fn guards_take_maps() -> bool {
    match MODE.load(Relaxed) {
        UNKNOWN => probe() == PROTECT,
        mode => mode == PROTECT,
    }
}

/// Returns how many guards of the kind that takes maps are possible, if the system tells.
pub(crate) fn map_limit() -> Option<usize> {
    static LIMIT: AtomicUsize = AtomicUsize::new(0);
    let mut limit = LIMIT.load(Relaxed);
    if limit == 0 {
        limit = std::fs::read_to_string("/proc/sys/vm/max_map_count")
            .ok()
            .and_then(|s| s.trim().parse().ok())
            // A guard takes two maps. One thirty-second of the maps is left to the rest of the
            // process.
            .map_or(usize::MAX, |maps: usize| (maps - maps / 32) / 2);
        LIMIT.store(limit.max(1), Relaxed);
    }
    (limit != usize::MAX).then_some(limit)
}

/// Returns the number of guards that take maps.
pub(crate) fn guards_with_maps() -> usize {
    PROTECTED.load(Relaxed)
}

static PROTECTED: AtomicUsize = AtomicUsize::new(0);

/// The kind of guard that [`guard`] makes (invariant 3).
static MODE: AtomicU8 = AtomicU8::new(UNKNOWN);
const UNKNOWN: u8 = 0;
const MARKER: u8 = 1;
const PROTECT: u8 = 2;

/// Finds out whether markers work. An emulator may accept an unknown advice and do nothing.
/// Therefore the guard is tested: populating a guarded page must fail.
#[cold]
fn probe() -> u8 {
    let forced = std::env::var_os("GREENTHREAD_STACK_GUARD").is_some_and(|v| v == "mprotect");
    let len = page_size();
    let works = !forced
        && reserve(len, len).is_ok_and(|page| {
            let page = page.as_ptr().cast();
            // SAFETY: the page was just reserved here, and no other code knows its address
            // (invariant 1).
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

/// Gives advice on spans, several in one system call. Returns the number of spans that are done,
/// counted from the first. The caller handles the rest one by one.
///
/// # Safety
/// Invariant 1 holds for each span, and `advice` does no harm to such memory.
unsafe fn advise_batch(spans: &[Span], advice: c_int) -> usize {
    static MISSING: AtomicU8 = AtomicU8::new(0);
    let mut done = 0;
    while spans.len() - done > 1 && MISSING.load(Relaxed) == 0 {
        let batch = &spans[done..spans.len().min(done + UIO_MAXIOV)];
        // SAFETY: only the caller uses the spans (invariant 1), and they have the layout that the
        // kernel expects (invariant 2).
        let advised = unsafe {
            libc::syscall(libc::SYS_process_madvise, PIDFD_SELF, batch.as_ptr(), batch.len(), advice, 0)
        };
        let Ok(mut bytes) = usize::try_from(advised) else {
            // Any other error is about one span. The call for that span alone will report it.
            if let Some(libc::ENOSYS | libc::EBADF | libc::EPERM | libc::EACCES | libc::EOPNOTSUPP) =
                io::Error::last_os_error().raw_os_error()
            {
                MISSING.store(1, Relaxed);
            }
            break;
        };
        // The call may stop in the middle of a span. Repeating a part of a span does no harm.
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
        let base = reserve(8 * page, 8 * page).unwrap().as_ptr();
        let span =
            |from: usize, pages: usize| Span { start: base.wrapping_add(from * page), len: pages * page };
        // SAFETY: the reservation belongs to this test (invariant 1), and only unguarded pages are
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
        assert!(reserve(usize::MAX - (page_size() - 1), 0).is_err());
    }
}
