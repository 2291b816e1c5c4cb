//! A reference-counted value at the start of a cache line.
//!
//! Rejected: an alignment of 64 in the type. An allocator takes far longer to find a chunk with
//! that alignment than one that is a little larger.
//!
//! Invariants:
//! 1. `at` is the first address in `storage` that is a multiple of `LINE`. The slack is long enough
//!    for a `T` to fit there.
//! 2. There is a value at `at` as long as a `CacheLineArc` of it exists. The last one drops it.

use core::{
    cell::UnsafeCell,
    mem::MaybeUninit,
    num::NonZero,
    ops::Deref,
    panic::{RefUnwindSafe, UnwindSafe},
    ptr::NonNull,
};
use std::sync::Arc;

/// The size of a cache line in bytes, as on most machines. On a machine with longer lines the value
/// may share a line with other data.
const LINE: usize = 64;
/// The alignment of `Storage` in bytes, which allocators give to a chunk of this size anyway.
const GIVEN: usize = 16;

/// An `Arc` whose value starts a cache line.
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

// SAFETY: it gives access to the value as an `Arc<T>` does (invariant 2), under the same bounds.
unsafe impl<T: Send + Sync> Send for CacheLineArc<T> {}
// SAFETY: the same reason as for `Send`.
unsafe impl<T: Send + Sync> Sync for CacheLineArc<T> {}
impl<T: RefUnwindSafe> UnwindSafe for CacheLineArc<T> {}
impl<T: RefUnwindSafe> RefUnwindSafe for CacheLineArc<T> {}

impl<T> CacheLineArc<T> {
    pub(super) fn new(value: T) -> Self {
        let storage = Arc::new(Storage(UnsafeCell::new(MaybeUninit::uninit())));
        let shared = Self { at: storage.place(), storage };
        // SAFETY: `at` has room for a `T` (invariant 1), and no other thread has the storage yet.
        unsafe { shared.at.write(value) };
        shared
    }

    /// Whether both share one value.
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
        // SAFETY: the last `CacheLineArc` has gone, and its value is at that address (invariants 1,
        // 2).
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
        // SAFETY: a value is there as long as `self` exists (invariant 2).
        unsafe { self.at.as_ref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Types with different alignments and without padding.
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
