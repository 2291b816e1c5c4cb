//! All runtimes of the process. A canceller of a thread that is in no scope finds its worker here:
//! the handle of a thread does not say where it has started, and need not keep a runtime alive.

use std::sync::{Arc, Weak};

use super::shared::Shared;
use crate::{
    sys::process::ForkMutex,
    task::{block::BlockRef, cancel},
};

/// The runtimes, those of a parent process included.
pub(crate) static RUNTIMES: ForkMutex<Vec<Weak<Shared>>> = ForkMutex::new(Vec::new());

/// Adds a runtime, and forgets those that have gone.
pub(crate) fn add(shared: &Arc<Shared>) {
    let mut runtimes = RUNTIMES.lock();
    runtimes.retain(|runtime| runtime.strong_count() != 0);
    runtimes.push(Arc::downgrade(shared));
}

/// Cancels a thread by its handle.
pub(crate) fn cancel_thread(thread: &BlockRef) {
    let runtimes = RUNTIMES.lock();
    let runtimes = || runtimes.iter().filter_map(Weak::upgrade).filter(|runtime| !runtime.is_foreign());
    // SAFETY: a handle's block is a task's. Runtimes are in the list from before their first thread
    // until their last one has ended.
    unsafe {
        cancel::cancel_thread(thread, || {
            runtimes().flat_map(|runtime| {
                (0..runtime.workers.len()).map(move |index| runtime.workers[index].clone())
            })
        });
    }
}
