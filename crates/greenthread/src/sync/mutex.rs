//! `Mutex`: the public face of `raw_mutex`.
//!
//! Invariants:
//! 1. `value` is touched through a guard, and there is one guard at most: it stands for the raw lock being
//!    held. Otherwise only through `&mut Mutex` or by owning the mutex.
//! 2. A guard is dropped on the thread that made it: it is not `Send`.

use core::{
    cell::UnsafeCell,
    fmt,
    marker::PhantomData,
    ops::{Deref, DerefMut},
    panic::{RefUnwindSafe, UnwindSafe},
    ptr,
    sync::atomic::AtomicUsize,
};
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

use super::{
    poison,
    queue::Queue,
    raw_mutex::{RawMutex, Waiting},
    short::ShortLock,
};
use crate::task::local;

/// A lock around a value: one thread at a time gets at it.
///
/// This is [`std::sync::Mutex`] for green threads. A thread that finds it locked goes to sleep, and its
/// worker runs others meanwhile; an OS thread that finds it locked blocks, as it would with std's. Green
/// threads and OS threads may share one.
///
/// A guard may be kept across calls that block. Threads that come in the meantime wait; with a std mutex they
/// would block the worker that the holder needs to go on.
///
/// # Who is next
///
/// An unlocked mutex goes to whoever asks first, be it a newcomer; threads that sleep are woken in the order
/// in which they came. One that was woken in vain for about half a millisecond is handed the lock by the next
/// one that unlocks, so nobody starves. A thread that neither blocks nor yields keeps the others of its
/// worker from running, with or without a lock.
///
/// # Poisoning
///
/// A mutex is poisoned when a thread panics while it holds the lock, as with std. What counts is the green
/// thread's own panic ([`thread::panicking`](crate::thread::panicking)), not that of a sibling on the same
/// worker.
///
/// # Differs from std
///
/// * It is larger: 40 bytes and the value.
/// * Locking it twice in one thread is a deadlock, never a panic.
///
/// # Examples
///
/// ```
/// use greenthread::{sync::{Arc, Mutex}, thread};
///
/// let sum = Arc::new(Mutex::new(0));
/// let threads: Vec<_> = (1..=10)
///     .map(|n| {
///         let sum = Arc::clone(&sum);
///         thread::spawn(move || *sum.lock().unwrap() += n)
///     })
///     .collect();
/// for thread in threads {
///     thread.join().unwrap();
/// }
/// assert_eq!(*sum.lock().unwrap(), 55);
/// ```
pub struct Mutex<T: ?Sized> {
    raw: RawMutex,
    poison: poison::Flag,
    value: UnsafeCell<T>,
}

// SAFETY: the value goes from holder to holder (invariant 1), whichever OS threads they are on.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

impl<T: ?Sized> UnwindSafe for Mutex<T> {}
impl<T: ?Sized> RefUnwindSafe for Mutex<T> {}

/// A mutex held: through it the value is reached, and dropping it unlocks.
///
/// Made by [`Mutex::lock`] and [`Mutex::try_lock`].
#[must_use = "dropped at once, it unlocks at once"]
#[clippy::has_significant_drop]
pub struct MutexGuard<'a, T: ?Sized + 'a> {
    mutex: &'a Mutex<T>,
    before: poison::Before,
    /// Invariant 2.
    _not_send: PhantomData<*mut ()>,
}

// SAFETY: a shared guard gives `&T` only.
unsafe impl<T: ?Sized + Sync> Sync for MutexGuard<'_, T> {}

impl RawMutex {
    /// A free one. It is here so that `raw_mutex` has nothing `const` in it (see there).
    pub(crate) const fn new() -> Self {
        Self {
            state: AtomicUsize::new(0),
            waiting: ShortLock::new(Waiting { queue: Queue::new(), tickets: 0, skipped: 0 }),
        }
    }
}

/// The calling OS thread's worker as a number, 0 if it is none.
#[inline]
fn here() -> usize {
    local::get().map_or(0, |local| ptr::from_ref(local).addr())
}

impl<T> Mutex<T> {
    /// A new mutex, unlocked.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::Mutex;
    ///
    /// static NAMES: Mutex<Vec<String>> = Mutex::new(Vec::new());
    /// NAMES.lock().unwrap().push("fern".into());
    /// ```
    #[inline]
    pub const fn new(value: T) -> Self {
        Self { raw: RawMutex::new(), poison: poison::Flag::new(), value: UnsafeCell::new(value) }
    }

    /// Gives the value back; no lock is needed to take apart what is one's own.
    ///
    /// # Errors
    ///
    /// The mutex is poisoned; the error holds the value.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::Mutex;
    ///
    /// assert_eq!(Mutex::new(7).into_inner().unwrap(), 7);
    /// ```
    pub fn into_inner(self) -> LockResult<T> {
        let poisoned = self.poison.get();
        let value = self.value.into_inner();
        if poisoned { Err(PoisonError::new(value)) } else { Ok(value) }
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits until the mutex is free, and locks it.
    ///
    /// Blocks the calling thread, green or OS. An uncontended `lock` is one atomic operation.
    ///
    /// # Errors
    ///
    /// The mutex is poisoned; the error holds the guard all the same.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::Mutex;
    ///
    /// let mutex = Mutex::new(1);
    /// *mutex.lock().unwrap() += 1;
    /// assert_eq!(*mutex.lock().unwrap(), 2);
    /// ```
    #[inline]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        self.raw.lock(here());
        self.guard()
    }

    /// Locks the mutex if it is free at this moment. Never blocks.
    ///
    /// # Errors
    ///
    /// [`TryLockError::WouldBlock`] if it is locked, and [`TryLockError::Poisoned`], which holds the guard,
    /// if it is poisoned.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::Mutex;
    ///
    /// let mutex = Mutex::new(());
    /// let guard = mutex.try_lock().unwrap();
    /// assert!(mutex.try_lock().is_err());
    /// drop(guard);
    /// assert!(mutex.try_lock().is_ok());
    /// ```
    #[inline]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        if self.raw.try_lock(here()) { Ok(self.guard()?) } else { Err(TryLockError::WouldBlock) }
    }

    #[inline]
    fn guard(&self) -> LockResult<MutexGuard<'_, T>> {
        let before = self.poison.before();
        self.poison.wrap(MutexGuard { mutex: self, before, _not_send: PhantomData })
    }

    /// Whether a thread has panicked while it held the lock.
    ///
    /// Another thread may poison the mutex at any time: don't rely on `false` without holding the lock.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::{Arc, Mutex}, thread};
    ///
    /// let mutex = Arc::new(Mutex::new(()));
    /// let shared = Arc::clone(&mutex);
    /// let _ = thread::spawn(move || {
    ///     let _guard = shared.lock().unwrap();
    ///     panic!("while holding the lock");
    /// })
    /// .join();
    /// assert!(mutex.is_poisoned());
    /// ```
    #[inline]
    pub fn is_poisoned(&self) -> bool {
        self.poison.get()
    }

    /// Takes the poison away: the value is in order again, says the caller.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::{Arc, Mutex}, thread};
    ///
    /// let mutex = Arc::new(Mutex::new(0));
    /// let shared = Arc::clone(&mutex);
    /// let _ = thread::spawn(move || {
    ///     let _guard = shared.lock().unwrap();
    ///     panic!("while holding the lock");
    /// })
    /// .join();
    /// let guard = mutex.lock().unwrap_or_else(|mut poisoned| {
    ///     **poisoned.get_mut() = 1;
    ///     mutex.clear_poison();
    ///     poisoned.into_inner()
    /// });
    /// assert_eq!(*guard, 1);
    /// assert!(!mutex.is_poisoned());
    /// ```
    pub fn clear_poison(&self) {
        self.poison.clear();
    }

    /// The value; whoever has the mutex to itself needs no lock.
    ///
    /// # Errors
    ///
    /// The mutex is poisoned; the error holds the reference.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::Mutex;
    ///
    /// let mut mutex = Mutex::new(0);
    /// *mutex.get_mut().unwrap() = 10;
    /// assert_eq!(*mutex.lock().unwrap(), 10);
    /// ```
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        let poisoned = self.poison.get();
        let value = self.value.get_mut();
        if poisoned { Err(PoisonError::new(value)) } else { Ok(value) }
    }
}

impl<T> From<T> for Mutex<T> {
    /// The same as [`Mutex::new`].
    fn from(value: T) -> Self {
        Mutex::new(value)
    }
}

impl<T: Default> Default for Mutex<T> {
    /// A mutex around the type's default.
    fn default() -> Self {
        Mutex::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Mutex");
        match self.try_lock() {
            Ok(guard) => out.field("data", &&*guard),
            Err(TryLockError::Poisoned(poisoned)) => out.field("data", &&**poisoned.get_ref()),
            Err(TryLockError::WouldBlock) => out.field("data", &"<locked>"),
        };
        out.field("poisoned", &self.poison.get()).finish_non_exhaustive()
    }
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    pub(super) fn mutex(&self) -> &'a Mutex<T> {
        self.mutex
    }

    /// Lets go of the lock, runs `wait`, and takes the lock again.
    pub(super) fn unlocked(&mut self, wait: impl FnOnce()) {
        // Even if `wait` should unwind, the guard must hold the lock when it is dropped.
        struct Relock<'a>(&'a RawMutex);
        impl Drop for Relock<'_> {
            fn drop(&mut self) {
                self.0.lock(here());
            }
        }
        // SAFETY: the guard stands for the lock (invariant 1), and can't be used while we have it borrowed.
        unsafe { self.mutex.raw.unlock() };
        let _relock = Relock(&self.mutex.raw);
        wait();
    }
}

impl<T: ?Sized> Mutex<T> {
    pub(super) fn wrap_poison<U>(&self, value: U) -> LockResult<U> {
        self.poison.wrap(value)
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: invariant 1.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: invariant 1.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.mutex.poison.after(&self.before);
        // SAFETY: the guard stands for the lock (invariant 1), and ends here.
        unsafe { self.mutex.raw.unlock() };
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
