//! How an OS thread sleeps until another wakes it: a token behind a lock.
//!
//! Our own, and not `std::thread::park`, whose token belongs to the user: a wake-up of ours must
//! not be swallowed by somebody else's loop, nor the other way round.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::clock::os_now;

/// One OS thread's token. Set by `unpark`, consumed by `park`.
#[derive(Debug, Default)]
pub(crate) struct Parker {
    token: Mutex<bool>,
    changed: Condvar,
}

impl Parker {
    /// The calling OS thread's own.
    pub(crate) fn current() -> Arc<Parker> {
        thread_local! {
            static PARKER: Arc<Parker> = Arc::default();
        }
        // While the OS thread's locals are being destroyed, one for this wait alone does as well.
        PARKER.try_with(Arc::clone).unwrap_or_default()
    }

    /// Sleeps until there is a token, and takes it.
    pub(crate) fn park(&self) {
        self.park_until(None);
    }

    /// Sleeps until there is a token or the deadline of the operating system's clock has passed;
    /// says whether it took a token.
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

    /// As `park_until`, for so long.
    pub(crate) fn park_timeout(&self, timeout: Duration) -> bool {
        self.park_until(os_now().checked_add(timeout))
    }

    /// Sets the token, and wakes the OS thread if it sleeps.
    pub(crate) fn unpark(&self) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }
}
