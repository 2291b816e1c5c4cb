//! Chooses the pool for a blocking call (`blocking`). On an OS thread, and where the caller may not
//! be suspended, the call is made on the calling thread. (An OS thread that may be cancelled leaves
//! what can be interrupted to another one.)

use std::{io, sync::OnceLock};

use super::config;
use crate::{
    blocking::Pool,
    scheduler::worker,
    sys::{error::OsError, interrupt::Interruptible},
    task::cancel,
};

/// Returns the pool of the calling green thread's runtime, or `None` on an OS thread and where the
/// caller may not be suspended.
fn pool<'a>() -> Option<&'a Pool> {
    worker::running().map(|(worker, _)| &worker.shared.pool)
}

/// Returns the pool for calls of OS threads in cancellation scopes, which can be interrupted only
/// if another thread makes them. `None` if none can be, or an environment variable is wrong.
fn pool_of_os_threads() -> Option<&'static Pool> {
    static POOL: OnceLock<Option<Pool>> = OnceLock::new();
    if !Interruptible::POSSIBLE || cancel::view_of_os_thread().is_none() {
        return None;
    }
    POOL.get_or_init(|| Some(Pool::new("os", config::pool_limits(None, None).ok()?))).as_ref()
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

/// As `unblock_wait_unchecked`. What `f` calls by its argument is a cancellation point as long as
/// it waits, on OS threads too, if the system can interrupt it.
///
/// # Errors
/// Those of `f`. There is no OS thread for the call. `cancel::error` if the thread is cancelled.
pub(crate) fn unblock_interruptible<F, T>(mut f: F) -> io::Result<T>
where
    F: FnMut(&Interruptible) -> io::Result<T> + Send,
    T: Send,
{
    let result = match pool() {
        Some(pool) => pool.run_interruptible(&mut f)?,
        None => match pool_of_os_threads().map(|pool| pool.run_interruptible(&mut f)) {
            Some(Ok(result)) => result,
            Some(Err(_)) | None => f(&Interruptible::new()),
        },
    };
    if let Err(error) = &result
        && OsError::of(error) == Some(OsError::CANCELED)
    {
        // Others may cancel operations, too.
        cancel::check_call()?;
    }
    result
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
