//! Calls of tasks: a call that would block leaves a waker, and blocks no thread.
//!
//! On a green thread the task waits at the worker's driver (`driver::poll::awaiting`). Elsewhere,
//! in a task of another executor, there is no driver. A green thread waits in its place there, on a
//! duplicate of the descriptor, and the task awaits that thread.

use std::{
    io,
    task::{Context, Poll},
};

use super::Descriptor;
use crate::{
    driver::{Awaiting, CallResult, Interest},
    runtime::{
        self,
        spawn::{Request, spawn},
    },
    scheduler::registry,
    sys::{
        error::{OsError, OsResult},
        fd::AsFd,
        socket::NO_SHUTDOWN_EVENT,
    },
    task::{
        cancel,
        coop::{CALL, begin_call},
        join_future::JoinFuture,
    },
};

/// The wait of one task for one direction of a descriptor, from one poll to the next. It is dropped
/// before the descriptor.
#[derive(Default)]
pub(crate) struct PollWait {
    here: Awaiting,
    elsewhere: Option<Substitute>,
}

/// The green thread that waits in a task's place. It is cancelled when this is dropped.
struct Substitute(JoinFuture<io::Result<bool>>);

impl Substitute {
    fn new(descriptor: &Descriptor, interest: Interest) -> io::Result<Self> {
        let duplicate = Descriptor::new(descriptor.as_fd().try_clone_to_owned()?);
        let wait = move || duplicate.wait_until_ready(interest, None);
        // SAFETY: it borrows nothing, and is `Send`, as its result is.
        let thread = unsafe { spawn(None, Request::plain(), wait) }?;
        Ok(Self(JoinFuture::new(thread)))
    }
}

impl Drop for Substitute {
    fn drop(&mut self) {
        if let Some(thread) = self.0.thread() {
            registry::cancel_thread(thread);
        }
    }
}

impl Descriptor {
    /// Makes a call that does not block, or waits until it may succeed. The mode and the timeouts
    /// that the user has set have no meaning here.
    pub(crate) fn poll_attempt<T>(
        &self,
        wait: &mut PollWait,
        interest: Interest,
        context: &mut Context<'_>,
        mut call: impl FnMut() -> OsResult<(T, CallResult)>,
    ) -> Poll<io::Result<T>> {
        let Some(driver) = runtime::driver() else {
            return self.poll_elsewhere(wait, interest, context, call);
        };
        begin_call(CALL).map_err(cancel::raise)?;
        wait.elsewhere = None;
        let mut turn = driver.turn(&self.source, interest);
        if !turn.resume(&mut wait.here, context.waker()) {
            return Poll::Pending;
        }
        let hears_nothing = NO_SHUTDOWN_EVENT || self.no_write_shutdown_event && interest == Interest::Write;
        let mut blocked = turn.is_blocked();
        loop {
            // As in `repeat`: a shutdown may have come before the driver joined the writers.
            if blocked
                && !(hears_nothing && self.join_writers(driver)?)
                && turn.begin_wait(&mut wait.here, context.waker())?
            {
                return Poll::Pending;
            }
            match call() {
                Ok((value, shown)) => {
                    turn.record(shown);
                    return Poll::Ready(Ok(value));
                }
                Err(OsError::WOULD_BLOCK) => {
                    turn.record(CallResult::Blocked);
                    blocked = true;
                }
                Err(OsError::INTERRUPTED) => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }

    #[cold]
    fn poll_elsewhere<T>(
        &self,
        wait: &mut PollWait,
        interest: Interest,
        context: &mut Context<'_>,
        mut call: impl FnMut() -> OsResult<(T, CallResult)>,
    ) -> Poll<io::Result<T>> {
        wait.here.withdraw();
        loop {
            if let Some(substitute) = &mut wait.elsewhere {
                if substitute.0.poll(context).is_pending() {
                    return Poll::Pending;
                }
                wait.elsewhere = None;
            }
            match call() {
                Ok((value, _)) => return Poll::Ready(Ok(value)),
                Err(OsError::WOULD_BLOCK) => wait.elsewhere = Some(Substitute::new(self, interest)?),
                Err(OsError::INTERRUPTED) => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }
}
