//! `Mutex`: a raw mutex, a flag for panics, and the value.

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
    /// A lock around a value: one thread at a time gets at it.
    ///
    /// This is [`std::sync::Mutex`] for green threads. A thread that finds it locked goes to sleep,
    /// and its worker runs others meanwhile; an OS thread that finds it locked blocks, as it would
    /// with std's. Green threads and OS threads may share one.
    ///
    /// A guard may be kept across calls that block. Threads that come in the meantime wait; with a
    /// std mutex they would block the worker that the holder needs to go on.
    ///
    /// # Who is next
    ///
    /// An unlocked mutex goes to whoever asks first, be it a newcomer; threads that sleep are woken
    /// in the order in which they came. One that was woken in vain for about half a millisecond is
    /// handed the lock by the next one that unlocks, so nobody starves. A thread that neither
    /// blocks nor yields keeps the others of its worker from running, with or without a lock.
    ///
    /// # Poisoning
    ///
    /// A mutex is poisoned when a thread panics while it holds the lock, as with std. What counts
    /// is the green thread's own panic ([`thread::panicking`](crate::thread::panicking)), not that
    /// of a sibling on the same worker.
    ///
    /// # Differs from std
    ///
    /// * It is larger: 40 bytes and the value, on a 64-bit machine.
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
    Mutex, RawMutex, Send, try_lock, "<locked>", poison: Poisoned
}

impl<T: ?Sized> UnwindSafe for Mutex<T> {}
impl<T: ?Sized> RefUnwindSafe for Mutex<T> {}

guard! {
    /// A mutex held: through it the value is reached, and dropping it unlocks.
    ///
    /// Made by [`Mutex::lock`] and [`Mutex::try_lock`].
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
    /// A mutex held, and a part of its value: dropping it unlocks. std has this type on nightly
    /// only.
    ///
    /// Made by [`MutexGuard::map`] and [`MutexGuard::filter_map`]. A [`Condvar`](super::Condvar)
    /// wants the whole.
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
    /// The raw lock.
    pub(super) fn held(&mut self) -> &mut Exclusive<'a> {
        &mut self.held.held
    }

    /// The mutex's mark.
    pub(super) fn poison(&self) -> &'a Flag {
        self.held.flag()
    }
}

poisoned_value!(Mutex, lock);

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
    pub const fn new(t: T) -> Self {
        Self { raw: RawMutex::new(), poison: Flag::new(), value: UnsafeCell::new(t) }
    }
}

impl<T: ?Sized> Mutex<T> {
    #[inline]
    fn guard<'a>(&'a self, held: Exclusive<'a>) -> LockResult<MutexGuard<'a, T>> {
        self.poison.wrap(MutexGuard::new(self.place(), Poisoning::new(held, &self.poison)))
    }

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
        self.guard(Exclusive::lock(&self.raw))
    }

    /// Locks the mutex if it is free at this moment. Never blocks.
    ///
    /// # Errors
    ///
    /// [`TryLockError::WouldBlock`] if it is locked, and [`TryLockError::Poisoned`], which holds
    /// the guard, if it is poisoned.
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
