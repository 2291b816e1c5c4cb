//! `Condvar`: the public API of `raw::condvar`, for mutexes that can be poisoned.

use core::time::Duration;

use super::{LockResult, MutexGuard, PoisonError, raw::condvar::RawCondvar};
use crate::task::time::{deadline_after, now};

/// Implements the part of a condition variable's API that does not depend on the kind of the mutex.
/// `$path` is the module of the condition variable.
macro_rules! condvar {
    ($path:literal) => {
        impl Condvar {
            /// Creates a condition variable, on which no thread waits yet.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::", $path, "::Condvar;")]
            ///
            /// static CHANGED: Condvar = Condvar::new();
            /// CHANGED.notify_all();
            /// ```
            #[inline]
            pub const fn new() -> Self {
                Self(RawCondvar::new())
            }

            /// Wakes the thread that has waited longest, if any thread waits. Never blocks.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::", $path, "::Condvar;")]
            ///
            /// Condvar::new().notify_one(); // No thread waits: nothing happens.
            /// ```
            pub fn notify_one(&self) {
                self.0.notify_one();
            }

            /// Wakes all threads that wait at this moment, in the order in which they began to
            /// wait. Never blocks.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::", $path, "::Condvar;")]
            ///
            /// Condvar::new().notify_all(); // No thread waits: nothing happens.
            /// ```
            pub fn notify_all(&self) {
                self.0.notify_all();
            }
        }

        impl Default for Condvar {
            /// The same as [`Condvar::new`].
            fn default() -> Self {
                Self::new()
            }
        }

        $crate::opaque_debug::opaque_debug!(Condvar);
    };
}

pub(super) use condvar;

/// The result of a wait with a timeout. It says whether the wait ended because of the timeout.
///
/// [`Condvar::wait_timeout`] and [`Condvar::wait_timeout_while`] return it. This is a type of this
/// crate, because std's own type has no public constructor.
///
/// # Examples
///
/// ```
/// use greenthread::{sync::{Condvar, Mutex}, time::Duration};
///
/// let (mutex, condvar) = (Mutex::new(()), Condvar::new());
/// let never = |_: &mut ()| true;
/// let (_guard, result) =
///     condvar.wait_timeout_while(mutex.lock().unwrap(), Duration::from_millis(1), never).unwrap();
/// assert!(result.timed_out());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(pub(super) bool);

impl WaitTimeoutResult {
    /// Whether the wait ended because of the timeout.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use greenthread::sync::{Condvar, Mutex};
    ///
    /// let (mutex, condvar) = (Mutex::new(false), Condvar::new());
    /// let guard = mutex.lock().unwrap();
    /// let (_guard, result) =
    ///     condvar.wait_timeout_while(guard, Duration::from_millis(5), |ready| !*ready).unwrap();
    /// assert!(result.timed_out());
    /// ```
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

/// A condition variable. A thread waits on it until another thread has changed the data that a
/// mutex guards.
///
/// This is [`std::sync::Condvar`] for [`Mutex`](super::Mutex). A green thread that waits lets its
/// worker run other threads. An OS thread that waits blocks. Both may wait on the same condition
/// variable.
///
/// Threads are woken in the order in which they began to wait. As with std, a woken thread must
/// check the condition again (or use [`wait_while`](Condvar::wait_while)), because another thread
/// may have locked the mutex first.
///
/// # Differs from std
///
/// * It may be used with several mutexes at a time. With std this may panic.
/// * Currently no wake-up is spurious. Don't rely on this.
///
/// # Examples
///
/// ```
/// use greenthread::{sync::{Arc, Condvar, Mutex}, thread};
///
/// let pair = Arc::new((Mutex::new(false), Condvar::new()));
/// let other = Arc::clone(&pair);
/// thread::spawn(move || {
///     let (ready, condvar) = &*other;
///     *ready.lock().unwrap() = true;
///     condvar.notify_one();
/// });
/// let (ready, condvar) = &*pair;
/// let _guard = condvar.wait_while(ready.lock().unwrap(), |ready| !*ready).unwrap();
/// ```
pub struct Condvar(pub(super) RawCondvar);

condvar!("sync");

impl Condvar {
    /// Unlocks the mutex, waits to be notified, and locks the mutex again.
    ///
    /// Blocks the calling thread, green or OS. No notification is lost that comes after the mutex
    /// has been unlocked.
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned when this thread has locked it again. The error contains the guard.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::{Arc, Condvar, Mutex}, thread};
    ///
    /// let pair = Arc::new((Mutex::new(false), Condvar::new()));
    /// let other = Arc::clone(&pair);
    /// thread::spawn(move || {
    ///     *other.0.lock().unwrap() = true;
    ///     other.1.notify_one();
    /// });
    /// let mut ready = pair.0.lock().unwrap();
    /// while !*ready {
    ///     ready = pair.1.wait(ready).unwrap();
    /// }
    /// ```
    pub fn wait<'a, T>(&self, mut guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        guard.held().wait(&self.0, None);
        guard.poison().wrap(guard)
    }

    /// Waits while `condition` returns `true`. `condition` is called with the mutex locked: once
    /// before the first wait, and again after each notification.
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned. The error contains the guard.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::{Arc, Condvar, Mutex}, thread};
    ///
    /// let pair = Arc::new((Mutex::new(0), Condvar::new()));
    /// for _ in 0..3 {
    ///     let pair = Arc::clone(&pair);
    ///     thread::spawn(move || {
    ///         *pair.0.lock().unwrap() += 1;
    ///         pair.1.notify_one();
    ///     });
    /// }
    /// let count = pair.1.wait_while(pair.0.lock().unwrap(), |count| *count < 3).unwrap();
    /// assert_eq!(*count, 3);
    /// ```
    pub fn wait_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: F,
    ) -> LockResult<MutexGuard<'a, T>>
    where
        F: FnMut(&mut T) -> bool,
    {
        while condition(&mut guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// Like [`wait`](Condvar::wait), but waits for at most `ms` milliseconds. The returned `bool`
    /// is `false` if the wait timed out.
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned. The error contains the guard.
    ///
    /// # Examples
    ///
    /// ```
    /// # #![allow(deprecated)]
    /// use greenthread::sync::{Condvar, Mutex};
    ///
    /// let (mutex, condvar) = (Mutex::new(1), Condvar::new());
    /// let (guard, _in_time) = condvar.wait_timeout_ms(mutex.lock().unwrap(), 1).unwrap();
    /// assert_eq!(*guard, 1);
    /// ```
    #[deprecated(note = "replaced by `Condvar::wait_timeout`")]
    pub fn wait_timeout_ms<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        ms: u32,
    ) -> LockResult<(MutexGuard<'a, T>, bool)> {
        let waited = self.wait_timeout(guard, Duration::from_millis(u64::from(ms)));
        let plain = |(guard, result): (_, WaitTimeoutResult)| (guard, !result.timed_out());
        waited.map(plain).map_err(|error| PoisonError::new(plain(error.into_inner())))
    }

    /// Like [`wait`](Condvar::wait), but waits for a notification for at most `dur`. After that it
    /// locks the mutex again, which may take longer.
    ///
    /// A notification that comes just as the time runs out is not lost. Either this thread has
    /// received it, and the result says that it did not time out, or it goes to another thread.
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned. The error contains the guard and the result.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use greenthread::sync::{Condvar, Mutex};
    ///
    /// let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    /// let guard = mutex.lock().unwrap();
    /// let (_guard, result) = condvar.wait_timeout(guard, Duration::from_millis(5)).unwrap();
    /// assert!(result.timed_out());
    /// ```
    pub fn wait_timeout<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        dur: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let notified = guard.held().wait(&self.0, deadline_after(dur));
        guard.poison().wrap((guard, WaitTimeoutResult(!notified)))
    }

    /// Like [`wait_while`](Condvar::wait_while), but waits for at most `dur` in total. The result
    /// says that the wait timed out only if the condition still holds.
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned. The error contains the guard and the result.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use greenthread::sync::{Condvar, Mutex};
    ///
    /// let (mutex, condvar) = (Mutex::new(3), Condvar::new());
    /// let guard = mutex.lock().unwrap();
    /// let dur = Duration::from_millis(5);
    /// let (guard, result) = condvar.wait_timeout_while(guard, dur, |n| *n < 3).unwrap();
    /// assert!(!result.timed_out());
    /// let (_, result) = condvar.wait_timeout_while(guard, dur, |n| *n == 3).unwrap();
    /// assert!(result.timed_out());
    /// ```
    pub fn wait_timeout_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        dur: Duration,
        mut condition: F,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)>
    where
        F: FnMut(&mut T) -> bool,
    {
        let mut limit = None;
        loop {
            if !condition(&mut guard) {
                return Ok((guard, WaitTimeoutResult(false)));
            }
            // The clock is not read before this thread has to wait.
            let deadline = *limit.get_or_insert_with(|| deadline_after(dur));
            if deadline.is_some_and(|deadline| deadline <= now()) {
                return Ok((guard, WaitTimeoutResult(true)));
            }
            let notified = guard.held().wait(&self.0, deadline);
            let result = WaitTimeoutResult(!notified);
            guard = guard.poison().wrap((guard, result))?.0;
        }
    }
}
