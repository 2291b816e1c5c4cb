//! What the operating system must give us: one contract, and Linux behind it.
//!
//! Another system is another file beside each of these with the same items; nothing above this room asks
//! which system it runs on.

pub(crate) mod clock;
pub(crate) mod descriptors;
pub(crate) mod file;
pub(crate) mod heap;
pub(crate) mod lookup;
pub(crate) mod memory;
pub(crate) mod parker;
pub(crate) mod poller;
pub(crate) mod process;
pub(crate) mod signal;
pub(crate) mod stderr;
pub(crate) mod thread;
pub(crate) mod uring;

use rustix::io::Errno;

/// Whether an optional call was refused as such: the kernel doesn't know it, or a flag of it, or a filter forbids it.
/// What filters answer is up to those who write them. Such an answer says nothing about what was asked for: the plain
/// call does it, or says why not.
pub(crate) fn is_refused(error: Errno) -> bool {
    matches!(error, Errno::NOSYS | Errno::PERM | Errno::ACCESS | Errno::OPNOTSUPP | Errno::INVAL)
}

#[cfg(not(target_os = "linux"))]
compile_error!("greenthread runs on Linux for now; macOS and Windows come with the ports");
