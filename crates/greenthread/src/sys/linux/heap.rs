//! The C library's heap, which is the allocator of most programs.

/// Has it give unused memory back to the system, which it does by itself only at its very end: one
/// block that is in use there keeps all that lies before it. Takes some milliseconds, or more if
/// there is much. Does nothing where the system's C library can't, or the program has another
/// allocator.
pub(crate) fn trim() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it may be called at any time, from any OS thread.
    unsafe {
        libc::malloc_trim(0);
    }
}
