//! `Semaphore`: the public API of `raw::semaphore`.

use core::{fmt, future::poll_fn, mem, time::Duration};
use std::{sync::Arc, time::Instant};

use super::{
    acquire_future::AcquireFuture,
    raw::semaphore::{MAX, RawSemaphore},
};
use crate::task::{coop::polled, time::deadline_after};

/// A counting semaphore. It has a number of permits, which threads acquire and release. So it
/// limits how many threads do something at a time.
///
/// std has no semaphore. The names are those of the crate `tokio`. A green thread that waits lets
/// its worker run other threads. An OS thread that waits blocks. Both may share a semaphore.
///
/// Threads are served in the order in which they come, so no thread starves. A thread that wants
/// many permits is not overtaken by threads that want few. An uncontended `acquire` and its release
/// are one atomic operation each.
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

    /// Creates a semaphore with `permits` permits.
    ///
    /// # Panics
    ///
    /// If `permits` is more than [`MAX_PERMITS`](Semaphore::MAX_PERMITS).
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

    /// The number of permits that are available at this moment.
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

    /// Adds `n` permits, and wakes the waiting threads that can go on with them. Never blocks.
    ///
    /// # Panics
    ///
    /// If the number of available permits would exceed [`MAX_PERMITS`](Semaphore::MAX_PERMITS).
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

    /// Removes up to `n` of the available permits for good. Returns how many it has removed. Never
    /// blocks.
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

    /// Acquires a permit. Waits until one is available.
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

    /// Acquires `n` permits at once. Waits until `n` permits are available.
    ///
    /// Blocks the calling thread, green or OS. It blocks for ever if the semaphore never has `n`
    /// permits available.
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

    /// As [`acquire`](Semaphore::acquire), for a future: it waits by its waker, in a task of any
    /// executor, and blocks no thread. It is served in the order in which it was first polled, as
    /// threads are. If it is dropped, its permit goes to the next one.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{block_on, sync::Semaphore};
    ///
    /// let semaphore = Semaphore::new(1);
    /// block_on(async {
    ///     let permit = semaphore.acquire_async().await;
    ///     assert_eq!(permit.num_permits(), 1);
    /// });
    /// assert_eq!(semaphore.available_permits(), 1);
    /// ```
    pub fn acquire_async(&self) -> impl Future<Output = SemaphorePermit<'_>> + Unpin {
        self.acquire_many_async(1)
    }

    /// As [`acquire_many`](Semaphore::acquire_many), for a future, as
    /// [`acquire_async`](Semaphore::acquire_async) is.
    ///
    /// # Panics
    ///
    /// If `n` is more than [`MAX_PERMITS`](Semaphore::MAX_PERMITS).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{block_on, sync::Semaphore};
    ///
    /// let semaphore = Semaphore::new(3);
    /// assert_eq!(block_on(semaphore.acquire_many_async(2)).num_permits(), 2);
    /// ```
    pub fn acquire_many_async(&self, n: usize) -> impl Future<Output = SemaphorePermit<'_>> + Unpin {
        assert!(n <= MAX, "more permits than a semaphore can have");
        let mut future = AcquireFuture::new(&self.0, n);
        poll_fn(move |context| {
            future.poll(context.waker()).map(|()| SemaphorePermit { semaphore: self, permits: n })
        })
    }

    /// Like [`acquire`](Semaphore::acquire), but waits for at most `dur`. Returns `None` if it
    /// timed out.
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

    /// Like [`acquire_many`](Semaphore::acquire_many), but waits for at most `dur`. Returns `None`
    /// if it timed out, and has acquired no permit then.
    ///
    /// # Panics
    ///
    /// The same as [`acquire_many`](Semaphore::acquire_many).
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

    /// Acquires a permit if one is available and no thread waits for permits. Never blocks.
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

    /// Acquires `n` permits if they are available and no thread waits for permits. Never blocks.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::Semaphore;
    ///
    /// assert!(Semaphore::new(1).try_acquire_many(2).is_none());
    /// ```
    pub fn try_acquire_many(&self, n: usize) -> Option<SemaphorePermit<'_>> {
        // Not `then_some`, which would make the value in any case and drop it, releasing permits
        // that were not acquired.
        polled(self.0.try_acquire(n)).then(|| SemaphorePermit { semaphore: self, permits: n })
    }

    /// Like [`acquire`](Semaphore::acquire), but the permit owns an `Arc` of the semaphore. So it
    /// can be moved to a thread that outlives this one.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::{Arc, Semaphore}, thread};
    ///
    /// let semaphore = Arc::new(Semaphore::new(2));
    /// for _ in 0..5 {
    ///     // At most two of these threads exist at a time.
    ///     let permit = Arc::clone(&semaphore).acquire_owned();
    ///     thread::spawn(move || drop(permit));
    /// }
    /// ```
    pub fn acquire_owned(self: Arc<Self>) -> OwnedSemaphorePermit {
        self.acquire_many_owned(1)
    }

    /// Like [`acquire_many`](Semaphore::acquire_many), but the permits own an `Arc` of the
    /// semaphore. So they can be moved to a thread that outlives this one.
    ///
    /// # Panics
    ///
    /// The same as [`acquire_many`](Semaphore::acquire_many).
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

    /// Like [`try_acquire`](Semaphore::try_acquire), but the permit owns an `Arc` of the semaphore.
    /// So it can be moved to a thread that outlives this one.
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

    /// Like [`try_acquire_many`](Semaphore::try_acquire_many), but the permits own an `Arc` of the
    /// semaphore. So they can be moved to a thread that outlives this one.
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

/// Defines a type that stands for permits: one that borrows its semaphore, or one that owns an
/// `Arc` of it. `$acquire` is the beginning of the examples.
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
            /// The number of permits that this value holds.
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

            /// Drops the value without releasing its permits. The semaphore has fewer permits for
            /// good.
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

            /// Moves the permits of `other` into this value.
            ///
            /// # Panics
            ///
            /// If `other` is of a different semaphore.
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

            /// Moves `n` of the permits into a new value. Returns `None` if this value holds fewer.
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
            /// Releases the permits.
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
    /// Permits of a [`Semaphore`]. Dropping this value releases them, on any thread.
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
    /// Permits of a [`Semaphore`] in an `Arc`. Dropping this value releases them, on any thread.
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
