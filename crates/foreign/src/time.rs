//! Deadlines, from the C library's times.

use std::time::{Duration, Instant};

use crate::raw::raw;

/// The deadline that is so far ahead.
pub(crate) fn after(duration: Duration) -> Option<Instant> {
    // One that can't be represented is too far ahead to be reached.
    Instant::now().checked_add(duration)
}

pub(crate) fn duration(time: &libc::timespec) -> Duration {
    Duration::new(time.tv_sec.max(0).cast_unsigned(), time.tv_nsec.clamp(0, 999_999_999) as u32)
}

/// The deadline of a time of one of the system's clocks.
pub(crate) fn at(clock: libc::clockid_t, time: &libc::timespec) -> Option<Instant> {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes to `now`.
    unsafe { raw!(SYS_clock_gettime, clock, &raw mut now) };
    after(duration(time).saturating_sub(duration(&now)))
}

/// The deadline of a timeout in milliseconds, of which a negative one never ends.
pub(crate) fn in_millis(timeout: i32) -> Option<Instant> {
    u64::try_from(timeout).ok().and_then(|millis| after(Duration::from_millis(millis)))
}

pub(crate) fn timespec(duration: Duration) -> libc::timespec {
    libc::timespec { tv_sec: duration.as_secs().cast_signed(), tv_nsec: duration.subsec_nanos().into() }
}
