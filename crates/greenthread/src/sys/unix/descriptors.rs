//! The limit on the number of open descriptors of the process: `RLIMIT_NOFILE`. Its soft limit is
//! often low for the sake of `select(2)`, and may be raised up to the hard limit.
//!
//! A process that raises the limit passes the raised limit to its children, whose programs may not
//! expect it. Therefore the limit is raised by no more than is needed, and each child restores it
//! (as in Go).
//!
//! Invariants:
//! 1. `restore` runs in a child between fork and exec. It only reads atomics and makes system
//!    calls.

use std::{
    io,
    os::unix::process::CommandExt,
    process::Command,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use rustix::process::{Resource, Rlimit, setrlimit};

use super::{super::port::quirks::most_descriptors, limit};

/// The soft limit before this library raised it, and after; 0 if the library has not raised it.
static FROM: AtomicU64 = AtomicU64::new(0);
static TO: AtomicU64 = AtomicU64::new(0);

/// Returns the number of descriptors that are possible if the soft limit is raised to the hard
/// limit.
pub(crate) fn most() -> u64 {
    possible(limit::get(Resource::Nofile).maximum)
}

/// Returns the number of descriptors that are possible now.
pub(crate) fn limit() -> u64 {
    possible(limit::get(Resource::Nofile).current)
}

/// Returns how many descriptors a limit leaves. The system may have a smaller limit of its own.
fn possible(limit: Option<u64>) -> u64 {
    limit.unwrap_or(u64::MAX).min(most_descriptors())
}

/// Raises the limit by `count`, as far as possible, if `count` is more than an eighth of the
/// current limit.
pub(crate) fn make_room(count: u64) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let now = limit::get(Resource::Nofile);
    let Some(soft) = now.current.filter(|soft| count > soft / 8) else { return };
    let to = soft.saturating_add(count).min(possible(now.maximum));
    if setrlimit(Resource::Nofile, Rlimit { current: Some(to), maximum: now.maximum }).is_ok() {
        if TO.load(Relaxed) != soft {
            FROM.store(soft, Relaxed);
        }
        TO.store(to, Relaxed);
    }
}

/// Returns whether this library has raised the limit.
pub(crate) fn is_raised() -> bool {
    TO.load(Relaxed) != 0
}

/// Makes the children of a command start with the limit as it was before this library raised it.
pub(crate) fn restore_for(command: &mut Command) {
    // SAFETY: `restore` only reads atomics and makes system calls, which is allowed between fork
    // and exec (invariant 1).
    unsafe { command.pre_exec(restore) };
}

/// Restores the limit, unless other code has changed it since.
fn restore() -> io::Result<()> {
    let now = limit::get(Resource::Nofile);
    if now.current == Some(TO.load(Relaxed)) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(FROM.load(Relaxed)), maximum: now.maximum })?;
    }
    Ok(())
}
