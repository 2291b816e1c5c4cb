//! OS threads for workers.

use std::fs;

pub(crate) use super::super::unix::thread::OsThread;

/// The kernel's ID of an OS thread.
pub(crate) type ThreadId = rustix::thread::Pid;

/// Returns the ID of the calling OS thread.
pub(crate) fn id() -> ThreadId {
    rustix::thread::gettid()
}

/// Returns whether an OS thread of this process is blocked in the kernel; `false` if that is not
/// known.
pub(crate) fn is_blocked(thread: ThreadId) -> bool {
    let path = format!("/proc/self/task/{}/stat", thread.as_raw_nonzero());
    // The state follows the name, which is in parentheses and may itself contain parentheses.
    let stat = fs::read(path).unwrap_or_default();
    let name_end = stat.iter().rposition(|byte| *byte == b')').unwrap_or(stat.len());
    matches!(stat.get(name_end..), Some([b')', b' ', b'S' | b'D', ..]))
}
