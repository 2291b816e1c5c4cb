//! `sys` for the library's files: an OS thread's parker, which is the library's own, over locks of
//! the model's.

use crate::locks::std_mutex::{Condvar, Mutex};

#[path = "../../greenthread/src/sys/parker.rs"]
#[allow(dead_code, reason = "no model uses everything")]
pub(crate) mod parker;

/// A model's deadlines have all passed.
pub(crate) mod clock {
    use std::time::Instant;

    pub(crate) fn os_now() -> Instant {
        Instant::now()
    }
}
