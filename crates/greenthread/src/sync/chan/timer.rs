//! A receiver's source of times instead of messages: one time, or one after each period. No thread
//! sends them: a receiver waits until the next time is due, and takes it.

use std::time::{Duration, Instant};

use super::{
    core::{RecvFailed, Timeout},
    spin::SpinLock,
};
use crate::task::{
    cancel,
    coop::{CALL, consume_budget},
    time::now,
    wait::{Outcome, Reason, Waiter},
};

/// The state that all clones of such a receiver share.
pub(crate) struct Timer {
    /// When the next message is due; `None` after the last one.
    next: SpinLock<Option<Instant>>,
    /// The time from one message to the next; `None` if there is only one message.
    period: Option<Duration>,
}

impl Timer {
    /// A timer whose first message is `first`. With a `period`, further messages follow.
    pub(crate) fn new(first: Instant, period: Option<Duration>) -> Self {
        Self { next: SpinLock::new(Some(first)), period }
    }

    /// Returns when the next message is due; `None` after the last one.
    pub(crate) fn due(&self) -> Option<Instant> {
        *self.next.lock()
    }

    /// Whether a message is due.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.due().is_some_and(|due| due <= now)
    }

    /// Takes the message, if it is due. The next one is due a period after this one; if that time
    /// has passed too, a period after `now`.
    pub(crate) fn take(&self, now: Instant) -> Option<Instant> {
        let mut next = self.next.lock();
        let message = next.filter(|due| *due <= now)?;
        let from = |moment: Instant| self.period.and_then(|period| moment.checked_add(period));
        *next = from(message).filter(|due| *due > now).or_else(|| from(now));
        drop(next);
        // With a short period a message may be due at every call, so that the caller would never
        // wait.
        consume_budget(CALL);
        Some(message)
    }

    /// Waits until a message may be due, or until there will be none any more.
    pub(crate) fn wait(&self) {
        if sleep(self.due()) == Outcome::Cancelled {
            cancel::unwind();
        }
    }

    /// Takes the message. If it is not due yet, waits for it.
    pub(crate) fn recv(&self, timeout: Timeout) -> Result<Instant, RecvFailed> {
        loop {
            let now = now();
            if let Some(message) = self.take(now) {
                return Ok(message);
            }
            match timeout {
                Timeout::Wait(deadline) if deadline.is_none_or(|deadline| deadline > now) => {
                    match sleep(sooner(deadline, self.due())) {
                        Outcome::Woken | Outcome::TimedOut => {}
                        Outcome::Cancelled => cancel::unwind(),
                    }
                }
                _ => {
                    consume_budget(CALL);
                    return Err(RecvFailed::Empty);
                }
            }
        }
    }
}

/// `recv` of a channel that never has a message.
pub(crate) fn recv_never(timeout: Timeout) -> RecvFailed {
    match timeout {
        Timeout::Wait(deadline) => {
            if sleep(deadline) == Outcome::Cancelled {
                cancel::unwind();
            }
        }
        Timeout::Try => consume_budget(CALL),
    }
    RecvFailed::Empty
}

/// Waits until the deadline, or until the wait is cancelled.
fn sleep(deadline: Option<Instant>) -> Outcome {
    Waiter::new().wait_cancellable(Reason::Receive, deadline)
}

/// The earlier of two deadlines.
pub(super) fn sooner(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (deadline, None) | (None, deadline) => deadline,
    }
}
