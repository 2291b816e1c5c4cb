//! A shared value at the start of a cache line.
//!
//! An alignment in the type would do the same, but an allocator takes far longer to find such a
//! chunk than to find one that is a little larger.
//!
//! Invariants:
//! 1. `at` is the first address in the `Storage` of `storage` that begins a line. With the slack
//!    behind it, a `T` fits.
//! 2. There is a value at `at` as long as there is a `CacheLineArc`; the last one drops it.

use core::{
    cell::UnsafeCell,
    mem::MaybeUninit,
    num::NonZero,
    ops::Deref,
    panic::{RefUnwindSafe, UnwindSafe},
    ptr::NonNull,
};
use std::sync::Arc;

/// How long a cache line is.
const LINE: usize = 64;
/// What `Storage` is aligned to: what an allocator gives anyway.
const GIVEN: usize = 16;

/// Counted, as an `Arc`.
pub(super) struct CacheLineArc<T> {
    at: NonNull<T>,
    storage: Arc<Storage<T>>,
}

#[repr(C, align(16))]
struct Memory<T> {
    value: MaybeUninit<T>,
    slack: [MaybeUninit<u8>; LINE - GIVEN],
}

const _: () = assert!(align_of::<Memory<()>>() == GIVEN);

struct Storage<T>(UnsafeCell<MaybeUninit<Memory<T>>>);

// SAFETY: as an `Arc` of the value (invariant 2); a storage by itself gives nothing out.
unsafe impl<T: Send + Sync> Send for CacheLineArc<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for CacheLineArc<T> {}
impl<T: RefUnwindSafe> UnwindSafe for CacheLineArc<T> {}
impl<T: RefUnwindSafe> RefUnwindSafe for CacheLineArc<T> {}

impl<T> CacheLineArc<T> {
    pub(super) fn new(value: T) -> Self {
        let storage = Arc::new(Storage(UnsafeCell::new(MaybeUninit::uninit())));
        let shared = Self { at: storage.place(), storage };
        // SAFETY: invariant 1; nobody else has it yet.
        unsafe { shared.at.write(value) };
        shared
    }

    /// Whether both are of one value.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl<T> Storage<T> {
    fn place(&self) -> NonNull<T> {
        let line = |address: NonZero<usize>| {
            let line = NonZero::new(address.get().next_multiple_of(LINE));
            line.expect("no memory reaches the end of the address space")
        };
        NonNull::from(&self.0).cast::<u8>().map_addr(line).cast()
    }
}

impl<T> Drop for Storage<T> {
    fn drop(&mut self) {
        // SAFETY: invariants 1 and 2; the last `CacheLineArc` has gone.
        unsafe { self.place().drop_in_place() }
    }
}

impl<T> Clone for CacheLineArc<T> {
    fn clone(&self) -> Self {
        Self { at: self.at, storage: self.storage.clone() }
    }
}

impl<T> Deref for CacheLineArc<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: invariant 2.
        unsafe { self.at.as_ref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each with its own alignment, and filled to the brim.
    #[repr(align(8))]
    struct Eight([u8; 72]);
    #[repr(align(128))]
    struct Large([u8; 256]);

    #[test]
    fn begins_a_line_and_is_dropped_once() {
        fn check<T>(value: impl Fn() -> T) {
            let all: Vec<_> = (0..50).map(|_| CacheLineArc::new((Arc::new(()), value()))).collect();
            let counts: Vec<_> = all.iter().map(|shared| shared.0.clone()).collect();
            for shared in &all {
                assert!(shared.at.addr().get().is_multiple_of(LINE));
                let end = shared.at.addr().get() + size_of::<(Arc<()>, T)>();
                assert!(end <= (&raw const shared.storage.0).addr() + size_of::<Storage<(Arc<()>, T)>>());
                assert!(shared.is(&shared.clone()));
            }
            assert!(!all[0].is(&all[1]));
            assert!(counts.iter().all(|count| Arc::strong_count(count) == 2));
            drop(all);
            assert!(counts.iter().all(|count| Arc::strong_count(count) == 1));
        }
        check(|| ());
        check(|| Eight([7; _]).0);
        check(|| Eight([7; _]));
        check(|| Large([7; _]));
        check(|| Large([7; _]).0);
    }
}
