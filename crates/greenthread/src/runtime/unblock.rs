//! Chooses the pool for a blocking call (`blocking`). On an OS thread, and where the caller may not
//! be suspended, the call is made on the calling thread.

use std::io;

use crate::{blocking::Pool, scheduler::worker, task::cancel};

/// Returns the pool of the calling green thread's runtime, or `None` on an OS thread and where the
/// caller may not be suspended.
fn pool<'a>() -> Option<&'a Pool> {
    worker::running().map(|(worker, _)| &worker.shared.pool)
}

/// Makes a call that the system ends soon, whatever other threads do. A cancellation point until a
/// thread of the pool has taken the call.
pub(crate) fn unblock_disk<F, T>(f: F) -> T
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    match pool() {
        Some(pool) => {
            cancel::check();
            pool.run_disk(f)
        }
        None => f(),
    }
}

/// Makes a call that may wait until other threads or processes act. A cancellation point before the
/// call.
///
/// # Errors
/// There is no OS thread for the call, or the thread is cancelled. `f` has not run.
pub(crate) fn unblock_wait<F, T>(f: F) -> io::Result<T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    cancel::check_call().map_err(cancel::raise)?;
    unblock_wait_unchecked(f)
}

/// As `unblock_wait`, and no cancellation point.
///
/// # Errors
/// There is no OS thread for the call. `f` has not run.
pub(crate) fn unblock_wait_unchecked<F, T>(f: F) -> io::Result<T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    match pool() {
        Some(pool) => pool.run_waiting(f),
        None => Ok(f()),
    }
}

/// Runs `f`, which is the user's. The call waits in a queue for an OS thread. If there is none at
/// all, `f` runs on the calling thread. A cancellation point until a thread of the pool has taken
/// it.
pub(crate) fn unblock<F, T>(f: F) -> T
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    cancel::check();
    match pool() {
        Some(pool) => pool.run(f),
        None => f(),
    }
}
