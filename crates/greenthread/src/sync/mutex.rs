//! `Mutex`: a raw mutex, a poison flag, and the value.

use core::{
    cell::UnsafeCell,
    panic::{RefUnwindSafe, UnwindSafe},
};

use super::{
    LockResult, TryLockError, TryLockResult,
    guard::{guard, lock, poisoned_value},
    poison::{Flag, Poisoning},
    raw::lock_guard::Exclusive,
    raw::mutex::RawMutex,
};

lock! {
    /// A mutual exclusion lock around a value. One thread at a time has access to the value.
    ///
    /// This is [`std::sync::Mutex`] for green threads. A green thread that finds the mutex locked
    /// goes to sleep, and its worker runs other threads meanwhile. An OS thread that finds it
    /// locked blocks, as it would with std's mutex. Green threads and OS threads may share a mutex.
    ///
    /// A green thread may hold a guard across calls that block. Threads that want the lock
    /// meanwhile wait. With a std mutex they would block their worker, which the holder may need in
    /// order to continue.
    ///
    /// # Fairness
    ///
    /// An unlocked mutex goes to the first thread that asks for it, which may be one that has not
    /// waited. Sleeping threads are woken in the order in which they came. If other threads have
    /// overtaken a woken thread for about half a millisecond, the next unlock hands the lock to
    /// that thread. So no thread starves. A thread that neither blocks nor yields keeps the other
    /// threads of its worker from running, whether it holds a lock or not.
    ///
    /// # Poisoning
    ///
    /// A mutex is poisoned when a thread panics while it holds the lock, as with std. Only a panic
    /// of the green thread itself counts ([`thread::panicking`](crate::thread::panicking)), not one
    /// of another thread on the same worker.
    ///
    /// # Differs from std
    ///
    /// * It is larger: on a 64-bit machine, 40 bytes more than the value.
    /// * A thread that locks a mutex which it already holds deadlocks. It never panics.
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
    Mutex, RawMutex, Send, try_lock, "<locked>", poison: Poisoned
}

impl<T: ?Sized> UnwindSafe for Mutex<T> {}
impl<T: ?Sized> RefUnwindSafe for Mutex<T> {}

guard! {
    /// A guard of a locked [`Mutex`]. It dereferences to the value, and unlocks the mutex when it
    /// is dropped.
    ///
    /// [`Mutex::lock`] and [`Mutex::try_lock`] return it.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::Mutex;
    ///
    /// let mutex = Mutex::new(vec![1]);
    /// let mut guard = mutex.lock().unwrap();
    /// guard.push(2);
    /// drop(guard);
    /// assert_eq!(*mutex.lock().unwrap(), [1, 2]);
    /// ```
    MutexGuard<'a> -> MappedMutexGuard, Poisoning<'a, Exclusive<'a>>, &mut,
    map: "\
use greenthread::sync::{Mutex, MutexGuard};

let mutex = Mutex::new((1, 2));
*MutexGuard::map(mutex.lock().unwrap(), |pair| &mut pair.1) = 3;
assert_eq!(*mutex.lock().unwrap(), (1, 3));",
    filter_map: "\
use greenthread::sync::{Mutex, MutexGuard};

let mutex = Mutex::new(vec![1]);
assert!(MutexGuard::filter_map(mutex.lock().unwrap(), |list| list.get_mut(0)).is_ok());
assert!(MutexGuard::filter_map(mutex.lock().unwrap(), |list| list.get_mut(1)).is_err());"
}

impl<T: ?Sized> UnwindSafe for MutexGuard<'_, T> {}
impl<T: ?Sized> RefUnwindSafe for MutexGuard<'_, T> {}

guard! {
    /// A guard of a locked [`Mutex`] that dereferences to a part of the value. It unlocks the mutex
    /// when it is dropped. std has this type on nightly only.
    ///
    /// [`MutexGuard::map`] and [`MutexGuard::filter_map`] return it. A
    /// [`Condvar`](super::Condvar) accepts a [`MutexGuard`] only.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenthread::sync::{Mutex, MutexGuard};
    ///
    /// let mutex = Mutex::new((1, "one"));
    /// let mut number = MutexGuard::map(mutex.lock().unwrap(), |pair| &mut pair.0);
    /// *number = 2;
    /// drop(number);
    /// assert_eq!(*mutex.lock().unwrap(), (2, "one"));
    /// ```
    MappedMutexGuard<'a> -> MappedMutexGuard, Poisoning<'a, Exclusive<'a>>, &mut,
    map: "\
use greenthread::sync::{MappedMutexGuard, Mutex, MutexGuard};

let mutex = Mutex::new((1, (2, 3)));
let inner = MutexGuard::map(mutex.lock().unwrap(), |outer| &mut outer.1);
assert_eq!(*MappedMutexGuard::map(inner, |inner| &mut inner.0), 2);",
    filter_map: "\
use greenthread::sync::{MappedMutexGuard, Mutex, MutexGuard};

let mutex = Mutex::new((1, Some(2)));
let inner = MutexGuard::map(mutex.lock().unwrap(), |outer| &mut outer.1);
assert_eq!(*MappedMutexGuard::filter_map(inner, |inner| inner.as_mut()).unwrap(), 2);"
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// The guard of the raw mutex.
    pub(super) fn held(&mut self) -> &mut Exclusive<'a> {
        &mut self.held.held
    }

    /// The mutex's poison flag.
    pub(super) fn poison(&self) -> &'a Flag {
        self.held.flag()
    }
}

poisoned_value!(Mutex, lock);

impl<T> Mutex<T> {
    /// Creates a mutex, unlocked.
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
    pub const fn new(t: T) -> Self {
        Self { raw: RawMutex::new(), poison: Flag::new(), value: UnsafeCell::new(t) }
    }
}

impl<T: ?Sized> Mutex<T> {
    #[inline]
    fn guard<'a>(&'a self, held: Exclusive<'a>) -> LockResult<MutexGuard<'a, T>> {
        self.poison.wrap(MutexGuard::new(self.value_ptr(), Poisoning::new(held, &self.poison)))
    }

    /// Locks the mutex. Waits until it is free.
    ///
    /// Blocks the calling thread, green or OS. An uncontended `lock` is one atomic operation.
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned. The mutex is locked even then: the error contains the guard.
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
        self.guard(Exclusive::lock(&self.raw))
    }

    /// Locks the mutex if it is free at this moment. Never blocks.
    ///
    /// # Errors
    ///
    /// [`TryLockError::WouldBlock`] if the mutex is locked. [`TryLockError::Poisoned`], which
    /// contains the guard, if it is poisoned.
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
        let held = Exclusive::try_lock(&self.raw).ok_or(TryLockError::WouldBlock)?;
        Ok(self.guard(held)?)
    }
}
