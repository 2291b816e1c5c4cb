//! What differs between systems. A test asks this module instead of asking for the system.
//!
//! Modules of tests that are about Linux itself (filters on system calls, io_uring, the cache, the
//! kinds of descriptors that only Linux has) are left out elsewhere, in the `main.rs` of their
//! program.

#[cfg(unix)]
#[allow(unused_imports, reason = "each test program uses its own part of it")]
pub(crate) use of_unix::{DIRECT, address, is_same, narrow, st_size, uncache};

#[cfg(unix)]
use std::os::{fd::BorrowedFd, unix::net::SocketAddr};

#[cfg(target_os = "linux")]
mod here {
    use super::*;
    use std::os::{fd::AsRawFd, linux::net::SocketAddrExt};

    pub(crate) use greenthread::os::linux::fs::MetadataExt;

    pub(crate) const DIRECT: i32 = libc::O_DIRECT;

    pub(crate) fn os_thread() -> u64 {
        rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs().into()
    }

    pub(crate) fn open_descriptors() -> usize {
        std::fs::read_dir("/proc/self/fd").unwrap().count()
    }

    pub(crate) fn address(name: &str) -> SocketAddr {
        SocketAddr::from_abstract_name(name).unwrap()
    }

    pub(crate) fn uncache(file: BorrowedFd<'_>) {
        // SAFETY: the descriptor is open, and the call touches no memory.
        let error = unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
        assert_eq!(error, 0);
    }

    pub(crate) fn narrow(pipe: i32) -> usize {
        // SAFETY: the call touches no memory.
        let size = unsafe { libc::fcntl(pipe, libc::F_SETPIPE_SZ, 4096) };
        usize::try_from(size).expect("the size is set")
    }
}

#[cfg(target_os = "macos")]
mod here {
    use super::*;

    pub(crate) use greenthread::os::darwin::fs::MetadataExt;

    pub(crate) const DIRECT: i32 = 0;

    pub(crate) fn os_thread() -> u64 {
        let mut id = 0;
        // SAFETY: 0 means the calling thread, and the call writes one number.
        unsafe { libc::pthread_threadid_np(0, &raw mut id) };
        id
    }

    pub(crate) fn open_descriptors() -> usize {
        std::fs::read_dir("/dev/fd").unwrap().count()
    }

    pub(crate) fn address(name: &str) -> SocketAddr {
        // The system's directory for temporary files has a name that is too long for an address.
        SocketAddr::from_pathname(std::path::Path::new("/tmp").join(name)).unwrap()
    }

    pub(crate) fn uncache(_: BorrowedFd<'_>) {}

    /// XNU lets a pipe grow to 64 KiB (sys/pipe.h), and nothing makes it smaller.
    pub(crate) fn narrow(_: i32) -> usize {
        65536
    }
}

#[cfg(windows)]
mod here {
    use windows_sys::Win32::System::Threading::{
        GetCurrentProcess, GetCurrentThreadId, GetProcessHandleCount,
    };

    pub(crate) fn os_thread() -> u64 {
        // SAFETY: the call has no precondition.
        unsafe { GetCurrentThreadId() }.into()
    }

    pub(crate) fn open_descriptors() -> usize {
        let mut count = 0;
        // SAFETY: the call writes the variable.
        assert_ne!(unsafe { GetProcessHandleCount(GetCurrentProcess(), &mut count) }, 0);
        count as usize
    }
}

/// The number of open descriptors. On Windows there are handles of other kinds too.
pub(crate) fn open_descriptors() -> usize {
    here::open_descriptors()
}

/// The bytes of memory that the process has in use. Elsewhere than on Linux nobody says so: 0.
pub(crate) fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    pages.and_then(|pages| pages.split(' ').nth(1)?.parse::<usize>().ok()).unwrap_or(0) * 4096
}

/// A number that no other OS thread of this process has. On Linux, its name below
/// `/proc/self/task`.
pub(crate) fn os_thread() -> u64 {
    here::os_thread()
}

/// What a test for Unix asks for.
#[cfg(unix)]
mod of_unix {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    /// The flag for a file whose calls bypass the cache; 0 if there is none.
    pub(crate) const DIRECT: i32 = here::DIRECT;

    /// The size of a file, by the trait for the metadata that this system has.
    pub(crate) fn st_size(metadata: &std::fs::Metadata) -> u64 {
        here::MetadataExt::st_size(metadata)
    }

    /// An address that no other socket has: on Linux an abstract one, elsewhere a path.
    pub(crate) fn address(name: &str) -> SocketAddr {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        here::address(&format!("greenthread-{name}-{}-{}", std::process::id(), COUNT.fetch_add(1, SeqCst)))
    }

    /// Whether two addresses of Unix sockets are the same.
    pub(crate) fn is_same(one: &SocketAddr, other: &SocketAddr) -> bool {
        format!("{one:?}") == format!("{other:?}")
    }

    /// Drops those pages of a file from the cache that are written to the disk, where the
    /// system can.
    pub(crate) fn uncache(file: BorrowedFd<'_>) {
        here::uncache(file);
    }

    /// Makes a pipe as small as the system can, and returns how many bytes it holds.
    pub(crate) fn narrow(pipe: i32) -> usize {
        here::narrow(pipe)
    }
}
