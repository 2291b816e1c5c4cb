//! Stand-ins for parts of the library's locks: for the spin lock, which has a model of its own
//! (`spin`), and for fairness, which reads the clock.

use std::cell::Cell;

use crate::{
    atomic::changes,
    harness::check,
    library::sync::raw::{
        condvar::RawCondvar, mutex::RawMutex, once::RawOnce, rwlock::RawRwLock, semaphore::RawSemaphore,
    },
};

/// All threads of a model are on one worker, so that none spins for another.
pub(crate) const WORKER_ID: usize = 256;

pub(crate) mod spin {
    use core::{
        cell::UnsafeCell,
        ops::{Deref, DerefMut},
    };

    use std::sync::Mutex;

    use loom::{
        cell,
        sync::atomic::{AtomicBool, Ordering},
        thread::Thread,
    };

    /// Like the library's, but a thread that finds it locked sleeps. (Accesses to std's types are
    /// no part of the model: no other thread runs before the next access to one of loom's.)
    pub(crate) struct SpinLock<T> {
        held: AtomicBool,
        sleepers: Mutex<Vec<Thread>>,
        watched: cell::UnsafeCell<()>,
        value: UnsafeCell<T>,
    }

    pub(crate) struct SpinGuard<'a, T>(&'a SpinLock<T>);

    impl<T> SpinLock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self {
                held: AtomicBool::new(false),
                sleepers: Mutex::default(),
                watched: cell::UnsafeCell::new(()),
                value: UnsafeCell::new(value),
            }
        }

        pub(crate) fn lock(&self) -> SpinGuard<'_, T> {
            while self.held.swap(true, Ordering::Acquire) {
                self.sleepers.lock().expect("the sleepers").push(loom::thread::current());
                loom::thread::park();
            }
            self.watched.with_mut(|_| {});
            SpinGuard(self)
        }

        /// # Safety
        /// As in the library.
        pub(crate) unsafe fn assume_locked(&self) -> SpinGuard<'_, T> {
            self.watched.with_mut(|_| {});
            SpinGuard(self)
        }
    }

    impl<T> Deref for SpinGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            // SAFETY: held.
            unsafe { &*self.0.value.get() }
        }
    }

    impl<T> DerefMut for SpinGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            // SAFETY: held.
            unsafe { &mut *self.0.value.get() }
        }
    }

    impl<T> Drop for SpinGuard<'_, T> {
        fn drop(&mut self) {
            // A swap, not a store: the checker would let a later swap miss a store.
            self.0.held.swap(false, Ordering::Release);
            let sleepers = std::mem::take(&mut *self.0.sleepers.lock().expect("the sleepers"));
            sleepers.iter().for_each(Thread::unpark);
        }
    }
}

/// A cell whose races loom reports.
pub(crate) mod cell {
    #[derive(Debug)]
    pub(crate) struct Cell<T>(loom::cell::UnsafeCell<T>);

    impl<T: Copy> Cell<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::cell::UnsafeCell::new(value))
        }

        pub(crate) fn get(&self) -> T {
            // SAFETY: loom reports a race.
            self.0.with(|place| unsafe { *place })
        }

        pub(crate) fn set(&self, value: T) {
            self.replace(value);
        }

        pub(crate) fn replace(&self, value: T) -> T {
            // SAFETY: as above.
            self.0.with_mut(|place| unsafe { core::mem::replace(&mut *place, value) })
        }
    }
}

/// The checker runs the others before a thread that spins goes on.
pub(crate) mod hint {
    pub(crate) use loom::thread::yield_now as spin_loop;
}

/// The lock of a list of scopes. A thread that finds it locked sleeps.
pub(crate) mod tree_lock {
    use crate::atomic::{AtomicBool, Ordering};

    #[derive(Debug)]
    pub(crate) struct TreeLock {
        held: AtomicBool,
        sleepers: std::sync::Mutex<Vec<loom::thread::Thread>>,
    }

    impl TreeLock {
        pub(crate) fn new() -> Self {
            Self { held: AtomicBool::new(false), sleepers: std::sync::Mutex::default() }
        }

        pub(crate) fn lock(&self) {
            while self.held.swap(true, Ordering::Acquire) {
                self.sleepers.lock().expect("the sleepers").push(loom::thread::current());
                loom::thread::park();
            }
        }

        pub(crate) fn unlock(&self) {
            self.held.swap(false, Ordering::Release);
            let sleepers = std::mem::take(&mut *self.sleepers.lock().expect("the sleepers"));
            sleepers.iter().for_each(loom::thread::Thread::unpark);
        }
    }
}

/// `std`'s lock, with the bug of [`atomic`](crate::atomic) if one is wanted.
pub(crate) mod std_mutex {
    use core::{
        cell::UnsafeCell,
        fmt,
        ops::{Deref, DerefMut},
        time::Duration,
    };
    use std::sync::LockResult;

    use loom::cell;

    use crate::atomic::{AtomicBool, Ordering};

    pub(crate) struct Mutex<T> {
        held: AtomicBool,
        sleepers: std::sync::Mutex<Vec<loom::thread::Thread>>,
        watched: cell::UnsafeCell<()>,
        value: UnsafeCell<T>,
    }

    // SAFETY: `value` is touched by the holder only; loom reports a second one.
    unsafe impl<T: Send> Sync for Mutex<T> {}

    pub(crate) struct Guard<'a, T>(&'a Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self {
                held: AtomicBool::new(false),
                sleepers: std::sync::Mutex::default(),
                watched: cell::UnsafeCell::new(()),
                value: UnsafeCell::new(value),
            }
        }

        pub(crate) fn lock(&self) -> LockResult<Guard<'_, T>> {
            while self.held.swap(true, Ordering::Acquire) {
                self.sleepers.lock().expect("the sleepers").push(loom::thread::current());
                loom::thread::park();
            }
            self.watched.with_mut(|_| {});
            Ok(Guard(self))
        }
    }

    impl<T: Default> Default for Mutex<T> {
        fn default() -> Self {
            Self::new(T::default())
        }
    }

    impl<T> fmt::Debug for Mutex<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Mutex").finish_non_exhaustive()
        }
    }

    /// `std`'s condition variable. A wait may end for nothing.
    #[derive(Debug, Default)]
    pub(crate) struct Condvar(std::sync::Mutex<Vec<loom::thread::Thread>>);

    impl Condvar {
        #[allow(clippy::unnecessary_wraps, reason = "as in std")]
        pub(crate) fn wait<'a, T>(&self, guard: Guard<'a, T>) -> LockResult<Guard<'a, T>> {
            let mutex = guard.0;
            self.0.lock().expect("the sleepers").push(loom::thread::current());
            drop(guard);
            loom::thread::park();
            mutex.lock()
        }

        /// No model has a deadline that is yet to come.
        pub(crate) fn wait_timeout<'a, T>(
            &self,
            _: Guard<'a, T>,
            _: Duration,
        ) -> LockResult<(Guard<'a, T>, bool)> {
            unreachable!("the deadline has passed")
        }

        pub(crate) fn notify_one(&self) {
            let sleepers = std::mem::take(&mut *self.0.lock().expect("the sleepers"));
            sleepers.iter().for_each(loom::thread::Thread::unpark);
        }
    }

    impl<T> Deref for Guard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            // SAFETY: held.
            unsafe { &*self.0.value.get() }
        }
    }

    impl<T> DerefMut for Guard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            // SAFETY: held.
            unsafe { &mut *self.0.value.get() }
        }
    }

    impl<T> Drop for Guard<'_, T> {
        fn drop(&mut self) {
            // A swap, not a store: the checker would let a later swap miss a store.
            self.0.held.swap(false, Ordering::Release);
            let sleepers = std::mem::take(&mut *self.0.sleepers.lock().expect("the sleepers"));
            sleepers.iter().for_each(loom::thread::Thread::unpark);
        }
    }
}

std::thread_local! {
    /// Whether the threads of the model ask for a hand-over the first time that they are woken in
    /// vain, or never.
    pub(crate) static WANTS_HANDOVER: Cell<bool> = const { Cell::new(false) };
}

pub(crate) mod fairness {
    pub(crate) const PASSES: usize = 1;
    pub(crate) const SPINS: u32 = 2;

    pub(crate) fn back_off(_round: u32) {}

    /// The checker runs the others before this thread looks again.
    pub(crate) fn relax(_round: u32) {
        loom::thread::yield_now();
    }

    #[derive(Debug)]
    pub(crate) struct Fairness;

    impl Fairness {
        pub(crate) fn new() -> Self {
            Self
        }

        pub(crate) fn lost(&mut self) -> bool {
            super::WANTS_HANDOVER.get()
        }
    }
}

/// A value behind a lock. Loom reports accesses that the lock doesn't order.
pub(crate) struct Guarded(loom::cell::UnsafeCell<u32>);

impl Guarded {
    pub(crate) fn new() -> Self {
        Self(loom::cell::UnsafeCell::new(0))
    }

    /// Adds one. The lock must be held by this thread alone.
    pub(crate) fn add_one(&self) -> u32 {
        // SAFETY: loom reports a race.
        self.0.with_mut(|value| unsafe {
            *value += 1;
            *value
        })
    }

    /// Reads. The lock may be held by other readers.
    pub(crate) fn read(&self) -> u32 {
        // SAFETY: loom reports a race.
        self.0.with(|value| unsafe { *value })
    }
}

/// A lock without contention takes one exchange to lock, and one to unlock.
#[test]
fn an_uncontended_lock_is_one_exchange() {
    check(None, || {
        let mutex = RawMutex::new();
        assert_eq!(changes(|| mutex.lock(WORKER_ID)), 1);
        // SAFETY: just locked; and so below.
        assert_eq!(changes(|| unsafe { mutex.unlock() }), 1);
        assert_eq!(changes(|| assert!(mutex.try_lock(WORKER_ID))), 1);

        let lock = RawRwLock::new();
        assert_eq!(changes(|| lock.write(WORKER_ID)), 1);
        // SAFETY: as above.
        assert_eq!(changes(|| unsafe { lock.unlock_write() }), 1);
        assert_eq!(changes(|| assert!(lock.try_write(WORKER_ID))), 1);
        // SAFETY: as above.
        assert_eq!(changes(|| unsafe { lock.downgrade() }), 1);
        assert_eq!(changes(|| lock.read(WORKER_ID)), 1);
        // SAFETY: as above.
        assert_eq!(changes(|| unsafe { lock.unlock_read() }), 1);

        let semaphore = RawSemaphore::new(1);
        assert_eq!(changes(|| assert!(semaphore.acquire_until(1, None))), 1);
        assert_eq!(changes(|| assert!(semaphore.release(1))), 1);

        // Without waiters, and once all is done, no read-modify-write is made.
        let (condvar, once) = (RawCondvar::new(), RawOnce::new());
        assert_eq!(changes(|| condvar.notify_all()), 0);
        once.begin(false);
        once.finish(true);
        assert_eq!(changes(|| assert!(once.is_complete())), 0);
    });
}
