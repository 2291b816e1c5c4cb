//! The guards: a pointer to what is guarded, and the raw lock held. All twelve are made here, from two patterns.
//!
//! Invariants:
//! 1. `value` points into what the held lock guards, and is good for as long as it is held. A guard that writes has
//!    it to itself; one that reads shares it with others that read.
//! 2. A guard is dropped on the thread that made it: it is not `Send`, as `NonNull` is not.

/// Defines a guard type with its `map` and `filter_map`, which make a guard of type `$mapped`.
///
/// `$access` is `mut` for those that write and `shared` for those that read; `$held` is dropped to unlock.
macro_rules! guard {
    (
        $(#[$meta:meta])*
        $name:ident<$a:lifetime> -> $mapped:ident, $held:ty, $access:tt, map: $map:expr, filter_map: $filter_map:expr
    ) => {
        $(#[$meta])*
        #[must_use = "dropped at once, it unlocks at once"]
        #[clippy::has_significant_drop]
        pub struct $name<$a, T: ?Sized + $a> {
            value: core::ptr::NonNull<T>,
            held: $held,
            lent: core::marker::PhantomData<$crate::sync::guard::lent!($access, $a, T)>,
        }

        // SAFETY: a shared guard gives `&T` only.
        unsafe impl<T: ?Sized + Sync> Sync for $name<'_, T> {}

        impl<$a, T: ?Sized> $name<$a, T> {
            $crate::sync::guard::maps!($mapped, $a, $access, $map, $filter_map);
        }

        impl<T: ?Sized> core::ops::Deref for $name<'_, T> {
            type Target = T;

            #[inline]
            fn deref(&self) -> &T {
                // SAFETY: held as long as the guard is there (invariant 1 of `guard`).
                unsafe { self.value.as_ref() }
            }
        }

        $crate::sync::guard::deref_mut!($access, $name);

        impl<T: ?Sized + core::fmt::Debug> core::fmt::Debug for $name<'_, T> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Debug::fmt(&**self, f)
            }
        }

        impl<T: ?Sized + core::fmt::Display> core::fmt::Display for $name<'_, T> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(&**self, f)
            }
        }
    };
}

/// How the guard has the value: a guard that writes is invariant in its type.
macro_rules! lent {
    (mut, $a:lifetime, $t:ty) => { &$a mut $t };
    (shared, $a:lifetime, $t:ty) => { &$a $t };
}

/// `map` and `filter_map`. A closure that panics drops the guard, which poisons and unlocks as usual.
macro_rules! maps {
    ($mapped:ident, $a:lifetime, mut, $map:expr, $filter_map:expr) => {
        /// Narrows the guard to a part of the value; the lock stays held.
        ///
        /// It is called as a function, not as a method, which might hide one of the value's.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = $map]
        /// ```
        pub fn map<U, F>(mut orig: Self, f: F) -> $mapped<$a, U>
        where
            F: FnOnce(&mut T) -> &mut U,
            U: ?Sized,
        {
            let value = core::ptr::NonNull::from(f(&mut *orig));
            $mapped { value, held: orig.held, lent: core::marker::PhantomData }
        }

        /// Narrows the guard to a part of the value, if there is one; the lock stays held.
        ///
        /// It is called as a function, not as a method, which might hide one of the value's.
        ///
        /// # Errors
        ///
        /// The guard as it was, if the closure returns `None`.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = $filter_map]
        /// ```
        pub fn filter_map<U, F>(mut orig: Self, f: F) -> Result<$mapped<$a, U>, Self>
        where
            F: FnOnce(&mut T) -> Option<&mut U>,
            U: ?Sized,
        {
            match f(&mut *orig).map(core::ptr::NonNull::from) {
                Some(value) => Ok($mapped { value, held: orig.held, lent: core::marker::PhantomData }),
                None => Err(orig),
            }
        }
    };
    ($mapped:ident, $a:lifetime, shared, $map:expr, $filter_map:expr) => {
        /// Narrows the guard to a part of the value; the lock stays held.
        ///
        /// It is called as a function, not as a method, which might hide one of the value's.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = $map]
        /// ```
        pub fn map<U, F>(orig: Self, f: F) -> $mapped<$a, U>
        where
            F: FnOnce(&T) -> &U,
            U: ?Sized,
        {
            let value = core::ptr::NonNull::from(f(&*orig));
            $mapped { value, held: orig.held, lent: core::marker::PhantomData }
        }

        /// Narrows the guard to a part of the value, if there is one; the lock stays held.
        ///
        /// It is called as a function, not as a method, which might hide one of the value's.
        ///
        /// # Errors
        ///
        /// The guard as it was, if the closure returns `None`.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = $filter_map]
        /// ```
        pub fn filter_map<U, F>(orig: Self, f: F) -> Result<$mapped<$a, U>, Self>
        where
            F: FnOnce(&T) -> Option<&U>,
            U: ?Sized,
        {
            match f(&*orig).map(core::ptr::NonNull::from) {
                Some(value) => Ok($mapped { value, held: orig.held, lent: core::marker::PhantomData }),
                None => Err(orig),
            }
        }
    };
}

/// `DerefMut`, for guards that write.
macro_rules! deref_mut {
    (shared, $name:ident) => {};
    (mut, $name:ident) => {
        impl<T: ?Sized> core::ops::DerefMut for $name<'_, T> {
            #[inline]
            fn deref_mut(&mut self) -> &mut T {
                // SAFETY: held, and to itself, as long as the guard is there (invariant 1 of `guard`).
                unsafe { self.value.as_mut() }
            }
        }
    };
}

pub(crate) use {deref_mut, guard, lent, maps};
