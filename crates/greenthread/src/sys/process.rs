//! The process as a whole.

use core::{
    cell::UnsafeCell,
    sync::atomic::{
        AtomicU32,
        Ordering::{Relaxed, SeqCst},
    },
};
use std::{
    io,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

/// Calls `f` when the process exits by `exit`. Too many such calls (32 are sure) and this one is left out:
/// it only makes the exit more orderly.
pub(crate) fn at_exit(f: extern "C" fn()) {
    // SAFETY: `f` is a function without arguments that does not unwind.
    unsafe { libc::atexit(f) };
}

/// Ends the process as a `main` that returns does.
pub(crate) fn leave() -> ! {
    std::process::exit(0)
}

/// How many forks have made this process from the one that called [`at_fork`] first.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// A number that differs between a process and those that it forks. One relaxed load.
///
/// A child that `vfork`, `clone` or `_Fork` makes has its parent's number: those don't run the handlers. `vfork`'s may only
/// call `exec`; the others are for programs that do without the C library's threads.
#[inline]
pub(crate) fn generation() -> u32 {
    GENERATION.load(Relaxed)
}

/// What is done around each `fork` of the process, by the thread that calls it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AtFork {
    /// Before, in the parent.
    pub(crate) before: fn(),
    /// After, in the parent and in the child.
    pub(crate) after: fn(),
    /// Then, in the child, which has this one thread and no other; `generation` is new already.
    pub(crate) child: fn(),
}

/// A lock that no other thread has while the process forks, since in the child there is none to
/// give it back. What panics while it is locked leaves the value as it is.
///
/// Invariant: who touches `held` has the lock.
pub(crate) struct ForkMutex<T: 'static> {
    mutex: Mutex<T>,
    held: UnsafeCell<Option<MutexGuard<'static, T>>>,
}

// SAFETY: the invariant, for `held`; the rest is a mutex.
unsafe impl<T: Send> Sync for ForkMutex<T> {}

impl<T> ForkMutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { mutex: Mutex::new(value), held: UnsafeCell::new(None) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Before a fork: waits until nobody has it, and keeps everybody out.
    pub(crate) fn before_fork(&'static self) {
        let guard = self.lock();
        // SAFETY: we have the lock.
        unsafe { *self.held.get() = Some(guard) };
    }

    /// After it, in the parent and in the child.
    ///
    /// # Safety
    /// The calling thread has called `before_fork`.
    pub(crate) unsafe fn after_fork(&'static self) {
        // SAFETY: we have the lock, as the caller says.
        drop(unsafe { (*self.held.get()).take() });
    }
}

/// Registers what is done around forks. Once in a process; later calls do nothing.
///
/// # Errors
/// There is no memory for it.
pub(crate) fn at_fork(what: AtFork) -> io::Result<()> {
    static WHAT: OnceLock<AtFork> = OnceLock::new();
    extern "C" fn before() {
        if let Some(what) = WHAT.get() {
            (what.before)();
        }
    }
    extern "C" fn parent() {
        if let Some(what) = WHAT.get() {
            (what.after)();
        }
    }
    extern "C" fn child() {
        GENERATION.fetch_add(1, SeqCst);
        if let Some(what) = WHAT.get() {
            (what.after)();
            (what.child)();
        }
    }
    // Not in the crate `libc` for Linux.
    unsafe extern "C" {
        fn pthread_atfork(
            before: Option<extern "C" fn()>,
            parent: Option<extern "C" fn()>,
            child: Option<extern "C" fn()>,
        ) -> libc::c_int;
    }
    if WHAT.set(what).is_err() {
        return Ok(());
    }
    // SAFETY: functions that do not unwind.
    match unsafe { pthread_atfork(Some(before), Some(parent), Some(child)) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}
