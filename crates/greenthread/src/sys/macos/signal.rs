//! Signals: the handler for memory faults, and the numbers of the other signals.
//!
//! An access to a guard raises SIGBUS: it fails by its protection, and only an address without a
//! mapping raises SIGSEGV (`bsd/uxkern/ux_exception.c`). An overflow of the main thread's own stack
//! raises SIGSEGV. The handler is installed for both. In both cases `si_addr` is the address of the
//! access (`bsd/dev/arm/unix_signal.c`, `bsd/dev/i386/unix_signal.c`).

use core::ffi::c_int;

pub use super::super::unix::signal::*;

/// Returns the largest signal number: `NSIG - 1`. macOS has no real-time signals.
pub(crate) fn last() -> c_int {
    31
}
