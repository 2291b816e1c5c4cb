//! `ReentrantLock`: a raw mutex that knows its owner.
//!
//! Invariants:
//! 1. `owner` is the number of the thread that holds `raw`, and 0 while nobody does. Only the
//!    holder changes it; others may read it, and never find their own number, since numbers are not
//!    given twice.
//! 2. `depth` is how many guards the owner has, and is touched by the owner only. The last guard to
//!    go unlocks `raw`.
//! 3. A guard is dropped on the thread that made it: it is not `Send`.

use core::{
    cell::Cell,
    fmt,
    marker::PhantomData,
    ops::Deref,
    panic::{RefUnwindSafe, UnwindSafe},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use super::{guard::lock_traits, raw::lock_guard::worker_id, raw::mutex::RawMutex};
use crate::task::{coop::polled, id, worker_core};

/// A lock that its owner may lock again:
/// [`std::sync::ReentrantLock`](https://doc.rust-lang.org/std/sync/struct.ReentrantLock.html),
/// which std has on nightly only.
///
/// The owner is a *thread*, green or OS: siblings on the same worker exclude each other. Since
/// there may be several guards at a time they give a shared reference only; put a `RefCell` inside
/// to change things.
///
/// # Examples
///
/// ```
/// use greenthread::sync::ReentrantLock;
/// use std::cell::RefCell;
///
/// let lock = ReentrantLock::new(RefCell::new(0));
/// let outer = lock.lock();
/// *lock.lock().borrow_mut() += 1;
/// assert_eq!(*outer.borrow(), 1);
/// ```
pub struct ReentrantLock<T: ?Sized> {
    raw: RawMutex,
    owner: AtomicU64,
    depth: Cell<u32>,
    value: T,
}

// SAFETY: the value goes where the lock goes.
unsafe impl<T: ?Sized + Send> Send for ReentrantLock<T> {}
// SAFETY: the value is reached by one thread at a time, and `depth` too (invariants 1, 2).
unsafe impl<T: ?Sized + Send> Sync for ReentrantLock<T> {}

impl<T: ?Sized + UnwindSafe> UnwindSafe for ReentrantLock<T> {}
impl<T: ?Sized + RefUnwindSafe> RefUnwindSafe for ReentrantLock<T> {}

/// A reentrant lock held: through it the value is read, and dropping the last one unlocks.
///
/// Made by [`ReentrantLock::lock`].
///
/// # Examples
///
/// ```
/// use greenthread::sync::ReentrantLock;
///
/// let lock = ReentrantLock::new(1);
/// let outer = lock.lock();
/// let inner = lock.lock();
/// assert_eq!(*outer + *inner, 2);
/// ```
#[must_use = "dropped at once, it unlocks at once"]
#[clippy::has_significant_drop]
pub struct ReentrantLockGuard<'a, T: ?Sized + 'a> {
    lock: &'a ReentrantLock<T>,
    /// Invariant 3.
    _not_send: PhantomData<*mut ()>,
}

// SAFETY: a shared guard gives `&T` only.
unsafe impl<T: ?Sized + Sync> Sync for ReentrantLockGuard<'_, T> {}

impl<T: ?Sized + RefUnwindSafe> UnwindSafe for ReentrantLockGuard<'_, T> {}
impl<T: ?Sized + RefUnwindSafe> RefUnwindSafe for ReentrantLockGuard<'_, T> {}

/// The calling thread's number.
fn me() -> u64 {
    thread_local! {
        /// An OS thread's; 0 if it has none yet. It has no destructor, so it is there to the end.
        static OS_THREAD: Cell<u64> = const { Cell::new(0) };
    }
    if let Some(task) = worker_core::get().and_then(|core| core.running()) {
        return task.block.id.get();
    }
    if OS_THREAD.get() == 0 {
        OS_THREAD.set(id::reserve(1).get());
    }
    OS_THREAD.get()
}

impl<T> ReentrantLock<T> {
    /// A new lock, unlocked.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::ReentrantLock;
    ///
    /// static LOCK: ReentrantLock<()> = ReentrantLock::new(());
    /// drop(LOCK.lock());
    /// ```
    pub const fn new(t: T) -> Self {
        Self { raw: RawMutex::new(), owner: AtomicU64::new(0), depth: Cell::new(0), value: t }
    }

    /// Gives the value back.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::ReentrantLock;
    ///
    /// assert_eq!(ReentrantLock::new(7).into_inner(), 7);
    /// ```
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T: ?Sized> ReentrantLock<T> {
    /// Locks; waits until no other thread holds the lock.
    ///
    /// Blocks the calling thread, green or OS. It is never poisoned.
    ///
    /// # Panics
    ///
    /// If a thread has locked it 2^32 times.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::ReentrantLock;
    ///
    /// let lock = ReentrantLock::new(1);
    /// let (one, two) = (lock.lock(), lock.lock());
    /// assert_eq!(*one + *two, 2);
    /// ```
    pub fn lock(&self) -> ReentrantLockGuard<'_, T> {
        self.lock_if(|| {
            self.raw.lock(worker_id());
            true
        })
        .expect("waited for")
    }

    /// Locks, if no other thread holds the lock.
    pub(crate) fn try_lock(&self) -> Option<ReentrantLockGuard<'_, T>> {
        self.lock_if(|| polled(self.raw.try_lock(worker_id())))
    }

    /// Locks, if the lock is this thread's already or `take` takes it.
    fn lock_if(&self, take: impl FnOnce() -> bool) -> Option<ReentrantLockGuard<'_, T>> {
        let me = me();
        if self.owner.load(Relaxed) == me {
            // Ours (invariant 2).
            self.depth.set(self.depth.get().checked_add(1).expect("a reentrant lock is locked too often"));
        } else {
            if !take() {
                return None;
            }
            self.owner.store(me, Relaxed);
            self.depth.set(1);
        }
        Some(ReentrantLockGuard { lock: self, _not_send: PhantomData })
    }

    /// The value; whoever has the lock to itself needs no guard.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::ReentrantLock;
    ///
    /// let mut lock = ReentrantLock::new(0);
    /// *lock.get_mut() = 10;
    /// assert_eq!(*lock.lock(), 10);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

lock_traits!(ReentrantLock, lock => lock.try_lock().ok_or(()), format_args!("<locked>"));

impl<T: ?Sized> Deref for ReentrantLockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.lock.value
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for ReentrantLockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for ReentrantLockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized> Drop for ReentrantLockGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        let depth = self.lock.depth.get() - 1;
        self.lock.depth.set(depth);
        if depth == 0 {
            self.lock.owner.store(0, Relaxed);
            // SAFETY: this was the owner's last guard (invariant 2).
            unsafe { self.lock.raw.unlock() };
        }
    }
}
