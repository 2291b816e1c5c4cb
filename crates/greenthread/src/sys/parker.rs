//! Sleep and wake-up of an OS thread: a token behind a lock.
//!
//! `std::thread::park` was rejected, because its token belongs to the user: the user's loop could
//! consume a wake-up of this library, and the library could consume one of the user's.

use std::{
    io, mem,
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use super::{
    Condvar, Mutex,
    clock::os_now,
    fd::BorrowedFd,
    poller::{Alarm, Interest, poll_one},
};

/// The token of one OS thread. `unpark` sets it, and `park` consumes it. Beside the token there is
/// an interruption, which wakes only a thread that asks for it.
#[derive(Debug, Default)]
pub(crate) struct Parker {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    token: bool,
    interrupted: bool,
    /// What ends a wait for a descriptor. It rings with the next interruption. Made at the first
    /// such wait, and again after each ring.
    alarm: Option<Arc<Alarm>>,
}

/// How a sleep has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The token was set. It is consumed. Or the descriptor is ready.
    Token,
    /// The thread was interrupted. The interruption is consumed.
    Interrupted,
    /// The deadline has passed.
    Deadline,
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
        self.sleep(None, false);
    }

    /// Sleeps until the token is set, the deadline of the operating system's clock has passed, or,
    /// if the sleep is `interruptible`, there is an interruption.
    pub(crate) fn sleep(&self, deadline: Option<Instant>, interruptible: bool) -> End {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if mem::take(&mut state.token) {
                return End::Token;
            }
            if interruptible && mem::take(&mut state.interrupted) {
                return End::Interrupted;
            }
            state = match deadline {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(os_now());
                    if left.is_zero() {
                        return End::Deadline;
                    }
                    self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// As `park`, with a timeout. Returns whether it consumed a token.
    pub(crate) fn park_timeout(&self, timeout: Duration) -> bool {
        self.sleep(os_now().checked_add(timeout), false) == End::Token
    }

    /// Sets the token, and wakes the OS thread if it sleeps.
    pub(crate) fn unpark(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).token = true;
        self.changed.notify_one();
    }

    /// Sleeps until a descriptor is ready or has failed (`Token`; the token itself stays), there is
    /// an interruption, or the deadline of the operating system's clock has passed.
    ///
    /// # Errors
    /// An error if the system has no descriptor left for the alarm, or refuses to wait.
    pub(crate) fn poll(
        &self,
        descriptor: BorrowedFd<'_>,
        interest: Interest,
        deadline: Option<Instant>,
    ) -> io::Result<End> {
        let lock = || self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let alarm = {
            let mut state = lock();
            if mem::take(&mut state.interrupted) {
                return Ok(End::Interrupted);
            }
            match &state.alarm {
                Some(alarm) => alarm.clone(),
                None => state.alarm.insert(Arc::new(Alarm::new()?)).clone(),
            }
        };
        let polled = poll_one(descriptor, interest, deadline, Some(&alarm));
        let mut state = lock();
        if mem::take(&mut state.interrupted) {
            return Ok(End::Interrupted);
        }
        match polled {
            Ok(true) => Ok(End::Token),
            // Another process has rung, which was forked from this one and has the same alarm.
            Ok(false) => {
                state.alarm = None;
                Ok(End::Interrupted)
            }
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok(End::Deadline),
            Err(error) => Err(error),
        }
    }

    /// Interrupts the OS thread, now or in its next sleep that may be interrupted.
    pub(crate) fn interrupt(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.interrupted = true;
        let alarm = state.alarm.take();
        drop(state);
        self.changed.notify_one();
        if let Some(alarm) = alarm {
            alarm.ring();
        }
    }
}
