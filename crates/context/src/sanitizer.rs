//! Reports of switches to a sanitizer, in builds that name one: `--cfg greenthread_asan` or
//! `--cfg greenthread_tsan`. In all other builds these functions do nothing.
//!
//! The side that leaves a stack reports it before the switch (`leave`, or `leave_for_good`). The
//! side that has entered a stack first reports that (`arrive`, or `arrive_first` on a new stack).

#[cfg(greenthread_asan)]
pub(crate) use crate::asan::*;
#[cfg(greenthread_tsan)]
pub(crate) use crate::tsan::*;

#[cfg(not(any(greenthread_asan, greenthread_tsan)))]
pub(crate) use off::*;

#[cfg(not(any(greenthread_asan, greenthread_tsan)))]
mod off {
    use crate::context::Context;

    /// The result of `leave`, for the `arrive` after the switch.
    pub(crate) struct Left;

    #[inline(always)]
    pub(crate) fn leave(_: Context) -> Left {
        Left
    }

    #[inline(always)]
    pub(crate) fn leave_for_good(_: Context) {}

    #[inline(always)]
    pub(crate) fn arrive(_: Left) {}

    #[inline(always)]
    pub(crate) fn arrive_first() {}
}
