//! The process as a whole.

/// Calls `f` when the process exits by `exit`. Too many such calls (32 are sure) and this one is left out:
/// it only makes the exit more orderly.
pub(crate) fn at_exit(f: extern "C" fn()) {
    // SAFETY: `f` is a function without arguments that does not unwind.
    unsafe { libc::atexit(f) };
}
