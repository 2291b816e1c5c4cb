//! A runtime's clock. In a program it is the operating system's clock. The library's own unit tests
//! can have another one, which stands still and jumps (`test_clock`).
//!
//! A clock decides three things: what time it is ([`Clock::instant`]), how a worker sleeps until a
//! deadline ([`Clock::sleep`]), and how a worker's OS thread blocks until one, for a thread that
//! may not be suspended ([`Clock::block`]). Threads ask it through `time`.
//!
//! None of the three costs a branch in a program, since only the library's own tests are compiled
//! with the other clock. Without it the first is std's call, and the other two call the closure
//! that they are given.

use core::time::Duration;
#[cfg(test)]
use std::sync::Arc;
use std::time::Instant;

use crate::sys::clock::os_now;

#[cfg(test)]
pub(crate) mod test_clock;

/// A clock. It counts the nanoseconds since it was made. See the module.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    origin: Instant,
    #[cfg(test)]
    test: Option<Arc<test_clock::TestClock>>,
}

impl Default for Clock {
    /// The operating system's clock.
    fn default() -> Self {
        Self {
            origin: os_now(),
            #[cfg(test)]
            test: None,
        }
    }
}

impl Clock {
    #[cfg(test)]
    pub(crate) fn of_test(test: Arc<test_clock::TestClock>) -> Self {
        Self { origin: test.instant(), test: Some(test) }
    }

    /// The same time, counted from now on.
    pub(crate) fn restart(&self) -> Self {
        let mut clock = self.clone();
        clock.origin = self.instant();
        clock
    }

    /// The present moment.
    #[inline]
    pub(crate) fn instant(&self) -> Instant {
        #[cfg(test)]
        if let Some(test) = &self.test {
            return test.instant();
        }
        os_now()
    }

    /// An instant in nanoseconds of this clock. An instant before its origin is 0; an instant too
    /// far in the future is `u64::MAX`.
    pub(crate) fn nanos(&self, instant: Instant) -> u64 {
        u64::try_from(instant.saturating_duration_since(self.origin).as_nanos()).unwrap_or(u64::MAX)
    }

    /// The present moment in nanoseconds of this clock.
    pub(crate) fn now(&self) -> u64 {
        self.nanos(self.instant())
    }

    /// Has a worker sleep by a call of `sleep`, which may end early. The timeout counts from
    /// `since`, in nanoseconds of this clock.
    ///
    /// A test clock calls `sleep` several times, and moves on when all workers sleep. So it asks
    /// whether this worker has something to do (`is_woken`), and whether all of them sleep.
    #[inline]
    #[cfg_attr(not(test), expect(unused_variables, reason = "for the test clock"))]
    pub(crate) fn sleep(
        &self,
        since: u64,
        timeout: Option<Duration>,
        sleep: impl Fn(Option<Duration>),
        is_woken: impl Fn() -> bool,
        do_all_sleep: impl Fn() -> bool,
    ) {
        #[cfg(test)]
        if let Some(test) = &self.test {
            let deadline = timeout.and_then(|timeout| {
                self.origin.checked_add(Duration::from_nanos(since))?.checked_add(timeout)
            });
            return test.sleep(deadline, sleep, is_woken, do_all_sleep);
        }
        sleep(timeout);
    }

    /// Calls `block`, which blocks the OS thread until the deadline at most, with the deadline as
    /// the operating system's clock counts. A test clock moves on by as much time as the call
    /// takes.
    #[inline]
    pub(crate) fn block<R>(&self, deadline: Option<Instant>, block: impl FnOnce(Option<Instant>) -> R) -> R {
        #[cfg(test)]
        if let Some(test) = &self.test {
            return test.block(deadline, block);
        }
        block(deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_counts_is_exact_and_saturates() {
        let clock = Clock::default();
        let after = |time| clock.nanos(clock.origin + time);
        assert_eq!(after(Duration::ZERO), 0);
        assert_eq!(after(Duration::new(3600, 1)), 3_600_000_000_001);
        assert_eq!(after(Duration::from_nanos(u64::MAX)), u64::MAX);
        assert_eq!(after(Duration::from_nanos(u64::MAX) + Duration::from_nanos(1)), u64::MAX);
        assert_eq!(clock.nanos(clock.origin - Duration::from_nanos(1)), 0);
    }

    #[test]
    fn started_again_it_is_the_same_time() {
        let test = test_clock::TestClock::new(1, false);
        let clock = Clock::of_test(test.clone());
        test.advance(Duration::from_nanos(7));
        let again = clock.restart();
        test.advance(Duration::from_nanos(5));
        assert_eq!((clock.now(), again.now()), (12, 5));
        assert_eq!(clock.instant(), again.instant());
    }
}
