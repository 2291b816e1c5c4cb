//! OS threads for workers.

pub(crate) use super::super::unix::thread::OsThread;

/// The system's ID of an OS thread, which is never used again while the system is up.
pub(crate) type ThreadId = u64;

/// Returns the ID of the calling OS thread.
pub(crate) fn id() -> ThreadId {
    let mut id = 0;
    // SAFETY: a handle of 0 means the calling thread, and the call writes one number. For the
    // calling thread it cannot fail (pthread_threadid_np(3)).
    unsafe { libc::pthread_threadid_np(0, &raw mut id) };
    id
}

/// Returns `false`: whether a thread is blocked is not asked for. (`thread_info` would tell, but it
/// needs a Mach port of the thread, and a port is valid only while the thread lives.)
pub(crate) fn is_blocked(_: ThreadId) -> bool {
    false
}
