//! Waiting until a descriptor is ready, without a call on it. The caller makes the call itself.

use std::{io, time::Instant};

use super::Descriptor;
use crate::{
    driver::{CallResult, Interest},
    runtime,
    sys::{
        fd::AsFd,
        poller::{look_one, poll_one},
    },
    task::{
        cancel,
        coop::{CALL, begin_call},
        time::block_until,
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
        begin_call(CALL);
        let Some(driver) = runtime::driver() else {
            return ended(block_until(deadline, |deadline| poll_one(self.as_fd(), interest, deadline)));
        };
        let mut turn = driver.turn(&self.source, interest);
        while !ended(look_one(self.as_fd(), interest))? {
            turn.record(CallResult::Blocked);
            match turn.wait(deadline)? {
                Outcome::Woken => {}
                Outcome::TimedOut => return Ok(false),
                Outcome::Cancelled => cancel::unwind(),
            }
        }
        Ok(true)
    }
}
