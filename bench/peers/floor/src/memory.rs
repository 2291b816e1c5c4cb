//! The cost of a stack for the system.

use std::ptr;

use bench_common::{Args, Mark};

const PAGE: usize = 4096;
/// The number of stacks that one call guards or gives back.
const BATCH: usize = 64;
const MADV_GUARD_INSTALL: i32 = 102;

/// `threads` stacks of `n` KiB with a guard page each: their guards, the first touch of each one's
/// last page, a second visit when all have been touched, and giving that page back. There is one
/// round: memory that the process has touched before behaves differently.
pub fn stacks(args: &Args) {
    let stride = args.n * 1024 + PAGE;
    let len = args.threads * stride;
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: new memory, somewhere.
    let base = unsafe { libc::mmap(ptr::null_mut(), len, protection, flags, -1, 0) };
    assert_ne!(base, libc::MAP_FAILED, "no address space for {len} bytes");
    let base = base.cast::<u8>();
    // SAFETY: ours.
    unsafe { libc::madvise(base.cast(), len, libc::MADV_NOHUGEPAGE) };

    let start = Mark::now();
    advise(base, stride, PAGE, args.threads, MADV_GUARD_INSTALL);
    start.elapsed().report("guard", args.threads, "");

    let start = Mark::now();
    for i in 1..=args.threads {
        // SAFETY: the last word of the stack, which is ours.
        unsafe { base.add(i * stride - 8).write(1) };
    }
    start.elapsed().report("touch", args.threads, "");

    let start = Mark::now();
    for i in 1..=args.threads {
        // SAFETY: as above, and written before.
        assert_eq!(unsafe { base.add(i * stride - 8).read() }, 1);
    }
    start.elapsed().report("visit", args.threads, "");

    let start = Mark::now();
    // SAFETY: behind the guard.
    advise(unsafe { base.add(PAGE) }, stride, stride - PAGE, args.threads, libc::MADV_DONTNEED);
    start.elapsed().report("return", args.threads, "");
}

/// Advises the system about the first `len` bytes of every stride, in batches.
fn advise(base: *mut u8, stride: usize, len: usize, count: usize, advice: i32) {
    // SAFETY: a descriptor of this process itself; it stays open.
    let this = unsafe { libc::syscall(libc::SYS_pidfd_open, libc::getpid(), 0) } as i32;
    let span = |i| libc::iovec { iov_base: base.wrapping_add(i * stride).cast(), iov_len: len };
    let mut batched = this >= 0;
    for first in (0..count).step_by(BATCH) {
        let spans: Vec<_> = (first..count.min(first + BATCH)).map(span).collect();
        let all = spans.len() * len;
        if batched {
            // SAFETY: spans of our own mapping.
            let done = unsafe {
                libc::syscall(libc::SYS_process_madvise, this, spans.as_ptr(), spans.len(), advice, 0)
            };
            batched = done == all as libc::c_long;
        }
        if !batched {
            for span in &spans {
                // SAFETY: as above.
                let done = unsafe { libc::madvise(span.iov_base, span.iov_len, advice) };
                assert_eq!(done, 0, "madvise({advice}): {}", std::io::Error::last_os_error());
            }
        }
    }
}
