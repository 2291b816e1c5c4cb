//! `Semaphore`: the public face of `raw::semaphore`.

use core::{fmt, mem, time::Duration};
use std::{sync::Arc, time::Instant};

use super::raw::semaphore::{MAX, RawSemaphore};
use crate::task::{coop::polled, time::deadline_after};

/// A number of permits, of which threads take some and give them back: so many may do something at
/// a time.
///
/// std has none; the names are those of the crate `tokio`. A green thread that must wait lets its
/// worker run others, an OS thread blocks, and both may share a semaphore.
///
/// Threads are served in the order in which they come, so nobody starves: one that wants much is
/// not passed by others that want little. An uncontended `acquire` and its release are one atomic
/// operation each.
///
/// # Examples
///
/// At most two at a time:
///
/// ```
/// use greenthread::{sync::Semaphore, thread};
///
/// static DESKS: Semaphore = Semaphore::new(2);
///
/// let threads: Vec<_> = (0..5)
///     .map(|_| {
///         thread::spawn(|| {
///             let _desk = DESKS.acquire();
///             thread::yield_now();
///         })
///     })
///     .collect();
/// for thread in threads {
///     thread.join().unwrap();
/// }
/// assert_eq!(DESKS.available_permits(), 2);
/// ```
pub struct Semaphore(RawSemaphore);

impl Semaphore {
    /// The largest number of permits that a semaphore can have.
    pub const MAX_PERMITS: usize = MAX;

    /// A semaphore with so many permits.
    ///
    /// # Panics
    ///
    /// If that is more than [`MAX_PERMITS`](Semaphore::MAX_PERMITS).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::Semaphore;
    ///
    /// static ROOM: Semaphore = Semaphore::new(10);
    /// assert_eq!(ROOM.available_permits(), 10);
    /// ```
    #[must_use]
    pub const fn new(permits: usize) -> Self {
        assert!(permits <= MAX, "more permits than a semaphore can have");
        Self(RawSemaphore::new(permits))
    }

    /// How many permits there are at this moment.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::Semaphore;
    ///
    /// let semaphore = Semaphore::new(3);
    /// let _permit = semaphore.acquire();
    /// assert_eq!(semaphore.available_permits(), 2);
    /// ```
    #[must_use]
    pub fn available_permits(&self) -> usize {
        let permits = self.0.available();
        polled(permits != 0);
        permits
    }

    /// Adds permits, and wakes those who can go on with them. Never blocks.
    ///
    /// # Panics
    ///
    /// If there were more than [`MAX_PERMITS`](Semaphore::MAX_PERMITS) then.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::Semaphore, thread};
    ///
    /// static READY: Semaphore = Semaphore::new(0);
    /// thread::spawn(|| READY.add_permits(2));
    /// READY.acquire_many(2).forget();
    /// ```
    pub fn add_permits(&self, n: usize) {
        assert!(self.0.release(n), "more permits than a semaphore can have");
    }

    /// Takes up to `n` of the available permits away for ever, and says how many. Never blocks.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::Semaphore;
    ///
    /// assert_eq!(Semaphore::new(3).forget_permits(5), 3);
    /// ```
    pub fn forget_permits(&self, n: usize) -> usize {
        self.0.forget(n)
    }

    /// Waits for a permit, and takes it.
    ///
    /// Blocks the calling thread, green or OS.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::Semaphore;
    ///
    /// let semaphore = Semaphore::new(1);
    /// let permit = semaphore.acquire();
    /// assert!(semaphore.try_acquire().is_none());
    /// drop(permit);
    /// assert!(semaphore.try_acquire().is_some());
    /// ```
    pub fn acquire(&self) -> SemaphorePermit<'_> {
        self.acquire_many(1)
    }

    /// Waits for `n` permits, and takes them, all at once.
    ///
    /// Blocks the calling thread, green or OS: for ever if there will never be so many.
    ///
    /// # Panics
    ///
    /// If `n` is more than [`MAX_PERMITS`](Semaphore::MAX_PERMITS).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::Semaphore;
    ///
    /// let semaphore = Semaphore::new(3);
    /// assert_eq!(semaphore.acquire_many(2).num_permits(), 2);
    /// ```
    pub fn acquire_many(&self, n: usize) -> SemaphorePermit<'_> {
        self.take(n, None);
        SemaphorePermit { semaphore: self, permits: n }
    }

    /// As [`acquire`](Semaphore::acquire), for at most `dur`; `None` if the time ran out.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::Semaphore, time::Duration};
    ///
    /// assert!(Semaphore::new(0).acquire_timeout(Duration::from_millis(5)).is_none());
    /// ```
    pub fn acquire_timeout(&self, dur: Duration) -> Option<SemaphorePermit<'_>> {
        self.acquire_many_timeout(1, dur)
    }

    /// As [`acquire_many`](Semaphore::acquire_many), for at most `dur`; `None` if the time ran out,
    /// and then no permit is taken.
    ///
    /// # Panics
    ///
    /// As [`acquire_many`](Semaphore::acquire_many).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::Semaphore, time::Duration};
    ///
    /// let semaphore = Semaphore::new(1);
    /// assert!(semaphore.acquire_many_timeout(2, Duration::from_millis(5)).is_none());
    /// assert_eq!(semaphore.available_permits(), 1);
    /// ```
    pub fn acquire_many_timeout(&self, n: usize, dur: Duration) -> Option<SemaphorePermit<'_>> {
        let taken = self.0.try_acquire(n) || self.take(n, deadline_after(dur));
        taken.then(|| SemaphorePermit { semaphore: self, permits: n })
    }

    /// Takes a permit, if there is one and nobody waits for it. Never blocks.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::Semaphore;
    ///
    /// assert!(Semaphore::new(1).try_acquire().is_some());
    /// assert!(Semaphore::new(0).try_acquire().is_none());
    /// ```
    pub fn try_acquire(&self) -> Option<SemaphorePermit<'_>> {
        self.try_acquire_many(1)
    }

    /// Takes `n` permits, if there are so many and nobody waits for them. Never blocks.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::Semaphore;
    ///
    /// assert!(Semaphore::new(1).try_acquire_many(2).is_none());
    /// ```
    pub fn try_acquire_many(&self, n: usize) -> Option<SemaphorePermit<'_>> {
        // Not `then_some`: a permit that is made is given back.
        polled(self.0.try_acquire(n)).then(|| SemaphorePermit { semaphore: self, permits: n })
    }

    /// As [`acquire`](Semaphore::acquire); the permit may go to another thread that outlives this
    /// one.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::{Arc, Semaphore}, thread};
    ///
    /// let semaphore = Arc::new(Semaphore::new(2));
    /// for _ in 0..5 {
    ///     // At most two of these threads are there at a time.
    ///     let permit = Arc::clone(&semaphore).acquire_owned();
    ///     thread::spawn(move || drop(permit));
    /// }
    /// ```
    pub fn acquire_owned(self: Arc<Self>) -> OwnedSemaphorePermit {
        self.acquire_many_owned(1)
    }

    /// As [`acquire_many`](Semaphore::acquire_many); the permits may go to another thread that
    /// outlives this one.
    ///
    /// # Panics
    ///
    /// As [`acquire_many`](Semaphore::acquire_many).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::{Arc, Semaphore};
    ///
    /// let permits = Arc::new(Semaphore::new(2)).acquire_many_owned(2);
    /// assert_eq!(permits.num_permits(), 2);
    /// ```
    pub fn acquire_many_owned(self: Arc<Self>, n: usize) -> OwnedSemaphorePermit {
        self.take(n, None);
        OwnedSemaphorePermit { semaphore: self, permits: n }
    }

    /// As [`try_acquire`](Semaphore::try_acquire); the permit may go to another thread that
    /// outlives this one.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::{Arc, Semaphore};
    ///
    /// assert!(Arc::new(Semaphore::new(1)).try_acquire_owned().is_some());
    /// ```
    pub fn try_acquire_owned(self: Arc<Self>) -> Option<OwnedSemaphorePermit> {
        self.try_acquire_many_owned(1)
    }

    /// As [`try_acquire_many`](Semaphore::try_acquire_many); the permits may go to another thread
    /// that outlives this one.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::{Arc, Semaphore};
    ///
    /// assert!(Arc::new(Semaphore::new(1)).try_acquire_many_owned(2).is_none());
    /// ```
    pub fn try_acquire_many_owned(self: Arc<Self>, n: usize) -> Option<OwnedSemaphorePermit> {
        polled(self.0.try_acquire(n)).then(|| OwnedSemaphorePermit { semaphore: self, permits: n })
    }

    #[track_caller]
    fn take(&self, n: usize, deadline: Option<Instant>) -> bool {
        assert!(n <= MAX, "more permits than a semaphore can have");
        self.0.acquire_until(n, deadline)
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore").field("permits", &self.available_permits()).finish()
    }
}

macro_rules! permit {
    ($(#[$meta:meta])* $name:ident $(<$a:lifetime>)?, $semaphore:ty, $acquire:literal) => {
        $(#[$meta])*
        #[must_use = "dropped at once, the permits are given back at once"]
        #[clippy::has_significant_drop]
        pub struct $name $(<$a>)? {
            semaphore: $semaphore,
            permits: usize,
        }

        impl $(<$a>)? $name $(<$a>)? {
            /// How many permits this stands for.
            ///
            /// # Examples
            ///
            /// ```
            /// use greenthread::sync::{Arc, Semaphore};
            ///
            #[doc = $acquire]
            /// assert_eq!(permits.num_permits(), 3);
            /// ```
            #[must_use]
            pub fn num_permits(&self) -> usize {
                self.permits
            }

            /// Keeps the permits from ever being given back.
            ///
            /// # Examples
            ///
            /// ```
            /// use greenthread::sync::{Arc, Semaphore};
            ///
            #[doc = $acquire]
            /// permits.forget();
            /// assert_eq!(semaphore.available_permits(), 0);
            /// ```
            pub fn forget(mut self) {
                self.permits = 0;
            }

            /// Takes over another's permits, which must be of the same semaphore.
            ///
            /// # Panics
            ///
            /// If they are of another one.
            ///
            /// # Examples
            ///
            /// ```
            /// use greenthread::sync::{Arc, Semaphore};
            ///
            #[doc = $acquire]
            /// let one = permits.split(1).unwrap();
            /// permits.merge(one);
            /// assert_eq!(permits.num_permits(), 3);
            /// ```
            #[track_caller]
            pub fn merge(&mut self, mut other: Self) {
                let (ours, theirs): (&Semaphore, &Semaphore) = (&self.semaphore, &other.semaphore);
                assert!(core::ptr::eq(ours, theirs), "permits of different semaphores");
                self.permits += mem::take(&mut other.permits);
            }

            /// Gives `n` of the permits to a value of their own; `None` if there are fewer.
            ///
            /// # Examples
            ///
            /// ```
            /// use greenthread::sync::{Arc, Semaphore};
            ///
            #[doc = $acquire]
            /// drop(permits.split(1));
            /// assert_eq!((permits.num_permits(), semaphore.available_permits()), (2, 1));
            /// assert!(permits.split(3).is_none());
            /// ```
            pub fn split(&mut self, n: usize) -> Option<Self> {
                self.permits = self.permits.checked_sub(n)?;
                Some(Self { semaphore: self.semaphore.clone(), permits: n })
            }
        }

        impl $(<$a>)? Drop for $name $(<$a>)? {
            /// Gives the permits back.
            fn drop(&mut self) {
                if self.permits != 0 {
                    self.semaphore.add_permits(self.permits);
                }
            }
        }

        impl $(<$a>)? fmt::Debug for $name $(<$a>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("permits", &self.permits).finish_non_exhaustive()
            }
        }
    };
}

permit! {
    /// Permits of a [`Semaphore`]: given back when this is dropped, on whichever thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::Semaphore;
    ///
    /// let semaphore = Semaphore::new(2);
    /// let permit = semaphore.acquire();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// drop(permit);
    /// assert_eq!(semaphore.available_permits(), 2);
    /// ```
    SemaphorePermit<'a>, &'a Semaphore,
    "let semaphore = Semaphore::new(3);\nlet mut permits = semaphore.acquire_many(3);"
}

permit! {
    /// Permits of a [`Semaphore`] behind an `Arc`: given back when this is dropped, on whichever
    /// thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::{Arc, Semaphore}, thread};
    ///
    /// let semaphore = Arc::new(Semaphore::new(1));
    /// let permit = Arc::clone(&semaphore).acquire_owned();
    /// thread::spawn(move || drop(permit)).join().unwrap();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// ```
    OwnedSemaphorePermit, Arc<Semaphore>,
    "let semaphore = Arc::new(Semaphore::new(3));\nlet mut permits = Arc::clone(&semaphore).acquire_many_owned(3);"
}
