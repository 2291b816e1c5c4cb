//! `RwLock`: a raw read-write lock, a poison flag, and the value.

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
    /// A read-write lock around a value. Many threads at a time may read the value, or one thread
    /// may write it.
    ///
    /// This is [`std::sync::RwLock`] for green threads. A green thread that must wait goes to
    /// sleep, and its worker runs other threads meanwhile. An OS thread that must wait blocks, as
    /// it would with std's lock. Green threads and OS threads may share a lock.
    ///
    /// A green thread may hold a guard across calls that block.
    ///
    /// # Fairness
    ///
    /// Waiting readers and waiting writers are in two queues, each in the order in which they came.
    /// When a writer unlocks, all readers in the queue get the lock together. If no reader is
    /// queued, the first writer in the queue is woken, and another thread may take the lock before
    /// it.
    ///
    /// While readers hold the lock, an arriving reader gets it at once, even if a writer is queued.
    /// Two rules limit this. Only 31 readers overtake a writer that sleeps. And readers stop
    /// overtaking a writer that was woken but has been overtaken for about half a millisecond. From
    /// then on arriving readers are queued too, and when the last of the current readers unlocks,
    /// the writer is handed the lock. So neither readers nor writers starve. A reader waits for one
    /// writer. A writer waits for the threads that overtook it during its half millisecond. A
    /// thread that neither blocks nor yields keeps the other threads of its worker from running,
    /// whether it holds a lock or not.
    ///
    /// # Poisoning
    ///
    /// A lock is poisoned when a thread panics while it holds the lock for writing, as with std.
    /// Only a panic of the green thread itself counts
    /// ([`thread::panicking`](crate::thread::panicking)), not one of another thread on the same
    /// worker.
    ///
    /// # Differs from std
    ///
    /// * It is larger: on a 64-bit machine, 48 bytes more than the value.
    /// * A thread that locks for writing while it already holds the lock, or for reading while it
    ///   holds it for writing, deadlocks. It never panics.
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
    /// A guard of an [`RwLock`] that is locked for reading. It dereferences to the value, and
    /// unlocks when it is dropped.
    ///
    /// [`RwLock::read`], [`RwLock::try_read`] and [`RwLockWriteGuard::downgrade`] return it.
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
    /// A guard of an [`RwLock`] that is locked for writing. It dereferences to the value, and
    /// unlocks when it is dropped.
    ///
    /// [`RwLock::write`] and [`RwLock::try_write`] return it.
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
    /// A guard of an [`RwLock`] that is locked for reading. It dereferences to a part of the value,
    /// and unlocks when it is dropped. std has this type on nightly only.
    ///
    /// [`RwLockReadGuard::map`] and [`RwLockReadGuard::filter_map`] return it.
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
    /// A guard of an [`RwLock`] that is locked for writing. It dereferences to a part of the value,
    /// and unlocks when it is dropped. std has this type on nightly only.
    ///
    /// [`RwLockWriteGuard::map`] and [`RwLockWriteGuard::filter_map`] return it.
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
    /// Turns the guard into a read guard. No writer takes the lock in between, but other readers
    /// may take it from now on. Never blocks.
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
    /// Creates a lock, unlocked.
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
        self.poison.wrap(RwLockReadGuard::new(self.value_ptr(), held))
    }

    #[inline]
    fn write_guard<'a>(&'a self, held: Writing<'a>) -> LockResult<RwLockWriteGuard<'a, T>> {
        self.poison.wrap(RwLockWriteGuard::new(self.value_ptr(), Poisoning::new(held, &self.poison)))
    }

    /// Locks for reading. Waits while a writer holds the lock, and while the lock is reserved for a
    /// writer that has waited too long.
    ///
    /// Blocks the calling thread, green or OS. An uncontended `read` is one atomic operation. A
    /// thread that calls `read` while it holds a read guard may deadlock, because a writer may be
    /// waiting for that guard.
    ///
    /// # Errors
    ///
    /// If the lock is poisoned. It is locked even then: the error contains the guard.
    ///
    /// # Panics
    ///
    /// If the number of readers would overflow. Only a program that leaks guards in a loop gets
    /// there.
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

    /// Locks for reading if no writer holds the lock at this moment, and the lock is not reserved
    /// for a writer that has waited too long. Never blocks.
    ///
    /// # Errors
    ///
    /// [`TryLockError::WouldBlock`] if the lock can't be taken at this moment.
    /// [`TryLockError::Poisoned`], which contains the guard, if the lock is poisoned.
    ///
    /// # Panics
    ///
    /// The same as [`read`](RwLock::read).
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

    /// Locks for writing. Waits until no other thread holds the lock.
    ///
    /// Blocks the calling thread, green or OS. An uncontended `write` is one atomic operation.
    ///
    /// # Errors
    ///
    /// If the lock is poisoned. It is locked even then: the error contains the guard.
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

    /// Locks for writing if no thread holds the lock at this moment. Never blocks.
    ///
    /// # Errors
    ///
    /// [`TryLockError::WouldBlock`] if the lock can't be taken at this moment.
    /// [`TryLockError::Poisoned`], which contains the guard, if the lock is poisoned.
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
