//! Panics on green threads: the message names the thread, and the hook runs without switching.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::{io::Write, panic};

use crate::task::local;

/// Puts our hook before the one that is there. Once; not while panicking, when std does not allow it.
pub(crate) fn install() {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    if std::thread::panicking() || INSTALLED.swap(true, Relaxed) {
        return;
    }
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let Some((local, task)) = local::get().and_then(|local| Some((local, local.running()?))) else {
            return previous(info);
        };
        local.note_panic(task);
        // A panic during a hook aborts the process, and std counts per OS thread: no sibling may run in between.
        local.no_yield.set(local.no_yield.get() + 1);
        let name = task.block.name.as_deref().unwrap_or("<unnamed>");
        let _ = write!(std::io::stderr(), "\ngreen thread '{name}', spawned at {}:", task.location);
        previous(info);
        local.no_yield.set(local.no_yield.get() - 1);
    }));
}
