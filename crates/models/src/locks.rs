//! What stands in for the parts of the library's locks that can't run in a model: the lock inside the locks, which spins,
//! and patience, which looks at the clock.

use std::cell::Cell;

/// To all of a model's threads this is one worker, so that nobody spins for another.
pub(crate) const HERE: usize = 8;

pub(crate) mod short {
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

    /// As the library's, but whoever finds it held sleeps. (What is std's here is no part of the model: nothing else runs
    /// before the next access to something of loom's.)
    pub(crate) struct ShortLock<T> {
        held: AtomicBool,
        sleepers: Mutex<Vec<Thread>>,
        watched: cell::UnsafeCell<()>,
        value: UnsafeCell<T>,
    }

    pub(crate) struct ShortGuard<'a, T>(&'a ShortLock<T>);

    impl<T> ShortLock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self {
                held: AtomicBool::new(false),
                sleepers: Mutex::default(),
                watched: cell::UnsafeCell::new(()),
                value: UnsafeCell::new(value),
            }
        }

        pub(crate) fn lock(&self) -> ShortGuard<'_, T> {
            while self.held.swap(true, Ordering::Acquire) {
                self.sleepers.lock().expect("the sleepers").push(loom::thread::current());
                loom::thread::park();
            }
            self.watched.with_mut(|_| {});
            ShortGuard(self)
        }

        /// # Safety
        /// As in the library.
        pub(crate) unsafe fn held(&self) -> ShortGuard<'_, T> {
            self.watched.with_mut(|_| {});
            ShortGuard(self)
        }
    }

    impl<T> Deref for ShortGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            // SAFETY: held.
            unsafe { &*self.0.value.get() }
        }
    }

    impl<T> DerefMut for ShortGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            // SAFETY: held.
            unsafe { &mut *self.0.value.get() }
        }
    }

    impl<T> Drop for ShortGuard<'_, T> {
        fn drop(&mut self) {
            // Not a store: the checker would let a later swap miss it.
            self.0.held.swap(false, Ordering::Release);
            let sleepers = std::mem::take(&mut *self.0.sleepers.lock().expect("the sleepers"));
            sleepers.iter().for_each(Thread::unpark);
        }
    }
}

std::thread_local! {
    /// Whether the threads of the model lose patience at once, or never.
    pub(crate) static IMPATIENT: Cell<bool> = const { Cell::new(false) };
}

pub(crate) mod patience {
    #[derive(Debug)]
    pub(crate) struct Patience;

    impl Patience {
        pub(crate) fn new() -> Self {
            Self
        }

        pub(crate) fn lost(&mut self) -> bool {
            super::IMPATIENT.get()
        }
    }
}

/// Something that a lock guards, for loom to see whether the lock does.
pub(crate) struct Guarded(loom::cell::UnsafeCell<u32>);

impl Guarded {
    pub(crate) fn new() -> Self {
        Self(loom::cell::UnsafeCell::new(0))
    }

    /// With the lock held by this thread alone.
    pub(crate) fn add_one(&self) -> u32 {
        // SAFETY: loom reports a race.
        self.0.with_mut(|value| unsafe {
            *value += 1;
            *value
        })
    }

    /// With the lock held by threads that read.
    pub(crate) fn read(&self) -> u32 {
        // SAFETY: loom reports a race.
        self.0.with(|value| unsafe { *value })
    }
}
