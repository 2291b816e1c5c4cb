//! `nonpoison::Condvar`.

use core::time::Duration;

use super::MutexGuard;
use crate::{
    sync::{WaitTimeoutResult, condvar::condvar, raw::condvar::RawCondvar},
    task::time::{deadline_after, now},
};

/// A condition variable for [`nonpoison::Mutex`](super::Mutex).
///
/// It differs from [`sync::Condvar`](crate::sync::Condvar) in one more point: its methods borrow
/// the guard instead of consuming it.
///
/// # Examples
///
/// ```
/// use greenthread::{sync::{Arc, nonpoison::{Condvar, Mutex}}, thread};
///
/// let pair = Arc::new((Mutex::new(false), Condvar::new()));
/// let other = Arc::clone(&pair);
/// thread::spawn(move || {
///     *other.0.lock() = true;
///     other.1.notify_one();
/// });
/// let mut guard = pair.0.lock();
/// pair.1.wait_while(&mut guard, |ready| !*ready);
/// assert!(*guard);
/// ```
pub struct Condvar(RawCondvar);

condvar!("sync::nonpoison");

impl Condvar {
    /// Unlocks the mutex, waits to be notified, and locks the mutex again.
    ///
    /// Blocks the calling thread, green or OS. No notification is lost that comes after the mutex
    /// has been unlocked.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::{Arc, nonpoison::{Condvar, Mutex}}, thread};
    ///
    /// let pair = Arc::new((Mutex::new(false), Condvar::new()));
    /// let other = Arc::clone(&pair);
    /// thread::spawn(move || {
    ///     *other.0.lock() = true;
    ///     other.1.notify_one();
    /// });
    /// let mut ready = pair.0.lock();
    /// while !*ready {
    ///     pair.1.wait(&mut ready);
    /// }
    /// ```
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        guard.held().wait(&self.0, None);
    }

    /// Waits while `condition` returns `true`. `condition` is called with the mutex locked: once
    /// before the first wait, and again after each notification.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::nonpoison::{Condvar, Mutex};
    ///
    /// let (mutex, condvar) = (Mutex::new(3), Condvar::new());
    /// condvar.wait_while(&mut mutex.lock(), |n| *n < 3); // It is 3 already.
    /// ```
    pub fn wait_while<T, F>(&self, guard: &mut MutexGuard<'_, T>, mut condition: F)
    where
        F: FnMut(&mut T) -> bool,
    {
        while condition(guard) {
            self.wait(guard);
        }
    }

    /// Like [`wait`](Condvar::wait), but waits for a notification for at most `dur`. After that it
    /// locks the mutex again, which may take longer.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use greenthread::sync::nonpoison::{Condvar, Mutex};
    ///
    /// let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    /// assert!(condvar.wait_timeout(&mut mutex.lock(), Duration::from_millis(5)).timed_out());
    /// ```
    pub fn wait_timeout<T>(&self, guard: &mut MutexGuard<'_, T>, dur: Duration) -> WaitTimeoutResult {
        let notified = guard.held().wait(&self.0, deadline_after(dur));
        WaitTimeoutResult(!notified)
    }

    /// Like [`wait_while`](Condvar::wait_while), but waits for at most `dur` in total. The result
    /// says that the wait timed out only if the condition still holds.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use greenthread::sync::nonpoison::{Condvar, Mutex};
    ///
    /// let (mutex, condvar) = (Mutex::new(3), Condvar::new());
    /// let dur = Duration::from_millis(5);
    /// assert!(!condvar.wait_timeout_while(&mut mutex.lock(), dur, |n| *n < 3).timed_out());
    /// assert!(condvar.wait_timeout_while(&mut mutex.lock(), dur, |n| *n == 3).timed_out());
    /// ```
    pub fn wait_timeout_while<T, F>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        dur: Duration,
        mut condition: F,
    ) -> WaitTimeoutResult
    where
        F: FnMut(&mut T) -> bool,
    {
        let mut limit = None;
        while condition(guard) {
            // The clock is not read before this thread has to wait.
            let deadline = *limit.get_or_insert_with(|| deadline_after(dur));
            if deadline.is_some_and(|deadline| deadline <= now()) {
                return WaitTimeoutResult(true);
            }
            guard.held().wait(&self.0, deadline);
        }
        WaitTimeoutResult(false)
    }
}
