//! `nonpoison::RwLock`: a raw read-write lock and the value.

use core::cell::UnsafeCell;

use super::{TryLockResult, WouldBlock};
use crate::sync::{
    guard::{guard, lock, value},
    raw::lock_guard::{Reading, Writing},
    raw::rwlock::RawRwLock,
};

lock! {
    /// A read-write lock around a value, which a panic does not poison. Many threads at a time may
    /// read the value, or one thread may write it.
    ///
    /// In everything else it is the same as [`sync::RwLock`](crate::sync::RwLock), fairness
    /// included.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::{Arc, nonpoison::RwLock}, thread};
    ///
    /// let lock = Arc::new(RwLock::new(1));
    /// let shared = Arc::clone(&lock);
    /// let _ = thread::spawn(move || {
    ///     *shared.write() = 2;
    ///     panic!("this poisons nothing");
    /// })
    /// .join();
    /// assert_eq!(*lock.read(), 2);
    /// ```
    RwLock, RawRwLock, Send | Sync, try_read, format_args!("<locked>")
}

guard! {
    /// A guard of an [`RwLock`] that is locked for reading. It dereferences to the value, and
    /// unlocks when it is dropped.
    ///
    /// [`RwLock::read`], [`RwLock::try_read`] and [`RwLockWriteGuard::downgrade`] return it.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::nonpoison::RwLock;
    ///
    /// let lock = RwLock::new(5);
    /// let (one, other) = (lock.read(), lock.read());
    /// assert_eq!(*one + *other, 10);
    /// ```
    RwLockReadGuard<'a> -> MappedRwLockReadGuard, Reading<'a>, &,
    map: "\
use greenthread::sync::nonpoison::{RwLock, RwLockReadGuard};

let lock = RwLock::new((1, 2));
assert_eq!(*RwLockReadGuard::map(lock.read(), |pair| &pair.1), 2);",
    filter_map: "\
use greenthread::sync::nonpoison::{RwLock, RwLockReadGuard};

let lock = RwLock::new(vec![1]);
assert!(RwLockReadGuard::filter_map(lock.read(), |list| list.get(0)).is_ok());
assert!(RwLockReadGuard::filter_map(lock.read(), |list| list.get(1)).is_err());"
}

guard! {
    /// A guard of an [`RwLock`] that is locked for writing. It dereferences to the value, and
    /// unlocks when it is dropped.
    ///
    /// [`RwLock::write`] and [`RwLock::try_write`] return it.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::nonpoison::RwLock;
    ///
    /// let lock = RwLock::new(5);
    /// *lock.write() += 1;
    /// assert_eq!(*lock.read(), 6);
    /// ```
    RwLockWriteGuard<'a> -> MappedRwLockWriteGuard, Writing<'a>, &mut,
    map: "\
use greenthread::sync::nonpoison::{RwLock, RwLockWriteGuard};

let lock = RwLock::new((1, 2));
*RwLockWriteGuard::map(lock.write(), |pair| &mut pair.1) = 3;
assert_eq!(*lock.read(), (1, 3));",
    filter_map: "\
use greenthread::sync::nonpoison::{RwLock, RwLockWriteGuard};

let lock = RwLock::new(vec![1]);
assert!(RwLockWriteGuard::filter_map(lock.write(), |list| list.get_mut(0)).is_ok());
assert!(RwLockWriteGuard::filter_map(lock.write(), |list| list.get_mut(1)).is_err());"
}

guard! {
    /// A guard of an [`RwLock`] that is locked for reading. It dereferences to a part of the value,
    /// and unlocks when it is dropped.
    ///
    /// [`RwLockReadGuard::map`] and [`RwLockReadGuard::filter_map`] return it.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::nonpoison::{RwLock, RwLockReadGuard};
    ///
    /// let lock = RwLock::new((1, "one"));
    /// let word = RwLockReadGuard::map(lock.read(), |pair| &pair.1);
    /// assert_eq!(*word, "one");
    /// ```
    MappedRwLockReadGuard<'a> -> MappedRwLockReadGuard, Reading<'a>, &,
    map: "\
use greenthread::sync::nonpoison::{MappedRwLockReadGuard, RwLock, RwLockReadGuard};

let lock = RwLock::new((1, (2, 3)));
let inner = RwLockReadGuard::map(lock.read(), |outer| &outer.1);
assert_eq!(*MappedRwLockReadGuard::map(inner, |inner| &inner.0), 2);",
    filter_map: "\
use greenthread::sync::nonpoison::{MappedRwLockReadGuard, RwLock, RwLockReadGuard};

let lock = RwLock::new((1, Some(2)));
let inner = RwLockReadGuard::map(lock.read(), |outer| &outer.1);
assert_eq!(*MappedRwLockReadGuard::filter_map(inner, |inner| inner.as_ref()).unwrap(), 2);"
}

guard! {
    /// A guard of an [`RwLock`] that is locked for writing. It dereferences to a part of the value,
    /// and unlocks when it is dropped.
    ///
    /// [`RwLockWriteGuard::map`] and [`RwLockWriteGuard::filter_map`] return it.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::nonpoison::{RwLock, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new((1, "one"));
    /// let mut number = RwLockWriteGuard::map(lock.write(), |pair| &mut pair.0);
    /// *number = 2;
    /// drop(number);
    /// assert_eq!(lock.read().0, 2);
    /// ```
    MappedRwLockWriteGuard<'a> -> MappedRwLockWriteGuard, Writing<'a>, &mut,
    map: "\
use greenthread::sync::nonpoison::{MappedRwLockWriteGuard, RwLock, RwLockWriteGuard};

let lock = RwLock::new((1, (2, 3)));
let inner = RwLockWriteGuard::map(lock.write(), |outer| &mut outer.1);
assert_eq!(*MappedRwLockWriteGuard::map(inner, |inner| &mut inner.0), 2);",
    filter_map: "\
use greenthread::sync::nonpoison::{MappedRwLockWriteGuard, RwLock, RwLockWriteGuard};

let lock = RwLock::new((1, Some(2)));
let inner = RwLockWriteGuard::map(lock.write(), |outer| &mut outer.1);
assert_eq!(*MappedRwLockWriteGuard::filter_map(inner, |inner| inner.as_mut()).unwrap(), 2);"
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Turns the guard into a read guard. No writer takes the lock in between, but other readers
    /// may take it from now on. Never blocks.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::nonpoison::{RwLock, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new(0);
    /// let mut guard = lock.write();
    /// *guard = 1;
    /// let guard = RwLockWriteGuard::downgrade(guard);
    /// assert_eq!(*guard, *lock.read());
    /// ```
    pub fn downgrade(s: Self) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard::new(s.value, s.held.downgrade())
    }
}

value!(RwLock, read, write);

impl<T> RwLock<T> {
    /// Creates a lock, unlocked.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::nonpoison::RwLock;
    ///
    /// static NAMES: RwLock<Vec<String>> = RwLock::new(Vec::new());
    /// NAMES.write().push("fern".into());
    /// ```
    #[inline]
    pub const fn new(t: T) -> Self {
        Self { raw: RawRwLock::new(), value: UnsafeCell::new(t) }
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Locks for reading. Waits while a writer holds the lock, and while the lock is reserved for a
    /// writer that has waited too long.
    ///
    /// Blocks the calling thread, green or OS. An uncontended `read` is one atomic operation. A
    /// thread that calls `read` while it holds a read guard may deadlock, because a writer may be
    /// waiting for that guard.
    ///
    /// # Panics
    ///
    /// If the number of readers would overflow. Only a program that leaks guards in a loop gets
    /// there.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::nonpoison::RwLock;
    ///
    /// let lock = RwLock::new(1);
    /// let (one, two) = (lock.read(), lock.read());
    /// assert_eq!(*one + *two, 2);
    /// ```
    #[inline]
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        RwLockReadGuard::new(self.value_ptr(), Reading::lock(&self.raw))
    }

    /// Locks for reading if no writer holds the lock at this moment, and the lock is not reserved
    /// for a writer that has waited too long. Never blocks.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`] if the lock can't be taken at this moment.
    ///
    /// # Panics
    ///
    /// The same as [`read`](RwLock::read).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::nonpoison::RwLock;
    ///
    /// let lock = RwLock::new(1);
    /// assert_eq!(*lock.try_read().unwrap(), 1);
    /// let _guard = lock.write();
    /// assert!(lock.try_read().is_err());
    /// ```
    #[inline]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        Reading::try_lock(&self.raw)
            .map(|held| RwLockReadGuard::new(self.value_ptr(), held))
            .ok_or(WouldBlock)
    }

    /// Locks for writing. Waits until no other thread holds the lock.
    ///
    /// Blocks the calling thread, green or OS. An uncontended `write` is one atomic operation.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::nonpoison::RwLock;
    ///
    /// let lock = RwLock::new(1);
    /// *lock.write() += 1;
    /// assert_eq!(*lock.read(), 2);
    /// ```
    #[inline]
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        RwLockWriteGuard::new(self.value_ptr(), Writing::lock(&self.raw))
    }

    /// Locks for writing if no thread holds the lock at this moment. Never blocks.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`] if the lock can't be taken at this moment.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::nonpoison::RwLock;
    ///
    /// let lock = RwLock::new(1);
    /// *lock.try_write().unwrap() = 2;
    /// let _guard = lock.read();
    /// assert!(lock.try_write().is_err());
    /// ```
    #[inline]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        Writing::try_lock(&self.raw)
            .map(|held| RwLockWriteGuard::new(self.value_ptr(), held))
            .ok_or(WouldBlock)
    }

    /// Calls `f` with a reference to the value while the lock is held for reading. Blocks as
    /// [`read`](RwLock::read) does.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::nonpoison::RwLock;
    ///
    /// assert_eq!(RwLock::new(2).with(|n| *n + 1), 3);
    /// ```
    pub fn with<F, R>(&self, f: F) -> R
    where
        F: FnOnce(&T) -> R,
    {
        f(&self.read())
    }
}
