//! `nonpoison::Mutex`.
//!
//! Invariants:
//! 1. `value` is touched through a guard, and there is one guard at most: it stands for the raw lock being
//!    held. Otherwise only through `&mut Mutex` or by owning the mutex.

use core::{cell::UnsafeCell, fmt, marker::PhantomData, mem, ptr::NonNull};

use super::{TryLockResult, WouldBlock};
use crate::sync::{guard::guard, raw::lock_guard::Exclusive, raw::mutex::RawMutex};

/// A lock around a value that a panic does not poison.
///
/// It is [`sync::Mutex`](crate::sync::Mutex) in everything else: see there for who is next.
///
/// # Examples
///
/// ```
/// use greenthread::{sync::{Arc, nonpoison::Mutex}, thread};
///
/// let mutex = Arc::new(Mutex::new(1));
/// let shared = Arc::clone(&mutex);
/// let _ = thread::spawn(move || {
///     *shared.lock() = 2;
///     panic!("this poisons nothing");
/// })
/// .join();
/// assert_eq!(*mutex.lock(), 2);
/// ```
pub struct Mutex<T: ?Sized> {
    raw: RawMutex,
    value: UnsafeCell<T>,
}

// SAFETY: the value goes from holder to holder (invariant 1), whichever OS threads they are on.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

guard! {
    /// A mutex held: through it the value is reached, and dropping it unlocks.
    ///
    /// Made by [`Mutex::lock`] and [`Mutex::try_lock`].
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::nonpoison::Mutex;
    ///
    /// let mutex = Mutex::new(vec![1]);
    /// let mut guard = mutex.lock();
    /// guard.push(2);
    /// drop(guard);
    /// assert_eq!(*mutex.lock(), [1, 2]);
    /// ```
    MutexGuard<'a> -> MappedMutexGuard, Exclusive<'a>, mut,
    map: "\
use greenthread::sync::nonpoison::{Mutex, MutexGuard};

let mutex = Mutex::new((1, 2));
*MutexGuard::map(mutex.lock(), |pair| &mut pair.1) = 3;
assert_eq!(*mutex.lock(), (1, 3));",
    filter_map: "\
use greenthread::sync::nonpoison::{Mutex, MutexGuard};

let mutex = Mutex::new(vec![1]);
assert!(MutexGuard::filter_map(mutex.lock(), |list| list.get_mut(0)).is_ok());
assert!(MutexGuard::filter_map(mutex.lock(), |list| list.get_mut(1)).is_err());"
}

guard! {
    /// A mutex held, and a part of its value: dropping it unlocks.
    ///
    /// Made by [`MutexGuard::map`] and [`MutexGuard::filter_map`].
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::nonpoison::{Mutex, MutexGuard};
    ///
    /// let mutex = Mutex::new((1, "one"));
    /// let mut number = MutexGuard::map(mutex.lock(), |pair| &mut pair.0);
    /// *number = 2;
    /// drop(number);
    /// assert_eq!(*mutex.lock(), (2, "one"));
    /// ```
    MappedMutexGuard<'a> -> MappedMutexGuard, Exclusive<'a>, mut,
    map: "\
use greenthread::sync::nonpoison::{MappedMutexGuard, Mutex, MutexGuard};

let mutex = Mutex::new((1, (2, 3)));
let inner = MutexGuard::map(mutex.lock(), |outer| &mut outer.1);
assert_eq!(*MappedMutexGuard::map(inner, |inner| &mut inner.0), 2);",
    filter_map: "\
use greenthread::sync::nonpoison::{MappedMutexGuard, Mutex, MutexGuard};

let mutex = Mutex::new((1, Some(2)));
let inner = MutexGuard::map(mutex.lock(), |outer| &mut outer.1);
assert_eq!(*MappedMutexGuard::filter_map(inner, |inner| inner.as_mut()).unwrap(), 2);"
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    #[inline]
    fn new(mutex: &'a Mutex<T>, held: Exclusive<'a>) -> Self {
        // SAFETY: a cell's content is somewhere.
        let value = unsafe { NonNull::new_unchecked(mutex.value.get()) };
        Self { value, held, lent: PhantomData }
    }

    /// The raw lock.
    pub(super) fn held(&mut self) -> &mut Exclusive<'a> {
        &mut self.held
    }
}

impl<T> Mutex<T> {
    /// A new mutex, unlocked.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::nonpoison::Mutex;
    ///
    /// static NAMES: Mutex<Vec<String>> = Mutex::new(Vec::new());
    /// NAMES.lock().push("fern".into());
    /// ```
    #[inline]
    pub const fn new(t: T) -> Self {
        Self { raw: RawMutex::new(), value: UnsafeCell::new(t) }
    }

    /// A clone of the value. Blocks until the mutex is free.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::nonpoison::Mutex;
    ///
    /// assert_eq!(Mutex::new(7).get_cloned(), 7);
    /// ```
    pub fn get_cloned(&self) -> T
    where
        T: Clone,
    {
        self.lock().clone()
    }

    /// Puts another value in, and drops the old one after unlocking. Blocks until the mutex is free.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::nonpoison::Mutex;
    ///
    /// let mutex = Mutex::new(7);
    /// mutex.set(8);
    /// assert_eq!(mutex.get_cloned(), 8);
    /// ```
    pub fn set(&self, value: T) {
        drop(self.replace(value));
    }

    /// Puts another value in, and returns the old one. Blocks until the mutex is free.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::nonpoison::Mutex;
    ///
    /// let mutex = Mutex::new(7);
    /// assert_eq!(mutex.replace(8), 7);
    /// ```
    pub fn replace(&self, value: T) -> T {
        mem::replace(&mut *self.lock(), value)
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits until the mutex is free, and locks it.
    ///
    /// Blocks the calling thread, green or OS. An uncontended `lock` is one atomic operation.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::nonpoison::Mutex;
    ///
    /// let mutex = Mutex::new(1);
    /// *mutex.lock() += 1;
    /// assert_eq!(*mutex.lock(), 2);
    /// ```
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard::new(self, Exclusive::lock(&self.raw))
    }

    /// Locks the mutex if it is free at this moment. Never blocks.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`] if it is locked.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::nonpoison::Mutex;
    ///
    /// let mutex = Mutex::new(());
    /// let guard = mutex.try_lock().unwrap();
    /// assert!(mutex.try_lock().is_err());
    /// drop(guard);
    /// assert!(mutex.try_lock().is_ok());
    /// ```
    #[inline]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        Exclusive::try_lock(&self.raw).map(|held| MutexGuard::new(self, held)).ok_or(WouldBlock)
    }

    /// Gives the value back; no lock is needed to take apart what is one's own.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::nonpoison::Mutex;
    ///
    /// assert_eq!(Mutex::new(7).into_inner(), 7);
    /// ```
    pub fn into_inner(self) -> T
    where
        T: Sized,
    {
        self.value.into_inner()
    }

    /// The value; whoever has the mutex to itself needs no lock.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::nonpoison::Mutex;
    ///
    /// let mut mutex = Mutex::new(0);
    /// *mutex.get_mut() = 10;
    /// assert_eq!(*mutex.lock(), 10);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// Where the value is. What is done with it is up to `unsafe` code, which must hold the lock by other means.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::nonpoison::Mutex;
    ///
    /// let mutex = Mutex::new(1);
    /// let guard = mutex.lock();
    /// assert!(std::ptr::eq(&*guard, mutex.data_ptr()));
    /// ```
    pub const fn data_ptr(&self) -> *mut T {
        self.value.get()
    }

    /// Calls `f` with the value while the mutex is held. Blocks until the mutex is free.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::nonpoison::Mutex;
    ///
    /// let mutex = Mutex::new(2);
    /// assert_eq!(mutex.with_mut(|n| { *n += 1; *n }), 3);
    /// ```
    pub fn with_mut<F, R>(&self, f: F) -> R
    where
        F: FnOnce(&mut T) -> R,
    {
        f(&mut self.lock())
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
            Err(WouldBlock) => out.field("data", &"<locked>"),
        };
        out.finish_non_exhaustive()
    }
}
