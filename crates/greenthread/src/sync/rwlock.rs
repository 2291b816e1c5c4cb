//! `RwLock`: a raw read-write lock, a flag for panics, and the value.

use core::{
    cell::UnsafeCell,
    panic::{RefUnwindSafe, UnwindSafe},
};

use super::{
    LockResult, TryLockError, TryLockResult,
    guard::{guard, lock, poisoned_value},
    poison::{Flag, Poisoning},
    raw::lock_guard::{Reading, Writing},
    raw::rwlock::RawRwLock,
};

lock! {
    /// A lock around a value that many may read at a time, or one may write.
    ///
    /// This is [`std::sync::RwLock`] for green threads. A thread that must wait goes to sleep, and
    /// its worker runs others meanwhile; an OS thread that must wait blocks, as it would with
    /// std's. Green threads and OS threads may share one.
    ///
    /// Guards may be kept across calls that block.
    ///
    /// # Who is next
    ///
    /// Readers and writers wait in a line each, in the order in which they came. When a writer
    /// leaves, all readers in line go in, together; else the first writer in line is woken, and
    /// another thread may be faster.
    ///
    /// A reader that comes while others read goes in, though a writer be in line. But only 31
    /// readers pass a writer that sleeps there, and one that was woken in vain for about half a
    /// millisecond is passed no more: readers that come then get in line too, and when the last one
    /// of those that are in leaves, the writer is handed the lock. So neither readers nor writers
    /// starve: a reader waits for one writer, and a writer for those who were faster during its
    /// half millisecond. A thread that neither blocks nor yields keeps the others of its worker
    /// from running, with or without a lock.
    ///
    /// # Poisoning
    ///
    /// A lock is poisoned when a thread panics while it holds it for writing, as with std. What
    /// counts is the green thread's own panic ([`thread::panicking`](crate::thread::panicking)),
    /// not that of a sibling on the same worker.
    ///
    /// # Differs from std
    ///
    /// * It is larger: 48 bytes and the value, on a 64-bit machine.
    /// * To lock it for writing twice in one thread, or for reading and writing, is a deadlock,
    ///   never a panic.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::{sync::{Arc, RwLock}, thread};
    ///
    /// let ages = Arc::new(RwLock::new(vec![("fern", 3)]));
    /// let readers: Vec<_> = (0..3)
    ///     .map(|_| {
    ///         let ages = Arc::clone(&ages);
    ///         thread::spawn(move || ages.read().unwrap().len())
    ///     })
    ///     .collect();
    /// ages.write().unwrap().push(("moss", 9));
    /// for reader in readers {
    ///     assert!(matches!(reader.join().unwrap(), 1 | 2));
    /// }
    /// ```
    RwLock, RawRwLock, Send | Sync, try_read, format_args!("<locked>"), poison: Poisoned
}

impl<T: ?Sized> UnwindSafe for RwLock<T> {}
impl<T: ?Sized> RefUnwindSafe for RwLock<T> {}

guard! {
    /// A lock held for reading: through it the value is read, and dropping it unlocks.
    ///
    /// Made by [`RwLock::read`], [`RwLock::try_read`] and [`RwLockWriteGuard::downgrade`].
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::RwLock;
    ///
    /// let lock = RwLock::new(5);
    /// let (one, other) = (lock.read().unwrap(), lock.read().unwrap());
    /// assert_eq!(*one + *other, 10);
    /// ```
    RwLockReadGuard<'a> -> MappedRwLockReadGuard, Reading<'a>, &,
    map: "\
use greenthread::sync::{RwLock, RwLockReadGuard};

let lock = RwLock::new((1, 2));
assert_eq!(*RwLockReadGuard::map(lock.read().unwrap(), |pair| &pair.1), 2);",
    filter_map: "\
use greenthread::sync::{RwLock, RwLockReadGuard};

let lock = RwLock::new(vec![1]);
assert!(RwLockReadGuard::filter_map(lock.read().unwrap(), |list| list.get(0)).is_ok());
assert!(RwLockReadGuard::filter_map(lock.read().unwrap(), |list| list.get(1)).is_err());"
}

guard! {
    /// A lock held for writing: through it the value is reached, and dropping it unlocks.
    ///
    /// Made by [`RwLock::write`] and [`RwLock::try_write`].
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::RwLock;
    ///
    /// let lock = RwLock::new(5);
    /// *lock.write().unwrap() += 1;
    /// assert_eq!(*lock.read().unwrap(), 6);
    /// ```
    RwLockWriteGuard<'a> -> MappedRwLockWriteGuard, Poisoning<'a, Writing<'a>>, &mut,
    map: "\
use greenthread::sync::{RwLock, RwLockWriteGuard};

let lock = RwLock::new((1, 2));
*RwLockWriteGuard::map(lock.write().unwrap(), |pair| &mut pair.1) = 3;
assert_eq!(*lock.read().unwrap(), (1, 3));",
    filter_map: "\
use greenthread::sync::{RwLock, RwLockWriteGuard};

let lock = RwLock::new(vec![1]);
assert!(RwLockWriteGuard::filter_map(lock.write().unwrap(), |list| list.get_mut(0)).is_ok());
assert!(RwLockWriteGuard::filter_map(lock.write().unwrap(), |list| list.get_mut(1)).is_err());"
}

impl<T: ?Sized> UnwindSafe for RwLockWriteGuard<'_, T> {}
impl<T: ?Sized> RefUnwindSafe for RwLockWriteGuard<'_, T> {}

guard! {
    /// A lock held for reading, and a part of its value: dropping it unlocks. std has this type on
    /// nightly only.
    ///
    /// Made by [`RwLockReadGuard::map`] and [`RwLockReadGuard::filter_map`].
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::{RwLock, RwLockReadGuard};
    ///
    /// let lock = RwLock::new((1, "one"));
    /// let word = RwLockReadGuard::map(lock.read().unwrap(), |pair| &pair.1);
    /// assert_eq!(*word, "one");
    /// ```
    MappedRwLockReadGuard<'a> -> MappedRwLockReadGuard, Reading<'a>, &,
    map: "\
use greenthread::sync::{MappedRwLockReadGuard, RwLock, RwLockReadGuard};

let lock = RwLock::new((1, (2, 3)));
let inner = RwLockReadGuard::map(lock.read().unwrap(), |outer| &outer.1);
assert_eq!(*MappedRwLockReadGuard::map(inner, |inner| &inner.0), 2);",
    filter_map: "\
use greenthread::sync::{MappedRwLockReadGuard, RwLock, RwLockReadGuard};

let lock = RwLock::new((1, Some(2)));
let inner = RwLockReadGuard::map(lock.read().unwrap(), |outer| &outer.1);
assert_eq!(*MappedRwLockReadGuard::filter_map(inner, |inner| inner.as_ref()).unwrap(), 2);"
}

guard! {
    /// A lock held for writing, and a part of its value: dropping it unlocks. std has this type on
    /// nightly only.
    ///
    /// Made by [`RwLockWriteGuard::map`] and [`RwLockWriteGuard::filter_map`].
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::{RwLock, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new((1, "one"));
    /// let mut number = RwLockWriteGuard::map(lock.write().unwrap(), |pair| &mut pair.0);
    /// *number = 2;
    /// drop(number);
    /// assert_eq!(lock.read().unwrap().0, 2);
    /// ```
    MappedRwLockWriteGuard<'a> -> MappedRwLockWriteGuard, Poisoning<'a, Writing<'a>>, &mut,
    map: "\
use greenthread::sync::{MappedRwLockWriteGuard, RwLock, RwLockWriteGuard};

let lock = RwLock::new((1, (2, 3)));
let inner = RwLockWriteGuard::map(lock.write().unwrap(), |outer| &mut outer.1);
assert_eq!(*MappedRwLockWriteGuard::map(inner, |inner| &mut inner.0), 2);",
    filter_map: "\
use greenthread::sync::{MappedRwLockWriteGuard, RwLock, RwLockWriteGuard};

let lock = RwLock::new((1, Some(2)));
let inner = RwLockWriteGuard::map(lock.write().unwrap(), |outer| &mut outer.1);
assert_eq!(*MappedRwLockWriteGuard::filter_map(inner, |inner| inner.as_mut()).unwrap(), 2);"
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Goes on as a reader, without letting a writer in between: others who read may come in. Never
    /// blocks.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::{RwLock, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new(0);
    /// let mut guard = lock.write().unwrap();
    /// *guard = 1;
    /// let guard = RwLockWriteGuard::downgrade(guard);
    /// assert_eq!(*guard, *lock.read().unwrap());
    /// ```
    pub fn downgrade(s: Self) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard::new(s.value, s.held.held.downgrade())
    }
}

poisoned_value!(RwLock, write);

impl<T> RwLock<T> {
    /// A new lock, unlocked.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::RwLock;
    ///
    /// static NAMES: RwLock<Vec<String>> = RwLock::new(Vec::new());
    /// NAMES.write().unwrap().push("fern".into());
    /// ```
    #[inline]
    pub const fn new(t: T) -> Self {
        Self { raw: RawRwLock::new(), poison: Flag::new(), value: UnsafeCell::new(t) }
    }
}

impl<T: ?Sized> RwLock<T> {
    #[inline]
    fn read_guard<'a>(&'a self, held: Reading<'a>) -> LockResult<RwLockReadGuard<'a, T>> {
        self.poison.wrap(RwLockReadGuard::new(self.place(), held))
    }

    #[inline]
    fn write_guard<'a>(&'a self, held: Writing<'a>) -> LockResult<RwLockWriteGuard<'a, T>> {
        self.poison.wrap(RwLockWriteGuard::new(self.place(), Poisoning::new(held, &self.poison)))
    }

    /// Waits until no writer holds the lock, nor has waited for it too long, and locks it for
    /// reading.
    ///
    /// Blocks the calling thread, green or OS. An uncontended `read` is one atomic operation. A
    /// thread that reads already may wait for itself for ever, if a writer has come in between:
    /// don't.
    ///
    /// # Errors
    ///
    /// The lock is poisoned; the error holds the guard all the same.
    ///
    /// # Panics
    ///
    /// If there are absurdly many readers, as when guards are leaked in a loop.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::RwLock;
    ///
    /// let lock = RwLock::new(1);
    /// let (one, two) = (lock.read().unwrap(), lock.read().unwrap());
    /// assert_eq!(*one + *two, 2);
    /// ```
    #[inline]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        self.read_guard(Reading::lock(&self.raw))
    }

    /// Locks for reading if no writer holds the lock at this moment, nor has waited for it too
    /// long. Never blocks.
    ///
    /// # Errors
    ///
    /// [`TryLockError::WouldBlock`] if that is not so, and [`TryLockError::Poisoned`], which holds
    /// the guard, if the lock is poisoned.
    ///
    /// # Panics
    ///
    /// As [`read`](RwLock::read).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::RwLock;
    ///
    /// let lock = RwLock::new(1);
    /// assert_eq!(*lock.try_read().unwrap(), 1);
    /// let _guard = lock.write().unwrap();
    /// assert!(lock.try_read().is_err());
    /// ```
    #[inline]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        let held = Reading::try_lock(&self.raw).ok_or(TryLockError::WouldBlock)?;
        Ok(self.read_guard(held)?)
    }

    /// Waits until nobody holds the lock, and locks it for writing.
    ///
    /// Blocks the calling thread, green or OS. An uncontended `write` is one atomic operation.
    ///
    /// # Errors
    ///
    /// The lock is poisoned; the error holds the guard all the same.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::RwLock;
    ///
    /// let lock = RwLock::new(1);
    /// *lock.write().unwrap() += 1;
    /// assert_eq!(*lock.read().unwrap(), 2);
    /// ```
    #[inline]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        self.write_guard(Writing::lock(&self.raw))
    }

    /// Locks for writing if nobody holds the lock at this moment. Never blocks.
    ///
    /// # Errors
    ///
    /// [`TryLockError::WouldBlock`] if that is not so, and [`TryLockError::Poisoned`], which holds
    /// the guard, if the lock is poisoned.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::RwLock;
    ///
    /// let lock = RwLock::new(1);
    /// *lock.try_write().unwrap() = 2;
    /// let _guard = lock.read().unwrap();
    /// assert!(lock.try_write().is_err());
    /// ```
    #[inline]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        let held = Writing::try_lock(&self.raw).ok_or(TryLockError::WouldBlock)?;
        Ok(self.write_guard(held)?)
    }
}
