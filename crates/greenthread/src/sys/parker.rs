//! Sleep and wake-up of an OS thread: a token behind a lock.
//!
//! `std::thread::park` was rejected, because its token belongs to the user: the user's loop could
//! consume a wake-up of this library, and the library could consume one of the user's.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::clock::os_now;

/// The token of one OS thread. `unpark` sets it, and `park` consumes it.
#[derive(Debug, Default)]
pub(crate) struct Parker {
    token: Mutex<bool>,
    changed: Condvar,
}

impl Parker {
    /// Returns the parker of the calling OS thread.
    pub(crate) fn current() -> Arc<Parker> {
        thread_local! {
            static PARKER: Arc<Parker> = Arc::default();
        }
        // While the thread-local variables are being destroyed, a parker for this wait alone is
        // enough.
        PARKER.try_with(Arc::clone).unwrap_or_default()
    }

    /// Sleeps until the token is set, and consumes it.
    pub(crate) fn park(&self) {
        self.park_until(None);
    }

    /// Sleeps until the token is set or the deadline of the operating system's clock has passed.
    /// Returns whether it consumed a token.
    pub(crate) fn park_until(&self, deadline: Option<Instant>) -> bool {
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        while !*token {
            token = match deadline {
                None => self.changed.wait(token).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(os_now());
                    if left.is_zero() {
                        return false;
                    }
                    self.changed.wait_timeout(token, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        *token = false;
        true
    }

    /// As `park_until`, with a timeout.
    pub(crate) fn park_timeout(&self, timeout: Duration) -> bool {
        self.park_until(os_now().checked_add(timeout))
    }

    /// Sets the token, and wakes the OS thread if it sleeps.
    pub(crate) fn unpark(&self) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }
}
