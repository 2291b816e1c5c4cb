//! The default runtime, which starts when it is first needed. A forked child makes its own.
//!
//! Invariants:
//! 1. `DEFAULT` is null or points to a `Default` that is never freed.

use core::{
    ptr,
    sync::atomic::{
        AtomicPtr,
        Ordering::{AcqRel, Acquire},
    },
};
use std::{
    io,
    sync::{Mutex, OnceLock, PoisonError},
};

use super::owner::Runtime;
use crate::{scheduler::shared::Shared, sys::process::generation};

/// The default runtime of one process.
struct Default {
    generation: u32,
    runtime: OnceLock<Runtime>,
    starting: Mutex<()>,
}

static DEFAULT: AtomicPtr<Default> = AtomicPtr::new(ptr::null_mut());

impl Default {
    /// Returns this process's record, and makes it if there is none.
    fn get() -> &'static Self {
        let seen = DEFAULT.load(Acquire);
        // SAFETY: `DEFAULT` is null or points to a `Default` that is never freed (invariant 1).
        match unsafe { seen.as_ref() } {
            Some(this) if this.generation == generation() => this,
            _ => Self::new(seen),
        }
    }

    /// Replaces `seen`, which is null or the parent's record. The parent's record stays as it is: a
    /// thread of the parent may have locked it, and nobody unlocks it here.
    #[cold]
    fn new(seen: *mut Self) -> &'static Self {
        let new = Self { generation: generation(), runtime: OnceLock::new(), starting: Mutex::new(()) };
        let new = Box::into_raw(Box::new(new));
        match DEFAULT.compare_exchange(seen, new, AcqRel, Acquire) {
            // SAFETY: `DEFAULT` points to `new` now, and what it points to is never freed
            // (invariant 1).
            Ok(_) => unsafe { &*new },
            Err(other) => {
                // SAFETY: `new` came from `Box::into_raw`, and was not published.
                drop(unsafe { Box::from_raw(new) });
                // SAFETY: another thread of this process has published `other`, which is never
                // freed (invariant 1).
                unsafe { &*other }
            }
        }
    }
}

/// Returns the default runtime, and starts it at the first call.
pub(crate) fn default() -> io::Result<&'static Shared> {
    let this = Default::get();
    if this.runtime.get().is_none() {
        let _one = this.starting.lock().unwrap_or_else(PoisonError::into_inner);
        if this.runtime.get().is_none() {
            // A failure is not stored. The next call tries again, since what was lacking may be
            // there then.
            let runtime = Runtime::builder().build()?;
            this.runtime.set(runtime).expect("one OS thread at a time starts it");
        }
    }
    Ok(&this.runtime.get().expect("just started").shared)
}
