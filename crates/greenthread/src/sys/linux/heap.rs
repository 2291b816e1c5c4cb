//! The C library's heap, which is the allocator of most programs.

/// Makes the heap return unused memory to the system. By itself the heap returns only memory at its
/// very end, and one used block there keeps all memory before it. The call takes some milliseconds,
/// or more if there is much memory. It does nothing if the system's C library has no such call, or
/// if the program uses another allocator.
pub(crate) fn trim() {
    #[cfg(target_env = "gnu")]
    // SAFETY: `malloc_trim` may be called at any time, from any OS thread.
    unsafe {
        libc::malloc_trim(0);
    }
}
