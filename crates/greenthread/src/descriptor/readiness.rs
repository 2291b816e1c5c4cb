//! Waiting until a descriptor is ready, without a call on it. The caller makes the call itself.

use std::{io, time::Instant};

use super::{Descriptor, os_thread};
use crate::{
    driver::{CallResult, Interest},
    runtime,
    sys::{fd::AsFd, poller::look_one},
    task::{
        cancel,
        coop::{CALL, begin_call},
        wait::Outcome,
    },
};

impl Descriptor {
    /// Waits until the descriptor is ready, or has failed or ended. Returns `false` if the deadline
    /// has passed first. A descriptor that is always ready, such as a file, is ready.
    #[allow(dead_code, reason = "only Unix has one kind of descriptor for all")]
    pub(crate) fn wait_until_ready(&self, interest: Interest, deadline: Option<Instant>) -> io::Result<bool> {
        let ended = |result: io::Result<()>| match result {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok(false),
            result => result.map(|()| true),
        };
        begin_call(CALL).map_err(cancel::raise)?;
        let Some(driver) = runtime::driver() else {
            return match os_thread::wait(self.as_fd(), interest, deadline) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
                result => result.map(|()| true).map_err(cancel::raise),
            };
        };
        let mut turn = driver.turn(&self.source, interest);
        while !ended(look_one(self.as_fd(), interest))? {
            turn.record(CallResult::Blocked);
            match turn.wait(deadline)? {
                Outcome::Woken => {}
                Outcome::TimedOut => return Ok(false),
                Outcome::Cancelled => return Err(cancel::raise(cancel::error())),
            }
        }
        Ok(true)
    }
}
