//! `Once`: the public face of `raw::once`.

use core::{
    cell::Cell,
    fmt,
    panic::{RefUnwindSafe, UnwindSafe},
};

use super::raw::once::{Begin, RawOnce};
use crate::{opaque_debug::opaque_debug, task::coop::polled};

/// Something that is done once, by whichever thread comes first: [`std::sync::Once`] for green
/// threads.
///
/// Others that come while it is being done wait for the end of it: a green thread lets its worker
/// run others, an OS thread blocks.
///
/// # Differs from std
///
/// * It is larger: 24 bytes on a 64-bit machine.
/// * To call it from within its own closure is a deadlock, never a panic.
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

/// What [`Once::call_once_force`] tells its closure.
///
/// # Examples
///
/// ```
/// use greenthread::sync::{Once, OnceState};
///
/// Once::new().call_once_force(|state: &OnceState| assert!(!state.is_poisoned()));
/// ```
pub struct OnceState {
    /// A cell, so that it stays on its thread, as std's does.
    poisoned: Cell<bool>,
}

/// A [`Once`] in its first state.
#[deprecated(note = "the `Once::new()` function is now preferred")]
#[allow(clippy::declare_interior_mutable_const, reason = "std has it so")]
pub const ONCE_INIT: Once = Once::new();

impl UnwindSafe for Once {}
impl RefUnwindSafe for Once {}

impl Once {
    /// Something that has not been done.
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
    #[allow(clippy::new_without_default, reason = "std has none")]
    pub const fn new() -> Self {
        Self(RawOnce::new())
    }

    /// Calls `f` if nobody has. On return it has been called and has returned, here or elsewhere,
    /// and what it did is seen by the caller.
    ///
    /// Blocks the calling thread, green or OS, while another thread is at it.
    ///
    /// # Panics
    ///
    /// If `f` panics; and then it is poisoned, and each later call panics.
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

    /// As [`call_once`](Once::call_once), and tries again where a closure has panicked before.
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

    /// Whether it has been done. Never blocks.
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

    /// Waits until another thread has done it.
    ///
    /// Blocks the calling thread, green or OS.
    ///
    /// # Panics
    ///
    /// If whoever tried has panicked.
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

    /// As [`wait`](Once::wait), and where a closure has panicked waits on for another that doesn't.
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
    /// Whether a closure has panicked before.
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
