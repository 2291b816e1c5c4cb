//! What the code that all Unix ports share must know about Linux.

use std::ffi::CStr;

use libc::c_int;
use rustix::net::SendFlags;

/// The flags of a send that may block.
pub(crate) const BLOCKING_SEND: SendFlags = SendFlags::NOSIGNAL;

/// The flags of a send that does not block.
pub(crate) const NONBLOCKING_SEND: SendFlags = SendFlags::NOSIGNAL.union(SendFlags::DONTWAIT);

/// The major number of `/dev/null` and similar devices, which have no other process behind them.
pub(crate) const MEMORY_DEVICES: u32 = 1;

/// The number of bytes of a thread's name that the kernel keeps.
pub(crate) const NAME_LEN: usize = 15;

/// Names the calling OS thread.
pub(crate) fn set_thread_name(name: &CStr) {
    let _ = rustix::thread::set_name(name);
}

/// Returns the number of open descriptors that the system allows a process, whatever its limit is.
#[inline]
pub(crate) fn most_descriptors() -> u64 {
    u64::MAX
}

/// Returns whether `si_code` says that a process has sent a signal, rather than that the processor
/// has raised it.
#[inline]
pub(crate) fn was_sent(code: c_int) -> bool {
    code <= 0
}

/// Size of an alternate stack in bytes, beyond the system's own minimum. The handler of this
/// library needs little, but a crash reporter that was installed earlier may need more. A smaller
/// stack could overflow there; a larger one costs address space for each worker.
const ALTERNATE_SIZE: usize = 64 * 1024;

/// Returns the size of an alternate stack in bytes. The system itself puts data on it; processors
/// with wide registers need much space for that.
pub(crate) fn alternate_size() -> usize {
    // SAFETY: `getauxval` has no precondition; it only returns a number.
    let least = unsafe { libc::getauxval(libc::AT_MINSIGSTKSZ) } as usize;
    ALTERNATE_SIZE + least.max(libc::MINSIGSTKSZ)
}
