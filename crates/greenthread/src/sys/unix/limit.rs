//! Limits of the process.
//!
//! `rustix` panics if a filter on system calls refuses to tell a limit. Here such a limit counts as
//! none, so that the program goes on, and the system itself refuses what is beyond it.
//!
//! Invariants:
//! 1. `getrlimit` writes to the structure that it is given, and to nothing else.

use rustix::process::{Resource, Rlimit};

/// Returns a limit of the process. May be called between fork and exec.
pub(in super::super) fn get(resource: Resource) -> Rlimit {
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the structure is this function's own (invariant 1). If the call fails, the structure
    // stays as it is.
    unsafe { libc::getrlimit(resource as _, &raw mut limit) };
    #[allow(clippy::unnecessary_cast, reason = "on 32-bit machines it is a smaller type")]
    let known = |limit: libc::rlim_t| (limit != libc::RLIM_INFINITY).then_some(limit as u64);
    Rlimit { current: known(limit.rlim_cur), maximum: known(limit.rlim_max) }
}
