//! Which pool a blocking call goes to (`blocking`). On an OS thread, and where nothing may switch, it is made right there.

use std::io;

use crate::{blocking::Pool, scheduler::worker};

/// The calling green thread's pool; none on an OS thread, or where nothing may switch.
fn pool<'a>() -> Option<&'a Pool> {
    worker::running().map(|(worker, _)| &worker.shared.pool)
}

/// Makes a call that the system brings to an end soon, whatever others do.
pub(crate) fn unblock_disk<F, T>(f: F) -> T
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    match pool() {
        Some(pool) => pool.run_disk(f),
        None => f(),
    }
}

/// Makes a call that may wait for others.
///
/// # Errors
/// There is no OS thread for it. `f` has not run.
pub(crate) fn unblock_wait<F, T>(f: F) -> io::Result<T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    match pool() {
        Some(pool) => pool.run_waiting(f),
        None => Ok(f()),
    }
}

/// Runs `f`, the user's. It waits for a thread if need be; if there is none at all, it is run on
/// the spot.
pub(crate) fn unblock<F, T>(f: F) -> T
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    match pool() {
        Some(pool) => pool.run(f),
        None => f(),
    }
}
