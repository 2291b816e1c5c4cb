//! `ReentrantLock`: a raw mutex and the id of the thread that holds it.
//!
//! Invariants:
//! 1. `owner` is the id of the thread that holds `raw`, or 0 if no thread does. Only the holder
//!    writes it. Other threads may read it, but never find their own id in it, because an id is
//!    never used for two threads.
//! 2. `depth` is the number of guards that the owner has. Only the owner accesses it. Dropping the
//!    last guard unlocks `raw`.
//! 3. A guard is dropped on the thread that made it, because it is not `Send`.

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

/// A mutual exclusion lock that the thread which holds it may lock again. std has
/// [`std::sync::ReentrantLock`](https://doc.rust-lang.org/std/sync/struct.ReentrantLock.html) on
/// nightly only.
///
/// The owner of the lock is a *thread*, green or OS. Two green threads of the same worker exclude
/// each other. A guard gives a shared reference only, because there may be several guards at a
/// time. Put the value into a `RefCell` to change it.
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

// SAFETY: the lock owns the value, and `T: Send`. Sending the lock needs that no guard exists.
unsafe impl<T: ?Sized + Send> Send for ReentrantLock<T> {}
// SAFETY: one thread at a time accesses `value` and `depth` (invariants 1, 2), which `T: Send`
// allows.
unsafe impl<T: ?Sized + Send> Sync for ReentrantLock<T> {}

impl<T: ?Sized + UnwindSafe> UnwindSafe for ReentrantLock<T> {}
impl<T: ?Sized + RefUnwindSafe> RefUnwindSafe for ReentrantLock<T> {}

/// A guard of a locked [`ReentrantLock`]. It dereferences to the value. Dropping the thread's last
/// guard unlocks the lock.
///
/// [`ReentrantLock::lock`] returns it.
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

// SAFETY: a shared reference to a guard gives access to `&T` only, and `T: Sync`.
unsafe impl<T: ?Sized + Sync> Sync for ReentrantLockGuard<'_, T> {}

impl<T: ?Sized + RefUnwindSafe> UnwindSafe for ReentrantLockGuard<'_, T> {}
impl<T: ?Sized + RefUnwindSafe> RefUnwindSafe for ReentrantLockGuard<'_, T> {}

/// The id of the calling thread, green or OS.
fn current_thread_id() -> u64 {
    thread_local! {
        /// The id of an OS thread, or 0 if it has none yet. It has no destructor, so it can be read
        /// until the thread ends.
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
    /// Creates a lock, unlocked.
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

    /// Consumes the lock and returns the value.
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
    /// Locks. Waits until no other thread holds the lock.
    ///
    /// Blocks the calling thread, green or OS. The lock is never poisoned.
    ///
    /// # Panics
    ///
    /// If the thread has 2^32 - 1 guards of this lock already.
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
        .expect("the closure has waited for the lock")
    }

    /// Locks if no other thread holds the lock. Never blocks.
    pub(crate) fn try_lock(&self) -> Option<ReentrantLockGuard<'_, T>> {
        self.lock_if(|| polled(self.raw.try_lock(worker_id())))
    }

    /// Locks if the calling thread holds the lock already, or if `take` takes the raw lock and
    /// returns `true`.
    fn lock_if(&self, take: impl FnOnce() -> bool) -> Option<ReentrantLockGuard<'_, T>> {
        let id = current_thread_id();
        if self.owner.load(Relaxed) == id {
            // This thread holds the lock, so it may access `depth` (invariants 1, 2).
            self.depth.set(self.depth.get().checked_add(1).expect("a reentrant lock is locked too often"));
        } else {
            if !take() {
                return None;
            }
            self.owner.store(id, Relaxed);
            self.depth.set(1);
        }
        Some(ReentrantLockGuard { lock: self, _not_send: PhantomData })
    }

    /// Returns a mutable reference to the value. It does not lock: `&mut self` already guarantees
    /// exclusive access.
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
            // SAFETY: the calling thread holds the raw lock, and this was its last guard
            // (invariants 2, 3).
            unsafe { self.lock.raw.unlock() };
        }
    }
}
