//! What a connection waits for, and since when. So one deadline at a time serves all its limits.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use greenthread::time::Instant;

/// The limits of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Of the wait for a request, from the end of the last one to the end of its head.
    pub(crate) header_timeout: Duration,
    /// Of the wait for the other side to take something.
    pub(crate) write_timeout: Duration,
    /// Of the head of a request, in bytes.
    pub(crate) max_header: usize,
}

pub(crate) struct Progress(Mutex<State>);

struct State {
    /// How many requests are under way.
    running: usize,
    /// Since when none is, or when something was written last.
    since: Instant,
    /// Since when the other side takes nothing.
    blocked: Option<Instant>,
    /// Bytes of another request have come.
    has_part: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State { running: 0, since: Instant::now(), blocked: None, has_part: false }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request begins.
    pub(crate) fn begin(this: &Arc<Self>) -> Running {
        let mut state = this.state();
        state.running += 1;
        state.has_part = false;
        drop(state);
        Running(this.clone())
    }

    /// Something has come, or the end of the stream.
    pub(crate) fn has_read(&self) {
        self.state().has_part = true;
    }

    /// Something was written, or there was no room for it.
    pub(crate) fn has_written(&self, is_blocked: bool) {
        let mut state = self.state();
        if !is_blocked {
            state.blocked = None;
            state.since = Instant::now();
        } else if state.blocked.is_none() {
            state.blocked = Some(Instant::now());
        }
    }

    /// When to look again. `None` if a limit is over. What begins in the meantime does not reach
    /// its limit before that.
    pub(crate) fn deadline(&self, limits: &Limits) -> Option<Instant> {
        let now = Instant::now();
        let state = self.state();
        let end = match (state.blocked, state.running) {
            (Some(since), _) => Some(after(since, limits.write_timeout)),
            (None, 0) => Some(after(state.since, limits.header_timeout)),
            (None, _) => None,
        };
        drop(state);
        let look = after(now, limits.header_timeout.min(limits.write_timeout));
        match end {
            Some(end) if end <= now => None,
            Some(end) => Some(end.min(look)),
            None => Some(look),
        }
    }

    /// Whether a part of a request has come, and the other side would see an answer.
    pub(crate) fn has_part(&self) -> bool {
        let state = self.state();
        state.has_part && state.running == 0 && state.blocked.is_none()
    }
}

/// A day is as good as for ever: then there is another look.
fn after(instant: Instant, limit: Duration) -> Instant {
    instant + limit.min(Duration::from_secs(24 * 60 * 60))
}

/// A request that is under way.
pub(crate) struct Running(Arc<Progress>);

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.running -= 1;
        state.since = Instant::now();
        // These were bytes of its body.
        state.has_part = false;
    }
}
