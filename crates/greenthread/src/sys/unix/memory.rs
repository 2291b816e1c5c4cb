//! What the ports have in common about the memory for stacks.

use core::{
    ptr,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};
use std::io;

/// A range of addresses.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) start: *mut u8,
    pub(crate) len: usize,
}

impl Span {
    pub(crate) const EMPTY: Self = Self { start: ptr::null_mut(), len: 0 };
}

/// Makes an error that says that memory or address space has run out. `text` says which of them,
/// and what the user can do.
///
/// If there is no memory for the text, the error has none. That is better than an abort.
#[cold]
pub(crate) fn exhausted(text: core::fmt::Arguments<'_>) -> io::Error {
    match Vec::<u8>::new().try_reserve(1024) {
        Ok(()) => io::Error::new(io::ErrorKind::OutOfMemory, text.to_string()),
        Err(_) => io::ErrorKind::OutOfMemory.into(),
    }
}

/// Returns the system's page size in bytes.
#[inline]
pub(crate) fn page_size() -> usize {
    static SIZE: AtomicUsize = AtomicUsize::new(0);

    #[cold]
    fn ask() -> usize {
        // SAFETY: `sysconf` has no precondition.
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
