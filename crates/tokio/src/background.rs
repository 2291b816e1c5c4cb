//! A tokio in the background, for green threads of any runtime, and for OS threads.
//!
//! Here tokio runs on OS threads of its own. Each of its wake-ups comes from another OS thread, so
//! this costs more than [`RuntimeExt::tokio`](crate::RuntimeExt). It works on all systems.
//!
//! # Examples
//!
//! ```
//! use greenthread_tokio::background;
//! use tokio::time::{Duration, sleep};
//!
//! // A timer looks for tokio as it is made, so it is made inside.
//! greenthread::run(|| background::block_on(async { sleep(Duration::from_millis(1)).await }));
//! ```

use std::{future::poll_fn, pin::pin, sync::OnceLock};

use tokio::runtime::{Builder, Handle, Runtime};

/// Returns the handle of tokio's runtime, which starts with the first call and lasts until the
/// process ends. Futures given to its `spawn` run on its own OS threads.
///
/// # Panics
///
/// Panics if it can't be started.
///
/// # Examples
///
/// ```
/// use greenthread_tokio::background;
///
/// let sum = greenthread::block_on(background::handle().spawn(async { 1 + 2 })).unwrap();
/// assert_eq!(sum, 3);
/// ```
pub fn handle() -> &'static Handle {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let start = || match Builder::new_multi_thread().enable_all().thread_name("background-tokio").build() {
        Ok(runtime) => runtime,
        Err(error) => panic!("tokio can't start: {error}"),
    };
    RUNTIME.get_or_init(start).handle()
}

/// Runs a future on the calling thread, as [`greenthread::block_on`] does. The future finds the
/// background's tokio in each of its polls.
///
/// # Panics
///
/// Panics with the panic of the future, and if tokio can't be started.
///
/// # Examples
///
/// See [the module](self).
pub fn block_on<F: IntoFuture>(future: F) -> F::Output {
    let handle = handle();
    // It may look for tokio as it is made.
    let context = handle.enter();
    let mut future = pin!(future.into_future());
    drop(context);
    greenthread::block_on(poll_fn(|context| {
        // Entered for the poll alone, so that no other thread runs between this and its end.
        let _context = handle.enter();
        future.as_mut().poll(context)
    }))
}
