//! `sys` for the library's files: an OS thread's parker, which is the library's own, over locks of
//! the model's, and with alarms of the model's.

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

/// A model's process does not fork.
pub(crate) mod process {
    pub(crate) fn generation() -> u32 {
        0
    }
}

pub(crate) mod fd {
    /// A descriptor that never becomes ready.
    #[derive(Debug)]
    pub(crate) struct BorrowedFd<'a>(pub(crate) std::marker::PhantomData<&'a ()>);
}

/// Waits for descriptors, none of which becomes ready.
pub(crate) mod poller {
    use std::{io, sync::Arc, time::Instant};

    use super::fd::BorrowedFd;
    use crate::harness::Driver;

    #[derive(Debug)]
    pub(crate) enum Interest {
        Read,
    }

    #[derive(Debug)]
    pub(crate) struct Alarm(Arc<Driver>);

    impl Alarm {
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Self(Driver::new()))
        }

        pub(crate) fn ring(&self) {
            self.0.wake();
        }
    }

    pub(crate) fn poll_one(
        _: BorrowedFd<'_>,
        _: Interest,
        _: Option<Instant>,
        alarm: Option<&Alarm>,
    ) -> io::Result<bool> {
        alarm.expect("nothing else ends the wait").0.sleep();
        Ok(false)
    }
}
