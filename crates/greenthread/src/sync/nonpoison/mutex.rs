//! `nonpoison::Mutex`: a raw mutex and the value.

use core::cell::UnsafeCell;

use super::{TryLockResult, WouldBlock};
use crate::sync::{
    guard::{guard, lock, value},
    raw::lock_guard::Exclusive,
    raw::mutex::RawMutex,
};

lock! {
    /// A mutual exclusion lock around a value, which a panic does not poison.
    ///
    /// In everything else it is the same as [`sync::Mutex`](crate::sync::Mutex), fairness included.
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
    Mutex, RawMutex, Send, try_lock, "<locked>"
}

guard! {
    /// A guard of a locked [`Mutex`]. It dereferences to the value, and unlocks the mutex when it
    /// is dropped.
    ///
    /// [`Mutex::lock`] and [`Mutex::try_lock`] return it.
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
    MutexGuard<'a> -> MappedMutexGuard, Exclusive<'a>, &mut,
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
    /// A guard of a locked [`Mutex`] that dereferences to a part of the value. It unlocks the mutex
    /// when it is dropped.
    ///
    /// [`MutexGuard::map`] and [`MutexGuard::filter_map`] return it.
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
    MappedMutexGuard<'a> -> MappedMutexGuard, Exclusive<'a>, &mut,
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
    /// The guard of the raw mutex.
    pub(super) fn held(&mut self) -> &mut Exclusive<'a> {
        &mut self.held
    }
}

value!(Mutex, lock, lock);

impl<T> Mutex<T> {
    /// Creates a mutex, unlocked.
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
}

impl<T: ?Sized> Mutex<T> {
    /// Locks the mutex. Waits until it is free.
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
        MutexGuard::new(self.value_ptr(), Exclusive::lock(&self.raw))
    }

    /// Locks the mutex if it is free at this moment. Never blocks.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`] if the mutex is locked.
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
        Exclusive::try_lock(&self.raw).map(|held| MutexGuard::new(self.value_ptr(), held)).ok_or(WouldBlock)
    }
}
