//! `Once`: the public API of `raw::once`.

use core::{
    cell::Cell,
    fmt,
    panic::{RefUnwindSafe, UnwindSafe},
};

use super::raw::once::{Begin, RawOnce};
use crate::{opaque_debug::opaque_debug, task::coop::polled};

/// A one-time initialization: the first thread that comes runs a closure, and no other thread does.
/// This is [`std::sync::Once`] for green threads.
///
/// A thread that comes while the closure runs waits until it has returned. A green thread that
/// waits lets its worker run other threads. An OS thread that waits blocks.
///
/// # Differs from std
///
/// * It is larger: 24 bytes on a 64-bit machine.
/// * A closure that uses its own `Once` deadlocks. It never panics.
///
/// # Examples
///
/// ```
/// use greenthread::sync::Once;
///
/// static START: Once = Once::new();
/// START.call_once(|| println!("this is seen once"));
/// START.call_once(|| unreachable!());
/// ```
pub struct Once(RawOnce);

/// The state that [`Once::call_once_force`] passes to its closure.
///
/// # Examples
///
/// ```
/// use greenthread::sync::{Once, OnceState};
///
/// Once::new().call_once_force(|state: &OnceState| assert!(!state.is_poisoned()));
/// ```
pub struct OnceState {
    /// A `Cell`, so that `OnceState` is not `Sync`, like std's type.
    poisoned: Cell<bool>,
}

/// A [`Once`] whose closure has not run.
#[deprecated(note = "the `Once::new()` function is now preferred")]
#[allow(clippy::declare_interior_mutable_const, reason = "std declares it so")]
pub const ONCE_INIT: Once = Once::new();

impl UnwindSafe for Once {}
impl RefUnwindSafe for Once {}

impl Once {
    /// Creates a `Once` whose closure has not run.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::Once;
    ///
    /// static START: Once = Once::new();
    /// assert!(!START.is_completed());
    /// ```
    #[inline]
    #[must_use]
    #[allow(clippy::new_without_default, reason = "std has no `Default` for `Once`")]
    pub const fn new() -> Self {
        Self(RawOnce::new())
    }

    /// Calls `f` if no closure has run for this `Once`. When `call_once` returns, a closure has run
    /// to its end, in this thread or another one, and its effects are visible to the caller.
    ///
    /// Blocks the calling thread, green or OS, while another thread runs its closure.
    ///
    /// # Panics
    ///
    /// If `f` panics. This poisons the `Once`, and each later call panics.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::Once;
    ///
    /// let (once, mut calls) = (Once::new(), 0);
    /// once.call_once(|| calls += 1);
    /// once.call_once(|| calls += 1);
    /// assert_eq!(calls, 1);
    /// ```
    #[inline]
    #[track_caller]
    pub fn call_once<F>(&self, f: F)
    where
        F: FnOnce(),
    {
        if !self.0.is_complete() {
            self.call(false, |_| f());
        }
    }

    /// Like [`call_once`](Once::call_once), but also calls `f` if the `Once` is poisoned.
    ///
    /// # Panics
    ///
    /// If `f` panics.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::Once;
    ///
    /// let once = Once::new();
    /// let panic = std::panic::catch_unwind(|| once.call_once(|| panic!("the first time")));
    /// assert!(panic.is_err());
    /// once.call_once_force(|state| assert!(state.is_poisoned()));
    /// assert!(once.is_completed());
    /// ```
    #[inline]
    pub fn call_once_force<F>(&self, f: F)
    where
        F: FnOnce(&OnceState),
    {
        if !self.0.is_complete() {
            self.call(true, f);
        }
    }

    #[track_caller]
    fn call(&self, force: bool, f: impl FnOnce(&OnceState)) {
        struct Finish<'a>(&'a RawOnce, bool);
        impl Drop for Finish<'_> {
            fn drop(&mut self) {
                self.0.finish(self.1);
            }
        }
        match self.0.begin(force) {
            Begin::Complete => {}
            Begin::Poisoned => panic!("Once instance has previously been poisoned"),
            Begin::Ours { poisoned } => {
                let mut finish = Finish(&self.0, false);
                f(&OnceState { poisoned: Cell::new(poisoned) });
                finish.1 = true;
                drop(finish);
            }
        }
    }

    /// Whether a closure has run to its end. Never blocks.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::Once;
    ///
    /// let once = Once::new();
    /// once.call_once(|| {});
    /// assert!(once.is_completed());
    /// ```
    #[inline]
    pub fn is_completed(&self) -> bool {
        polled(self.0.is_complete())
    }

    /// Waits until another thread has run its closure to the end.
    ///
    /// Blocks the calling thread, green or OS.
    ///
    /// # Panics
    ///
    /// If the `Once` is poisoned.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::Once, thread};
    ///
    /// static START: Once = Once::new();
    /// thread::spawn(|| START.call_once(|| {}));
    /// START.wait();
    /// ```
    pub fn wait(&self) {
        assert!(self.0.is_complete() || self.0.wait(false), "Once instance has previously been poisoned");
    }

    /// Like [`wait`](Once::wait), but keeps waiting for another closure if the `Once` is poisoned.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::Once, thread};
    ///
    /// static START: Once = Once::new();
    /// thread::spawn(|| START.call_once_force(|_| {}));
    /// START.wait_force();
    /// ```
    pub fn wait_force(&self) {
        if !self.0.is_complete() {
            self.0.wait(true);
        }
    }
}

impl OnceState {
    /// Whether the `Once` was poisoned: whether the closure before this one has panicked.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::Once;
    ///
    /// Once::new().call_once_force(|state| assert!(!state.is_poisoned()));
    /// ```
    #[inline]
    pub fn is_poisoned(&self) -> bool {
        self.poisoned.get()
    }
}

impl fmt::Debug for OnceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceState").field("poisoned", &self.is_poisoned()).finish()
    }
}

opaque_debug!(Once);
