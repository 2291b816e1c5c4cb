//! How many descriptors the process may have open: `RLIMIT_NOFILE`, whose soft limit is often low
//! for the sake of `select(2)`, and may be raised up to the hard one.
//!
//! A process that raises it and starts another hands the raised limit on, to a program that may not
//! expect it. So the limit is raised by no more than is needed, and a child undoes it (as with Go).
//!
//! Invariants:
//! 1. `restore` runs in a child between fork and exec: it reads atomics and makes system calls, and
//!    nothing else.

use std::{
    io,
    os::unix::process::CommandExt,
    process::Command,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The soft limit as it was, and as we have raised it; 0 as long as we haven't.
static FROM: AtomicU64 = AtomicU64::new(0);
static TO: AtomicU64 = AtomicU64::new(0);

/// How many there may be if the soft limit is raised to the hard one.
pub(crate) fn most() -> u64 {
    getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX)
}

/// How many there may be now.
pub(crate) fn limit() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Makes room for `count` more, as far as may be, if they would take more than an eighth of what
/// there is.
pub(crate) fn make_room(count: u64) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let now = getrlimit(Resource::Nofile);
    let Some(soft) = now.current.filter(|soft| count > soft / 8) else { return };
    let to = soft.saturating_add(count).min(now.maximum.unwrap_or(u64::MAX));
    if setrlimit(Resource::Nofile, Rlimit { current: Some(to), maximum: now.maximum }).is_ok() {
        if TO.load(Relaxed) != soft {
            FROM.store(soft, Relaxed);
        }
        TO.store(to, Relaxed);
    }
}

/// Whether we have raised the limit.
pub(crate) fn is_raised() -> bool {
    TO.load(Relaxed) != 0
}

/// Has the children of a command begin with the limit as it was before we raised it.
pub(crate) fn restore_for(command: &mut Command) {
    // SAFETY: what runs there may (invariant 1).
    unsafe { command.pre_exec(restore) };
}

/// Undoes it, unless somebody else has set the limit since.
fn restore() -> io::Result<()> {
    let now = getrlimit(Resource::Nofile);
    if now.current == Some(TO.load(Relaxed)) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(FROM.load(Relaxed)), maximum: now.maximum })?;
    }
    Ok(())
}
