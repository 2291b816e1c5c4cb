//! Time: [`std::time`], with an [`Instant`] of this crate's own.
//!
//! The items that read no monotonic clock are std's, re-exported: [`Duration`], [`SystemTime`],
//! [`UNIX_EPOCH`] and the errors.
//!
//! # Examples
//!
//! ```
//! use greenthread::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
//!
//! let start = Instant::now();
//! let since_1970: Duration = SystemTime::now().duration_since(UNIX_EPOCH)?;
//! assert!(since_1970 > start.elapsed());
//! # Ok::<(), greenthread::time::SystemTimeError>(())
//! ```

use core::{
    fmt,
    ops::{Add, AddAssign, Sub, SubAssign},
};
use std::time;

use crate::task::time::now;

pub use std::time::{Duration, SystemTime, SystemTimeError, TryFromFloatSecsError, UNIX_EPOCH};

/// A moment of a clock that never goes back: [`std::time::Instant`] with the runtime's clock behind
/// it.
///
/// This is a separate type so that a program can later be run under a simulated clock. It converts
/// from and into [`std::time::Instant`].
///
/// # Examples
///
/// ```
/// use greenthread::{thread, time::{Duration, Instant}};
///
/// let start = Instant::now();
/// greenthread::run(|| thread::sleep(Duration::from_millis(5)));
/// assert!(start.elapsed() >= Duration::from_millis(5));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(time::Instant);

impl Instant {
    /// Returns the present moment.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::time::Instant;
    /// let moment = Instant::now();
    /// assert!(Instant::now() >= moment);
    /// ```
    #[must_use]
    pub fn now() -> Self {
        Self(now())
    }

    /// Returns the time from `earlier` to this moment, or zero if `earlier` is later.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::time::{Duration, Instant};
    /// let earlier = Instant::now();
    /// let later = earlier + Duration::from_secs(2);
    /// assert_eq!(later.duration_since(earlier), Duration::from_secs(2));
    /// assert_eq!(earlier.duration_since(later), Duration::ZERO);
    /// ```
    #[must_use]
    pub fn duration_since(&self, earlier: Instant) -> Duration {
        self.0.duration_since(earlier.0)
    }

    /// Returns the time from `earlier` to this moment, or `None` if `earlier` is later.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::time::{Duration, Instant};
    /// let earlier = Instant::now();
    /// let later = earlier + Duration::from_secs(2);
    /// assert_eq!(later.checked_duration_since(earlier), Some(Duration::from_secs(2)));
    /// assert_eq!(earlier.checked_duration_since(later), None);
    /// ```
    #[must_use]
    pub fn checked_duration_since(&self, earlier: Instant) -> Option<Duration> {
        self.0.checked_duration_since(earlier.0)
    }

    /// Returns the time from `earlier` to this moment, or zero if `earlier` is later.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::time::{Duration, Instant};
    /// let now = Instant::now();
    /// let later = now + Duration::from_secs(2);
    /// assert_eq!(now.saturating_duration_since(later), Duration::ZERO);
    /// ```
    #[must_use]
    pub fn saturating_duration_since(&self, earlier: Instant) -> Duration {
        self.0.saturating_duration_since(earlier.0)
    }

    /// Returns the time from this moment to now, or zero if this moment lies in the future.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{thread, time::{Duration, Instant}};
    /// let start = Instant::now();
    /// thread::sleep(Duration::from_millis(2));
    /// assert!(start.elapsed() >= Duration::from_millis(2));
    /// ```
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        Self::now().duration_since(*self)
    }

    /// Returns this moment plus `duration`, or `None` if the sum can't be represented.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::time::{Duration, Instant};
    /// assert!(Instant::now().checked_add(Duration::from_secs(1)).is_some());
    /// assert!(Instant::now().checked_add(Duration::MAX).is_none());
    /// ```
    #[must_use]
    pub fn checked_add(&self, duration: Duration) -> Option<Self> {
        self.0.checked_add(duration).map(Self)
    }

    /// Returns this moment minus `duration`, or `None` if the difference can't be represented.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::time::{Duration, Instant};
    /// let later = Instant::now() + Duration::from_secs(1);
    /// assert!(later.checked_sub(Duration::from_secs(1)).is_some());
    /// assert!(later.checked_sub(Duration::MAX).is_none());
    /// ```
    #[must_use]
    pub fn checked_sub(&self, duration: Duration) -> Option<Self> {
        self.0.checked_sub(duration).map(Self)
    }
}

impl From<time::Instant> for Instant {
    fn from(instant: time::Instant) -> Self {
        Self(instant)
    }
}

impl From<Instant> for time::Instant {
    fn from(instant: Instant) -> Self {
        instant.0
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// # Panics
    ///
    /// Panics if the sum can't be represented. [`checked_add`](Self::checked_add) doesn't.
    fn add(self, duration: Duration) -> Self {
        Self(self.0 + duration)
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    /// # Panics
    ///
    /// Panics if the difference can't be represented. [`checked_sub`](Self::checked_sub) doesn't.
    fn sub(self, duration: Duration) -> Self {
        Self(self.0 - duration)
    }
}

impl SubAssign<Duration> for Instant {
    fn sub_assign(&mut self, duration: Duration) {
        *self = *self - duration;
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.duration_since(earlier)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
