//! Macros that define the locks around a value, and their guards. A lock consists of a raw lock, a
//! poison flag if the lock can be poisoned, and the value. A guard consists of a guard of the raw
//! lock and a pointer to the value or to a part of it.
//!
//! Invariants:
//! 1. A guard's `value` points to the lock's value or into it, and is valid while the raw lock is
//!    held. A write guard has exclusive access through it. A read guard shares access with other
//!    read guards.
//! 2. A guard is dropped on the thread that made it. It is not `Send`, because `NonNull` is not.
//! 3. A lock's `value` is accessed through guards: one write guard, or any number of read guards,
//!    as the raw lock allows. Other accesses need `&mut` to the lock, or ownership of it.

/// Defines a lock, `$name`, around a value. The lock is `Sync` if the value is `$share`. The value
/// must be `Send`, because each holder may be another thread. It must also be `Sync` if several
/// threads may hold the lock at a time.
///
/// A lock that can be poisoned has a flag in the field `$poison`, and its methods fail with
/// `TryLockError::$Poisoned`.
macro_rules! lock {
    (
        $(#[$meta:meta])*
        $name:ident, $raw:ty, $($share:ident)|+, $try_lock:ident, $locked:expr $(, $poison:ident: $Poisoned:ident)?
    ) => {
        $(#[$meta])*
        pub struct $name<T: ?Sized> {
            raw: $raw,
            $($poison: $crate::sync::poison::Flag,)?
            value: core::cell::UnsafeCell<T>,
        }

        // SAFETY: the lock owns the value, and `T: Send`. Nothing else in it belongs to a thread.
        unsafe impl<T: ?Sized + Send> Send for $name<T> {}
        // SAFETY: one writer at a time accesses the value, which `Send` allows on any thread, or
        // several readers share it (invariant 3 of `guard`). `$share` includes `Sync` for locks
        // that have readers.
        unsafe impl<T: ?Sized + $($share +)+> Sync for $name<T> {}

        impl<T: ?Sized> $name<T> {
            /// A pointer to the value.
            #[inline]
            fn value_ptr(&self) -> core::ptr::NonNull<T> {
                // SAFETY: `UnsafeCell::get` never returns a null pointer.
                unsafe { core::ptr::NonNull::new_unchecked(self.value.get()) }
            }
        }

        $crate::sync::guard::lock_traits! {
            $name, lock => lock.$try_lock(), $locked $(, $poison: $Poisoned)?
        }
    };
}

/// Implements the traits of a lock. `Debug` locks the lock, which it calls `$lock`, by the
/// expression `$try_lock`, and shows `$locked` if that fails. For the other parameters see `lock!`.
macro_rules! lock_traits {
    ($name:ident, $lock:ident => $try_lock:expr, $locked:expr $(, $poison:ident: $Poisoned:ident)?) => {
        impl<T> From<T> for $name<T> {
            #[doc = concat!("The same as [`", stringify!($name), "::new`].")]
            fn from(value: T) -> Self {
                Self::new(value)
            }
        }

        impl<T: Default> Default for $name<T> {
            /// Creates a lock around the default value of `T`.
            fn default() -> Self {
                Self::new(T::default())
            }
        }

        impl<T: ?Sized + core::fmt::Debug> core::fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                let mut out = f.debug_struct(stringify!($name));
                let $lock = self;
                match $try_lock {
                    Ok(guard) => out.field("data", &&*guard),
                    $(Err(std::sync::TryLockError::$Poisoned(poisoned)) => out.field("data", &&**poisoned.get_ref()),)?
                    Err(_) => out.field("data", &$locked),
                };
                $(out.field("poisoned", &self.$poison.get());)?
                out.finish_non_exhaustive()
            }
        }
    };
}

/// Implements the methods of a lock that can be poisoned, except those that lock it. `$write` is
/// the method that locks it for writing.
macro_rules! poisoned_value {
    ($name:ident, $write:ident) => {
        impl<T: ?Sized> $name<T> {
            /// Whether the lock is poisoned. A thread that panics while it holds the lock poisons
            /// it. An `RwLock` is poisoned only if the thread holds it for writing.
            ///
            /// Another thread may poison the lock at any time. So don't rely on the result `false`
            /// unless the calling thread holds the lock.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::{sync::{Arc, ", stringify!($name), "}, thread};")]
            ///
            #[doc = concat!("let lock = Arc::new(", stringify!($name), "::new(()));")]
            /// let shared = Arc::clone(&lock);
            /// let _ = thread::spawn(move || {
            #[doc = concat!("    let _guard = shared.", stringify!($write), "().unwrap();")]
            ///     panic!("while holding the lock");
            /// })
            /// .join();
            /// assert!(lock.is_poisoned());
            /// ```
            #[inline]
            pub fn is_poisoned(&self) -> bool {
                self.poison.get()
            }

            /// Clears the poisoned state. Call this when the value is in a consistent state again.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::{sync::{Arc, ", stringify!($name), "}, thread};")]
            ///
            #[doc = concat!("let lock = Arc::new(", stringify!($name), "::new(0));")]
            /// let shared = Arc::clone(&lock);
            /// let _ = thread::spawn(move || {
            #[doc = concat!("    let _guard = shared.", stringify!($write), "().unwrap();")]
            ///     panic!("while holding the lock");
            /// })
            /// .join();
            #[doc = concat!("let guard = lock.", stringify!($write), "().unwrap_or_else(|mut poisoned| {")]
            ///     **poisoned.get_mut() = 1;
            ///     lock.clear_poison();
            ///     poisoned.into_inner()
            /// });
            /// assert_eq!(*guard, 1);
            /// assert!(!lock.is_poisoned());
            /// ```
            pub fn clear_poison(&self) {
                self.poison.clear();
            }

            /// Consumes the lock and returns the value.
            ///
            /// # Errors
            ///
            /// If the lock is poisoned. The error contains the value.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::sync::", stringify!($name), ";")]
            ///
            #[doc = concat!("assert_eq!(", stringify!($name), "::new(7).into_inner().unwrap(), 7);")]
            /// ```
            pub fn into_inner(self) -> LockResult<T>
            where
                T: Sized,
            {
                self.poison.wrap(self.value.into_inner())
            }

            /// Returns a mutable reference to the value. It does not lock: `&mut self` already
            /// guarantees exclusive access.
            ///
            /// # Errors
            ///
            /// If the lock is poisoned. The error contains the reference.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::sync::", stringify!($name), ";")]
            ///
            #[doc = concat!("let mut lock = ", stringify!($name), "::new(0);")]
            /// *lock.get_mut().unwrap() = 10;
            /// assert_eq!(lock.into_inner().unwrap(), 10);
            /// ```
            pub fn get_mut(&mut self) -> LockResult<&mut T> {
                self.poison.wrap(self.value.get_mut())
            }
        }
    };
}

/// Implements the methods of a lock that can't be poisoned, except those that lock it. `$read` is
/// the method that locks it for reading, and `$write` the one for writing.
macro_rules! value {
    ($name:ident, $read:ident, $write:ident) => {
        impl<T> $name<T> {
            /// Returns a clone of the value.
            #[doc = concat!("Blocks as [`", stringify!($read), "`](", stringify!($name), "::", stringify!($read), ").")]
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::sync::nonpoison::", stringify!($name), ";")]
            ///
            #[doc = concat!("assert_eq!(", stringify!($name), "::new(7).get_cloned(), 7);")]
            /// ```
            pub fn get_cloned(&self) -> T
            where
                T: Clone,
            {
                self.$read().clone()
            }

            /// Replaces the value. The old value is dropped after unlocking.
            #[doc = concat!("Blocks as [`", stringify!($write), "`](", stringify!($name), "::", stringify!($write), ").")]
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::sync::nonpoison::", stringify!($name), ";")]
            ///
            #[doc = concat!("let lock = ", stringify!($name), "::new(7);")]
            /// lock.set(8);
            /// assert_eq!(lock.get_cloned(), 8);
            /// ```
            pub fn set(&self, value: T) {
                drop(self.replace(value));
            }

            /// Replaces the value and returns the old one.
            #[doc = concat!("Blocks as [`", stringify!($write), "`](", stringify!($name), "::", stringify!($write), ").")]
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::sync::nonpoison::", stringify!($name), ";")]
            ///
            #[doc = concat!("let lock = ", stringify!($name), "::new(7);")]
            /// assert_eq!(lock.replace(8), 7);
            /// ```
            pub fn replace(&self, value: T) -> T {
                core::mem::replace(&mut *self.$write(), value)
            }
        }

        impl<T: ?Sized> $name<T> {
            /// Consumes the lock and returns the value.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::sync::nonpoison::", stringify!($name), ";")]
            ///
            #[doc = concat!("assert_eq!(", stringify!($name), "::new(7).into_inner(), 7);")]
            /// ```
            pub fn into_inner(self) -> T
            where
                T: Sized,
            {
                self.value.into_inner()
            }

            /// Returns a mutable reference to the value. It does not lock: `&mut self` already
            /// guarantees exclusive access.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::sync::nonpoison::", stringify!($name), ";")]
            ///
            #[doc = concat!("let mut lock = ", stringify!($name), "::new(0);")]
            /// *lock.get_mut() = 10;
            /// assert_eq!(lock.into_inner(), 10);
            /// ```
            pub fn get_mut(&mut self) -> &mut T {
                self.value.get_mut()
            }

            /// Returns a raw pointer to the value. Code that accesses the value through the pointer
            /// must hold the lock by other means.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::sync::nonpoison::", stringify!($name), ";")]
            ///
            #[doc = concat!("let lock = ", stringify!($name), "::new(1);")]
            #[doc = concat!("let guard = lock.", stringify!($read), "();")]
            /// assert!(std::ptr::eq(&*guard, lock.data_ptr()));
            /// ```
            pub const fn data_ptr(&self) -> *mut T {
                self.value.get()
            }

            /// Calls `f` with the value while the lock is held for writing.
            #[doc = concat!("Blocks as [`", stringify!($write), "`](", stringify!($name), "::", stringify!($write), ").")]
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use greenthread::sync::nonpoison::", stringify!($name), ";")]
            ///
            #[doc = concat!("let lock = ", stringify!($name), "::new(2);")]
            /// assert_eq!(lock.with_mut(|n| { *n += 1; *n }), 3);
            /// ```
            pub fn with_mut<F, R>(&self, f: F) -> R
            where
                F: FnOnce(&mut T) -> R,
            {
                f(&mut self.$write())
            }
        }
    };
}

/// Defines a guard type with its functions `map` and `filter_map`, which return a guard of type
/// `$mapped`. Dropping `$held` unlocks.
///
/// `& mut` is for write guards, and makes the guard invariant in `T`. `&` is for read guards. If
/// the closure passed to `map` panics, the guard is dropped, which poisons and unlocks as usual.
macro_rules! guard {
    (
        $(#[$meta:meta])*
        $name:ident<$a:lifetime> -> $mapped:ident, $held:ty, & $($mut:ident)?, map: $map:expr, filter_map: $filter_map:expr
    ) => {
        $(#[$meta])*
        #[must_use = "dropped at once, it unlocks at once"]
        #[clippy::has_significant_drop]
        pub struct $name<$a, T: ?Sized + $a> {
            value: core::ptr::NonNull<T>,
            held: $held,
            borrow: core::marker::PhantomData<&$a $($mut)? T>,
        }

        // SAFETY: a shared reference to a guard gives access to `&T` only, and `T: Sync`.
        unsafe impl<T: ?Sized + Sync> Sync for $name<'_, T> {}

        impl<$a, T: ?Sized> $name<$a, T> {
            /// Makes a guard. The caller upholds invariant 1 of `guard`.
            #[inline]
            fn new(value: core::ptr::NonNull<T>, held: $held) -> Self {
                Self { value, held, borrow: core::marker::PhantomData }
            }

            /// Turns the guard into a guard of a part of the value. The lock stays held.
            ///
            /// This is an associated function, so that it does not hide a method of the value.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = $map]
            /// ```
            pub fn map<U, F>($($mut)? orig: Self, f: F) -> $mapped<$a, U>
            where
                F: FnOnce(&$($mut)? T) -> &$($mut)? U,
                U: ?Sized,
            {
                let value = core::ptr::NonNull::from(f(&$($mut)? *orig));
                $mapped::new(value, orig.held)
            }

            /// Turns the guard into a guard of a part of the value, if the closure returns one. The
            /// lock stays held.
            ///
            /// This is an associated function, so that it does not hide a method of the value.
            ///
            /// # Errors
            ///
            /// If the closure returns `None`. The error is the original guard.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = $filter_map]
            /// ```
            pub fn filter_map<U, F>($($mut)? orig: Self, f: F) -> Result<$mapped<$a, U>, Self>
            where
                F: FnOnce(&$($mut)? T) -> Option<&$($mut)? U>,
                U: ?Sized,
            {
                match f(&$($mut)? *orig).map(core::ptr::NonNull::from) {
                    Some(value) => Ok($mapped::new(value, orig.held)),
                    None => Err(orig),
                }
            }
        }

        impl<T: ?Sized> core::ops::Deref for $name<'_, T> {
            type Target = T;

            #[inline]
            fn deref(&self) -> &T {
                // SAFETY: the lock is held while the guard exists, so the pointer is valid
                // (invariant 1 of `guard`).
                unsafe { self.value.as_ref() }
            }
        }

        $(
            impl<T: ?Sized> core::ops::DerefMut for $name<'_, T> {
                #[inline]
                fn deref_mut(&$mut self) -> &$mut T {
                    // SAFETY: the lock is held for writing while the guard exists, so the pointer
                    // is valid and the access exclusive (invariant 1 of `guard`).
                    unsafe { self.value.as_mut() }
                }
            }
        )?

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

pub(crate) use {guard, lock, lock_traits, poisoned_value, value};
