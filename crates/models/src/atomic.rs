//! loom's atomics, with a bug if one is wanted.

use std::cell::Cell;

use loom::sync::atomic as sound;
pub(crate) use loom::sync::atomic::Ordering;
use loom::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

/// A bug of the atomics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// Nothing.
    None,
    /// Nothing is released.
    NoRelease,
    /// Nothing is acquired.
    NoAcquire,
    /// A swap is a load and a store.
    TornSwap,
    /// An exchange is a load and a store.
    TornExchange,
}

std::thread_local! {
    /// The bug of the models that run on this OS thread. One OS thread runs all threads of a model.
    pub(crate) static BUG: Cell<Bug> = const { Cell::new(Bug::None) };
}

std::thread_local! {
    /// The number of read-modify-writes so far.
    static CHANGES: Cell<usize> = const { Cell::new(0) };
}

/// The number of read-modify-writes that `f` makes: they are the expensive atomic operations.
pub(crate) fn changes(f: impl FnOnce()) -> usize {
    let before = CHANGES.get();
    f();
    CHANGES.get() - before
}

fn count() {
    CHANGES.set(CHANGES.get() + 1);
}

loom::thread_local! {
    static FENCELESS: Cell<bool> = Cell::new(false);
}

/// Calls `f` with fences that do nothing.
pub(crate) fn without_fence<R>(f: impl FnOnce() -> R) -> R {
    FENCELESS.with(|fenceless| fenceless.set(true));
    let result = f();
    FENCELESS.with(|fenceless| fenceless.set(false));
    result
}

pub(crate) fn fence(order: Ordering) {
    if !FENCELESS.with(Cell::get) {
        sound::fence(order);
    }
}

fn bug() -> Bug {
    BUG.get()
}

fn weakened(order: Ordering) -> Ordering {
    match (bug(), order) {
        (Bug::NoRelease, Release) | (Bug::NoAcquire, Acquire) => Relaxed,
        (Bug::NoRelease, AcqRel) => Acquire,
        (Bug::NoAcquire, AcqRel) => Release,
        _ => order,
    }
}

macro_rules! atomic {
    ($name:ident, $value:ty $(, $parameter:ident)?) => {
        #[derive(Debug)]
        pub(crate) struct $name$(<$parameter>)? {
            value: sound::$name$(<$parameter>)?,
            /// See `load`.
            loads: sound::AtomicBool,
        }

        #[allow(dead_code, reason = "the library doesn't use all of them on each")]
        impl$(<$parameter>)? $name$(<$parameter>)? {
            pub(crate) fn new(value: $value) -> Self {
                Self { value: sound::$name::new(value), loads: sound::AtomicBool::new(false) }
            }

            /// The checker tries a store before the last access that could see it, and before no
            /// other. So a load by the thread that then stores hides the loads of others. Hence
            /// each load is made an access that the next one could see. That access is relaxed: it
            /// orders only what sequentially consistent fences order anyway.
            pub(crate) fn load(&self, order: Ordering) -> $value {
                self.loads.swap(false, Relaxed);
                self.value.load(weakened(order))
            }

            pub(crate) fn store(&self, value: $value, order: Ordering) {
                self.value.store(value, weakened(order));
            }

            pub(crate) fn swap(&self, value: $value, order: Ordering) -> $value {
                count();
                if bug() == Bug::TornSwap {
                    let old = self.value.load(Acquire);
                    self.value.store(value, Release);
                    return old;
                }
                self.value.swap(value, weakened(order))
            }

            pub(crate) fn compare_exchange(
                &self,
                old: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                count();
                if bug() == Bug::TornExchange {
                    let seen = self.value.load(Acquire);
                    if seen != old {
                        return Err(seen);
                    }
                    self.value.store(new, Release);
                    return Ok(seen);
                }
                self.value.compare_exchange(old, new, weakened(success), weakened(failure))
            }

            pub(crate) fn compare_exchange_weak(
                &self,
                old: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.compare_exchange(old, new, success, failure)
            }
        }
    };
}

atomic!(AtomicBool, bool);
atomic!(AtomicU8, u8);
atomic!(AtomicU32, u32);
atomic!(AtomicUsize, usize);
atomic!(AtomicPtr, *mut T, T);

impl AtomicU8 {
    pub(crate) fn fetch_and(&self, value: u8, order: Ordering) -> u8 {
        count();
        self.value.fetch_and(value, weakened(order))
    }

    pub(crate) fn fetch_or(&self, value: u8, order: Ordering) -> u8 {
        count();
        self.value.fetch_or(value, weakened(order))
    }
}

impl AtomicUsize {
    pub(crate) fn fetch_add(&self, value: usize, order: Ordering) -> usize {
        count();
        self.value.fetch_add(value, weakened(order))
    }

    pub(crate) fn fetch_sub(&self, value: usize, order: Ordering) -> usize {
        count();
        self.value.fetch_sub(value, weakened(order))
    }

    pub(crate) fn fetch_and(&self, value: usize, order: Ordering) -> usize {
        count();
        self.value.fetch_and(value, weakened(order))
    }

    pub(crate) fn fetch_or(&self, value: usize, order: Ordering) -> usize {
        count();
        self.value.fetch_or(value, weakened(order))
    }

    pub(crate) fn fetch_update(
        &self,
        success: Ordering,
        failure: Ordering,
        mut next: impl FnMut(usize) -> Option<usize>,
    ) -> Result<usize, usize> {
        let mut seen = self.load(failure);
        while let Some(value) = next(seen) {
            match self.compare_exchange(seen, value, success, failure) {
                Ok(_) => return Ok(seen),
                Err(now) => seen = now,
            }
        }
        Err(seen)
    }
}
