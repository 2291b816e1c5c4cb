//! What delivers the time instead of messages: once, or again and again. No thread does that: who
//! receives waits until the message is due, and makes it.

use std::time::{Duration, Instant};

use super::{
    core::{RecvFailed, Timeout},
    spin::SpinLock,
};
use crate::task::{
    coop::{CALL, consume_budget},
    time::now,
    wait::{Outcome, Reason, Waiter},
};

/// See the module.
pub(crate) struct Timer {
    /// When the next message is due; `None` after the last one.
    next: SpinLock<Option<Instant>>,
    /// From one message to the next, if there is more than one.
    period: Option<Duration>,
}

impl Timer {
    /// Delivers `first`, and then every `period`, if that is given.
    pub(crate) fn new(first: Instant, period: Option<Duration>) -> Self {
        Self { next: SpinLock::new(Some(first)), period }
    }

    /// When the next message is due.
    pub(crate) fn due(&self) -> Option<Instant> {
        *self.next.lock()
    }

    /// Whether a message is there.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.due().is_some_and(|due| due <= now)
    }

    /// Takes the message, if it is there. The next one is due a period after this one, or, if that
    /// has passed already, a period from now.
    pub(crate) fn take(&self, now: Instant) -> Option<Instant> {
        let mut next = self.next.lock();
        let message = next.filter(|due| *due <= now)?;
        let from = |moment: Instant| self.period.and_then(|period| moment.checked_add(period));
        *next = from(message).filter(|due| *due > now).or_else(|| from(now));
        drop(next);
        // With a short period there is always another one.
        consume_budget(CALL);
        Some(message)
    }

    /// Takes the message, waiting for it if need be.
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
                        Outcome::Cancelled => return Err(RecvFailed::Empty),
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

/// What a channel that never has a message does.
pub(crate) fn recv_never(timeout: Timeout) -> RecvFailed {
    match timeout {
        Timeout::Wait(deadline) => _ = sleep(deadline),
        Timeout::Try => consume_budget(CALL),
    }
    RecvFailed::Empty
}

/// Only its deadline or a cancellation ends this wait.
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
