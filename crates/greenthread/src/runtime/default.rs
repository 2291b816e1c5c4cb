//! The default runtime, which starts when it is first needed. In a child that was forked it is made anew.
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
    /// This process's.
    fn get() -> &'static Self {
        let seen = DEFAULT.load(Acquire);
        // SAFETY: invariant 1.
        match unsafe { seen.as_ref() } {
            Some(this) if this.generation == generation() => this,
            _ => Self::new(seen),
        }
    }

    /// In place of none, or of the parent's, which stays as it is: its lock may be held for ever.
    #[cold]
    fn new(seen: *mut Self) -> &'static Self {
        let new = Self { generation: generation(), runtime: OnceLock::new(), starting: Mutex::new(()) };
        let new = Box::into_raw(Box::new(new));
        match DEFAULT.compare_exchange(seen, new, AcqRel, Acquire) {
            // SAFETY: invariant 1: nobody frees it.
            Ok(_) => unsafe { &*new },
            Err(other) => {
                // SAFETY: ours, and nobody has seen it.
                drop(unsafe { Box::from_raw(new) });
                // SAFETY: invariant 1; another thread of this process has put it there.
                unsafe { &*other }
            }
        }
    }
}

/// The default runtime; it starts when it is first asked for.
pub(crate) fn default() -> io::Result<&'static Shared> {
    let this = Default::get();
    if this.runtime.get().is_none() {
        let _one = this.starting.lock().unwrap_or_else(PoisonError::into_inner);
        if this.runtime.get().is_none() {
            // A failure is not kept: the next try may have what this one lacked.
            let runtime = Runtime::builder().build()?;
            this.runtime.set(runtime).expect("one OS thread at a time starts it");
        }
    }
    Ok(&this.runtime.get().expect("just started").shared)
}
